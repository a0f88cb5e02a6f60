import type { ConditionId } from "../domain/market.ts";

/** Why the account is read; "start" opens trading, "kill" proves that the book is flat. */
export type ReadPurpose = "start" | "periodic" | "link" | "kill" | "balance";

/** What a step asks the outside to do, only after its facts are durable. Every result comes back as an input. */
export type Effect =
  | { readonly kind: "order.post"; readonly clientOid: string }
  | { readonly kind: "order.query"; readonly clientOid: string }
  | { readonly kind: "order.cancel"; readonly clientOids: readonly string[] }
  | { readonly kind: "orders.cancel-all" }
  /** An order on the account that this desk did not place; its end is told by the stream and the reads. */
  | { readonly kind: "external.cancel"; readonly orderHash: string }
  | {
      readonly kind: "account.read";
      readonly purpose: ReadPurpose;
      readonly fillsAfterS: number | null;
    }
  | { readonly kind: "book.resync"; readonly conditionId: ConditionId };
