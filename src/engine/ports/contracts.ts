import type { Shares, Usd } from "../domain/numbers.ts";
import type { ActionCall, PreparedCall } from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import type { Result } from "../lib/result.ts";
import type { CallReport, SubmitOutcome } from "../protocol/contract-report.ts";

/** The position contracts as the engine uses them. No method throws; failures are outcomes. */
export type ContractPort = {
  /** "chain": our own transaction, paid in POL. "relayer": the venue's relayer sends and pays. */
  readonly route: "chain" | "relayer";
  /** The most that gas can cost now, from a simulated run; the text says why the contracts would refuse. */
  estimate(call: ActionCall): Promise<Result<{ readonly gasMaxUsd: Usd }, string>>;
  /** Fee of a neg-risk market on a convert, in 1/10,000. */
  convertFeeBips(marketId: string): Promise<Result<number, string>>;
  /** Builds and signs under the account's next nonce; nothing leaves. */
  prepare(call: ActionCall): Promise<Result<PreparedCall, string>>;
  /** Sends the bytes as they are. `gate` is asked directly before the first byte; a denial sends nothing. */
  submit(prepared: PreparedCall, gate: () => Denial | null): Promise<SubmitOutcome>;
  /** What became of it. `reference` is what the relayer called it, when it ever said. */
  query(prepared: PreparedCall, reference: string | null): Promise<CallReport>;
  /** Shares of a token on the account, by the same source that redeems them. */
  shares(tokenId: string, version: "v1" | "v2"): Promise<Result<Shares, string>>;
  /** Tells the venue's cache that balances changed on the chain; best effort. */
  refreshBalances(tokenIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
};
