import type { Side } from "../domain/market.ts";
import type { Shares, Usd } from "../domain/numbers.ts";
import type { DegradedCause, Denial, HaltReason, ReducingReason } from "../domain/reasons.ts";
import type { ActionView } from "./actions.ts";
import type { ExternalOrderView, OrderView, TradingView } from "./views.ts";

/** Something that happened and that a person is told, in order, exactly once a chat. */
export type Notice = {
  readonly noticeId: number;
  readonly atMs: number;
  /** Null: every trader. */
  readonly chatId: number | null;
  readonly body: NoticeBody;
};

export type NoticeBody =
  /** A marketable order or a resting one came to its end, or (live) came to rest. One notice a state. */
  | { readonly kind: "order.outcome"; readonly order: OrderView; readonly result: OrderResult }
  /** A resting order filled in part or in full. */
  | {
      readonly kind: "order.filled";
      readonly order: OrderView;
      readonly size: Shares;
      readonly money: Usd;
      readonly fee: Usd;
    }
  | { readonly kind: "order.unknown"; readonly order: OrderView }
  | {
      readonly kind: "fill.reversed";
      readonly order: OrderView;
      readonly size: Shares;
      readonly money: Usd;
    }
  /** Every leg of a set has an end. */
  | {
      readonly kind: "set.outcome";
      readonly title: string;
      readonly legs: readonly OrderView[];
      readonly shares: Shares;
      readonly cost: Usd;
      readonly fee: Usd;
      readonly complete: boolean;
    }
  /** A market in which something was held came to its end. */
  | {
      readonly kind: "market.settled";
      readonly question: string;
      readonly winner: string;
      readonly paidUsd: Usd;
      readonly costUsd: Usd;
    }
  /** The book no longer gives what an open confirmation shows: a press would send nothing, unless it comes back. */
  | {
      readonly kind: "card.outdated";
      readonly title: string;
      /** Null for a card of several orders. */
      readonly order: { readonly side: Side; readonly outcomeName: string } | null;
    }
  /** What decides how a market pays was edited; something of the desk stands on the old terms. */
  | {
      readonly kind: "rules.edited";
      readonly conditionId: string;
      readonly question: string;
      /** Of the terms as they are now: what an acceptance names. */
      readonly ruleHash: string;
      readonly isHeld: boolean;
      /** Open orders in it: nobody cancels them unless a person says so. */
      readonly orders: readonly OrderView[];
      readonly moreOrders: number;
    }
  /** A contract call came to its end, or nobody knows. */
  | { readonly kind: "action.outcome"; readonly action: ActionView; readonly detail: string }
  | { readonly kind: "killed"; readonly trading: TradingView; readonly openOrders: number }
  /** The fate of each order that was open when the kill came; all settled when `settled`. */
  | {
      readonly kind: "kill.report";
      readonly orders: readonly OrderFate[];
      /** Orders of others on the account: a kill cancels them too. */
      readonly external: readonly ExternalFate[];
      /** Contract calls that are under way: nothing can take them back, and their results follow. */
      readonly calls: readonly ActionView[];
      readonly settled: boolean;
    }
  /** The old order of a price change is gone and no new one was sent. */
  | { readonly kind: "replace.failed"; readonly order: OrderView; readonly denial: Denial }
  /** A position that lastingly differed from the venue's was set to the venue's. */
  | {
      readonly kind: "position.corrected";
      readonly correctionId: string;
      readonly question: string;
      readonly outcomeName: string;
      readonly from: Shares;
      readonly to: Shares;
    }
  /** Trades that only one of stream and list told. They are counted all the same. */
  | {
      readonly kind: "copies.disagree";
      readonly notOnStream: number;
      readonly notListed: number;
      readonly tradeId: string;
    }
  /** An order on the account that this desk did not place. */
  | { readonly kind: "external.order"; readonly order: ExternalOrderView }
  /** A trade on the account that this desk did not make, or its reversal by the venue. */
  | {
      readonly kind: "external.fill";
      readonly what: "filled" | "reversed";
      readonly question: string;
      readonly outcomeName: string;
      readonly side: Side;
      readonly size: Shares;
      readonly money: Usd;
    }
  | { readonly kind: "resumed"; readonly byUserId: number | null }
  /** Too many wrong one-time codes: nobody resumes for so long. */
  | { readonly kind: "resume.locked"; readonly byUserId: number; readonly forMs: number }
  | { readonly kind: "halted"; readonly reason: HaltReason; readonly detail: string }
  /** A strategy was applied to the same token and side too often; that side of it waits for a resume. */
  | {
      readonly kind: "strategy.locked";
      readonly strategy: OrderView["strategy"];
      readonly side: OrderView["side"];
      readonly question: string;
      readonly executions: number;
      readonly windowMs: number;
    }
  /** The causes for taking no new risk changed; none of them left: it is taken again (unless halted or killed). */
  | {
      readonly kind: "reducing";
      readonly causes: readonly ReducingReason[];
      readonly ended: readonly ReducingReason[];
      readonly trading: TradingView;
    }
  /** Something around the engine is wrong; while it lasts, a part of new orders is refused. */
  | { readonly kind: "degraded"; readonly cause: DegradedCause; readonly detail: string }
  | { readonly kind: "degraded.over"; readonly cause: DegradedCause; readonly afterMs: number }
  | { readonly kind: "feed.lost"; readonly feed: "market" | "user"; readonly sinceMs: number }
  | { readonly kind: "feed.back"; readonly feed: "market" | "user"; readonly afterMs: number }
  | {
      readonly kind: "started";
      readonly trading: TradingView;
      readonly openOrders: number;
      readonly positions: number;
      readonly unknownOrders: number;
    };

export type OrderResult =
  | "filled"
  | "partially_filled"
  | "nothing_filled"
  | "resting"
  | "rejected"
  | "canceled"
  | "expired";

export type ExternalFate = {
  readonly order: ExternalOrderView;
  readonly fate: "gone" | "still_open";
};

export type OrderFate = {
  readonly order: OrderView;
  readonly fate: "canceled" | "filled" | "was_done" | "still_open" | "unknown" | "delayed";
};
