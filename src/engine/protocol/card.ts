import type { OrderDraft } from "../domain/order.ts";

/**
 * A card as the engine keeps it: what was shown and what would be sent. `shown` is the view (opaque to state); the
 * bounds that the confirmation must meet stand beside it.
 */
export type Card<View> = {
  readonly nonce: string;
  readonly kind: "trade" | "set" | "replace" | "action";
  readonly userId: number;
  readonly chatId: number;
  readonly commandId: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly title: string;
  readonly drafts: readonly OrderDraft[];
  /** The order whose price a "replace" card changes. */
  readonly clientOid?: string;
  readonly shown: View;
  readonly state: "open" | "used" | "discarded" | "expired" | "requoted";
};
