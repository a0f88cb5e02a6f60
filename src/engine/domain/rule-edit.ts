import type { RuleHash } from "./market.ts";

/** The newest edit of what decides how a market pays. */
export type RuleEdit = {
  readonly from: RuleHash;
  readonly to: RuleHash;
  readonly atMs: number;
  /** Who read and accepted it; null: strategies leave the market alone. */
  readonly acceptedBy: number | null;
};
