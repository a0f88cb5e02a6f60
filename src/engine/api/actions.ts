import type { ConditionId } from "../domain/market.ts";
import type { Shares, Usd } from "../domain/numbers.ts";
import type {
  ActionFailure,
  ActionKind,
  ActionStatus,
  ShareAmount,
} from "../domain/position-action.ts";
import type { DeskMode } from "./views.ts";

/** What a person can ask of the position contracts. */
export type ActionRequest =
  | { readonly kind: "wrap"; readonly amount: Usd }
  | {
      readonly kind: "split" | "merge" | "convert";
      readonly conditionId: ConditionId;
      /** Null: as many as can be merged or converted; a split needs a number. */
      readonly size: Shares | null;
    }
  | { readonly kind: "redeem"; readonly conditionId: ConditionId };

/** Shares with the names that a person knows them by. */
export type NamedShares = ShareAmount & {
  readonly outcomeName: string;
  readonly question: string;
};

/** A confirmation card of a contract call: exactly what it takes, gives and may cost. */
export type ActionCard = {
  /** One-time nonce of the Confirm button. */
  readonly nonce: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly mode: DeskMode;
  readonly kind: ActionKind;
  readonly title: string;
  readonly takesUsd: Usd;
  readonly givesUsd: Usd;
  readonly takes: readonly NamedShares[];
  readonly gives: readonly NamedShares[];
  /** Fee of the neg-risk market in 1/10,000 of what comes out; 0 elsewhere. */
  readonly feeBips: number;
  /** The most that gas can cost; 0 when the venue's relayer pays. */
  readonly gasMaxUsd: Usd;
  readonly route: "chain" | "relayer";
  /** Dollars won or lost in the books when it is done, gas at its bound included; 0 for a split. */
  readonly profitUsd: Usd;
  readonly request: ActionRequest;
};

export type ActionView = {
  readonly actionId: string;
  readonly kind: ActionKind;
  readonly title: string;
  readonly status: ActionStatus;
  readonly failure: ActionFailure | null;
  readonly takesUsd: Usd;
  readonly givesUsd: Usd;
  readonly takes: readonly NamedShares[];
  readonly gives: readonly NamedShares[];
  readonly gasUsd: Usd;
  readonly profitUsd: Usd;
  readonly reference: string | null;
  readonly createdAtMs: number;
};

/** Winning or losing shares of a resolved market that wait to be redeemed. */
export type ClaimView = {
  readonly conditionId: ConditionId;
  readonly question: string;
  readonly winner: string;
  readonly shares: readonly NamedShares[];
  readonly paysUsd: Usd;
};
