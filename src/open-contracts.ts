import type { Config } from "../config/config.ts";
import { type AddressBook, polygonAddresses } from "./adapters/polygon/address-book.ts";
import { ChainPort } from "./adapters/polygon/chain-port.ts";
import { RelayerPort } from "./adapters/polygon/relayer-port.ts";
import type { WalletKind } from "./adapters/polygon/relayer-request.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { err, ok } from "./engine/lib/result.ts";
import type { OpenedVenue } from "./open-venue.ts";

/** Kinds by signature type; a plain wallet has a relayer only on the paper venue, which takes it as its own wallet. */
const walletKinds: readonly WalletKind[] = ["WALLET", "PROXY", "SAFE", "WALLET"];

/** The paper relayer asks for a key like the real one, and takes any. */
const paperApiKey = "paper-relayer-key";

type Opened = Pick<OpenedVenue, "key" | "polymarket">;

/**
 * What reaches the position contracts for this account: its own transactions for a plain wallet, the venue's relayer for
 * the other kinds and for every account of the paper venue. Null when the configuration names no way.
 */
export function openContracts(config: Config, opened: Opened): ChainPort | RelayerPort | null {
  const { relayer } = config;
  if (relayer.type === "fake") return relayerPort(config, opened, paperApiKey);
  if (relayer.signatureType === 0) return chainPort(config, opened);
  const apiKey = relayer.relayerApiKey?.reveal();
  return apiKey === undefined ? null : relayerPort(config, opened, apiKey);
}

/** The node that answers for the contracts; null without `rpc_url` or on a chain without them. */
export function chainPort(config: Config, { key, polymarket }: Opened): ChainPort | null {
  const { relayer, contracts, venueWaits } = config;
  const addresses = addressesOf(config);
  if (relayer.rpcUrl === null || addresses === null) return null;
  return new ChainPort({
    rpcUrl: relayer.rpcUrl,
    chainId: relayer.chainId,
    privateKey: key.privateKey,
    addresses,
    bounds: {
      maxGasPerCall: contracts.maxGasPerCall,
      maxFeeGwei: contracts.maxFeeGwei,
      polPriceMaxUsd: contracts.polPriceMaxUsd,
    },
    confirmations: contracts.confirmations,
    timeoutMs: venueWaits.readTimeoutMs,
    refreshBalances: polymarket.refreshBalances,
  });
}

function addressesOf({ relayer }: Config): AddressBook | null {
  return relayer.chainId === 137 ? polygonAddresses : null;
}

function relayerPort(config: Config, opened: Opened, apiKey: string): RelayerPort | null {
  const { relayer, contracts, venueWaits } = config;
  const { key, polymarket } = opened;
  const addresses = addressesOf(config);
  const kind = walletKinds[relayer.signatureType];
  if (addresses === null || kind === undefined) return null;
  const { venue } = polymarket;
  return new RelayerPort({
    relayerUrl: relayer.relayerUrl,
    chainId: relayer.chainId,
    privateKey: key.privateKey,
    kind,
    wallet: venue.account.funder,
    apiKey,
    addresses,
    gasLimit: contracts.maxGasPerCall,
    timeoutMs: venueWaits.readTimeoutMs,
    nowMs: () => systemClock.nowMs(),
    readMarket: marketReader(config, opened),
    shares: (tokenId, version) => venue.shares(tokenId, version),
    refreshBalances: polymarket.refreshBalances,
  });
}

/** The paper venue's events take no fee; the real ones are asked on the chain. */
function marketReader(config: Config, opened: Opened) {
  if (config.relayer.type === "fake") return async () => ok({ feeBips: 0, questions: null });
  const chain = chainPort(config, opened);
  if (chain === null) return null;
  return async (marketId: string) => {
    const feeBips = await chain.convertFeeBips(marketId);
    if (!feeBips.ok) return feeBips;
    const questions = await chain.questionCount(marketId);
    return questions.ok
      ? ok({ feeBips: feeBips.value, questions: questions.value })
      : err(questions.error);
  };
}
