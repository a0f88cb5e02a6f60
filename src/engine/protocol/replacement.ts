import type { OrderDraft } from "../domain/order.ts";

/**
 * A confirmed change of a resting order's price. The old order is canceled and proven gone first; only then is the new
 * one signed, for what is left. Kept under the nonce of the card that confirmed it, so that a card makes one.
 */
export type Replacement = {
  readonly replaceId: string;
  /** The order that must be gone before the new one may exist. */
  readonly clientOid: string;
  /** The new order for all of the old one's rest; its size is cut by what the old one still fills. */
  readonly draft: OrderDraft;
  readonly title: string;
  readonly commandId: string;
  readonly userId: number;
  readonly chatId: number;
  readonly atMs: number;
  /** A new order that could not be posted until then is not posted at all. */
  readonly expiresAtMs: number;
};
