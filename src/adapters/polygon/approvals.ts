import type { AddressBook } from "./address-book.ts";
import type { ChainReader } from "./chain-reader.ts";
import { contractAbi, type EncodedCall } from "./encode-call.ts";

/** Who may move what, and what for (polymarket-trading 5.2). The venue's closed first exchanges are not among them. */
export type Spender = {
  readonly token: string;
  readonly tokenName: string;
  readonly spender: string;
  readonly spenderName: string;
  readonly why: string;
};

type Row = readonly [spender: keyof AddressBook, name: string, why: string];

const usdcRows: readonly Row[] = [
  ["exchange", "CTF Exchange V2", "buy in standard markets"],
  ["negRiskExchange", "Neg Risk CTF Exchange V2", "buy in events with one winner"],
  ["exchangeV3", "ExchangeV3", "buy in version v2 markets"],
  ["collateralAdapter", "CtfCollateralAdapter", "split standard markets"],
  ["negRiskCollateralAdapter", "NegRiskCtfCollateralAdapter", "split events with one winner"],
  ["router", "Router", "split version v2 markets"],
];

const ctfRows: readonly Row[] = [
  ["exchange", "CTF Exchange V2", "sell in standard markets"],
  ["negRiskExchange", "Neg Risk CTF Exchange V2", "sell in events with one winner"],
  ["collateralAdapter", "CtfCollateralAdapter", "merge and redeem standard markets"],
  [
    "negRiskCollateralAdapter",
    "NegRiskCtfCollateralAdapter",
    "merge, redeem and convert events with one winner",
  ],
];

const positionRows: readonly Row[] = [
  ["exchangeV3", "ExchangeV3", "sell in version v2 markets"],
  ["router", "Router", "merge and redeem version v2 markets"],
];

function spendersOf(
  book: AddressBook,
  token: string,
  tokenName: string,
  rows: readonly Row[],
): readonly Spender[] {
  return rows.map(([key, spenderName, why]) => ({
    token,
    tokenName,
    spender: book[key],
    spenderName,
    why,
  }));
}

/** Who must be allowed to take dollars. */
export function usdcSpenders(book: AddressBook): readonly Spender[] {
  return spendersOf(book, book.pusd, "pUSD", usdcRows);
}

/** Who must be allowed to take bridged dollars, only to wrap them. */
export function wrapSpenders(book: AddressBook): readonly Spender[] {
  const row = ["onramp", "CollateralOnramp", "wrap USDC.e into pUSD"] as const;
  return spendersOf(book, book.usdce, "USDC.e", [row]);
}

/** Who must be allowed to take outcome shares. */
export function outcomeOperators(book: AddressBook): readonly Spender[] {
  return [
    ...spendersOf(book, book.conditionalTokens, "outcome shares (CTF)", ctfRows),
    ...spendersOf(book, book.positionManager, "positions (version v2)", positionRows),
  ];
}

/** Micro-dollars that the spender may still take. @throws AdapterError */
export function readAllowance(reader: ChainReader, owner: string, one: Spender): Promise<bigint> {
  return reader.view(one.token, "allowance", [owner, one.spender]);
}

/** @throws AdapterError */
export async function readApproved(
  reader: ChainReader,
  owner: string,
  one: Spender,
): Promise<boolean> {
  return (await reader.view(one.token, "isApprovedForAll", [owner, one.spender])) === 1n;
}

export function approveCall(one: Spender, amount: bigint): EncodedCall {
  const data = contractAbi.encodeFunctionData("approve", [one.spender, amount]);
  return { to: one.token, data };
}

/** All or nothing: the contract knows no amount. */
export function approveAllCall(one: Spender): EncodedCall {
  const data = contractAbi.encodeFunctionData("setApprovalForAll", [one.spender, true]);
  return { to: one.token, data };
}
