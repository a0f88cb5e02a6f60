import type { Usd } from "../domain/numbers.ts";
import type { Denial } from "../domain/reasons.ts";

/** What became of sending a prepared call. Only a documented refusal is `rejected`. */
export type SubmitOutcome =
  | { readonly kind: "accepted"; readonly reference: string }
  | { readonly kind: "rejected"; readonly detail: string }
  /** Our own gate closed before the first byte. */
  | { readonly kind: "blocked"; readonly denial: Denial }
  | { readonly kind: "not_sent"; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string };

/** What a look at a sent call says. */
export type CallReport =
  | { readonly kind: "pending"; readonly reference: string }
  /** Mined under enough blocks that it stays. */
  | { readonly kind: "confirmed"; readonly reference: string; readonly gasUsd: Usd }
  /** Mined under enough blocks and undone by the contracts. */
  | {
      readonly kind: "reverted";
      readonly reference: string;
      readonly gasUsd: Usd;
      readonly detail: string;
    }
  /** Refused for good by the relayer after it had taken it, without a transaction. */
  | { readonly kind: "refused"; readonly detail: string }
  /** Can never take effect: the nonce is used, or the time is over. */
  | { readonly kind: "void"; readonly detail: string }
  /** Nobody knows it and its nonce is free: the same bytes may be sent again. */
  | { readonly kind: "absent" }
  /** The look failed; it says nothing. */
  | { readonly kind: "failed"; readonly detail: string };
