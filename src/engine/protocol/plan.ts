/** One confirmed action: an order, or the legs of a set. Its id comes from the card's nonce, so a card makes one plan. */
export type Plan = {
  readonly planId: string;
  readonly kind: "trade" | "set";
  readonly title: string;
  readonly nonce: string;
  readonly commandId: string;
  readonly userId: number;
  readonly chatId: number;
  readonly clientOids: readonly string[];
  readonly atMs: number;
};

/** What the decision saw: kept with it, so that it can be judged later without the tape. */
export type Evidence = {
  readonly conditionId: string;
  readonly bookTimestamp: string;
  readonly bookHash: string;
  readonly ageMs: number;
  readonly levels: readonly (readonly [price: number, shares: number])[];
};
