/** Exchange contracts of one chain (polymarket-trading 5.1). */
export type Exchanges = {
  readonly standard: string;
  readonly negRisk: string;
  /** ExchangeV3: standard and neg-risk markets of version "v2" alike. */
  readonly positions: string;
};

const standard = "0xE111180000d2663C0091e4f400237545B87B996B";
const negRisk = "0xe2222d279d744050d28e00520010520000310F59";

/** Chain ids that the venue has contracts on: Polygon and its Amoy test network. */
export type ChainId = 137 | 80002;

const exchangesByChain: Readonly<Record<ChainId, Exchanges>> = {
  137: { standard, negRisk, positions: "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa" },
  80002: { standard, negRisk, positions: "0x9fE6e61422AdB6F610d8597F9684b16912D50C3D" },
};

export function exchangesOf(chainId: ChainId): Exchanges {
  return exchangesByChain[chainId];
}
