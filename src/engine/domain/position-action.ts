import type { ConditionId, OutcomeIndex, TokenId } from "./market.ts";
import type { Shares, Usd } from "./numbers.ts";

/** Calls on the position contracts (polymarket-trading 5.3). None of them is an order: the venue's engine never sees it. */
export type ActionKind = "wrap" | "split" | "merge" | "redeem" | "convert";

export type ShareAmount = {
  readonly tokenId: TokenId;
  readonly conditionId: ConditionId;
  readonly outcome: OutcomeIndex;
  readonly size: Shares;
};

/** The market whose contracts are called: version and neg-risk choose them. */
export type ContractMarket = {
  readonly conditionId: ConditionId;
  readonly version: "v1" | "v2";
  readonly negRisk: boolean;
};

/** What is asked of the contracts, without addresses: those belong to the adapter. */
export type ActionCall =
  /** USDC.e of the account into pUSD, one for one. */
  | { readonly kind: "wrap"; readonly amount: Usd }
  | { readonly kind: "split" | "merge"; readonly market: ContractMarket; readonly size: Shares }
  /** Version "v1" takes the account's whole balance of both outcomes; "v2" exactly the winning leg. */
  | {
      readonly kind: "redeem";
      readonly market: ContractMarket;
      readonly legs: readonly ShareAmount[];
      readonly winningTokenId: TokenId;
    }
  | {
      readonly kind: "convert";
      /** bytes32 of the neg-risk market. */
      readonly marketId: string;
      /** Indices of the questions whose NO is given, ascending. */
      readonly questions: readonly number[];
      /** Questions that the neg-risk market must have; YES of every other one is given. */
      readonly questionCount: number;
      readonly size: Shares;
      /** Of the neg-risk market, 1/10,000 of what comes out. */
      readonly feeBips: number;
    };

/** A call with everything that it moves in our books. */
export type ActionTerms = {
  readonly call: ActionCall;
  readonly takesUsd: Usd;
  readonly givesUsd: Usd;
  readonly takes: readonly ShareAmount[];
  readonly gives: readonly ShareAmount[];
  /** What a share of each given outcome was worth when it was decided: the cost is shared out in these parts. */
  readonly weights: readonly number[];
};

/** Signed and ready, but not sent: the same bytes are sent however often, so that they take effect at most once. */
export type PreparedCall = {
  readonly route: "chain" | "relayer";
  /** Raw transaction (hex), or the relayer's request body (JSON). */
  readonly body: string;
  /** Transaction hash, or the hash that the owner signed for the relayer. */
  readonly callHash: string;
  /** Nonce of the account or wallet: the chain lets one transaction take effect under it. */
  readonly nonce: string;
  /** The most that gas can cost at the configured bounds; 0 through the relayer. */
  readonly gasMaxUsd: Usd;
  /** After this the contracts refuse the bytes; null when they stay good until the nonce is used. */
  readonly expiresAtMs: number | null;
};

/** in_flight: committed, perhaps sent. sent: taken by the node or the relayer. unknown: nobody has said. */
export type ActionStatus = "in_flight" | "sent" | "unknown" | "confirmed" | "failed";

export type ActionFailure =
  /** Not one byte left. */
  | "not_sent"
  /** The node or the relayer refused it for good. */
  | "refused"
  /** It was mined and undone by the contracts; gas is spent. */
  | "reverted"
  /** Its nonce was used by something else, or its time ran out: it can never take effect. */
  | "void"
  /** Looked for long enough, sent again as often as allowed, and nowhere. */
  | "not_found_after_quarantine";

/** One confirmed wish to call the contracts, from its approval to its end. */
export type PositionAction = {
  readonly actionId: string;
  readonly title: string;
  readonly terms: ActionTerms;
  readonly prepared: PreparedCall;
  readonly userId: number;
  readonly chatId: number;
  readonly commandId: string;
  readonly createdAtMs: number;
  /** The first byte leaves before this or never. */
  readonly deadlineMs: number;
  /** Last time its bytes were allowed to leave; what is absent is believed gone only long after that. */
  readonly lastSentAtMs: number;
  readonly status: ActionStatus;
  readonly unknownSinceMs: number | null;
  /** Transaction id of the relayer, or the transaction's hash on the chain; null until it is known. */
  readonly reference: string | null;
  readonly failure: ActionFailure | null;
  readonly gasUsd: Usd;
  /** What it made or lost in the books, gas included; 0 until it is confirmed. */
  readonly profitUsd: Usd;
};

export function isOpenAction(action: PositionAction): boolean {
  return action.status !== "confirmed" && action.status !== "failed";
}

/** Shares of a resolved market that nobody has been paid for yet. */
export type Claim = {
  readonly conditionId: ConditionId;
  readonly winningTokenId: TokenId;
  readonly legs: readonly ShareAmount[];
  readonly paysUsd: Usd;
  readonly sinceMs: number;
};
