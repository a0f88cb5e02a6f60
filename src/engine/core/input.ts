import type { ActionCard, ActionRequest } from "../api/actions.ts";
import type { ActionOutcome, ConfirmOutcome } from "../api/engine-api.ts";
import type { OutMessage } from "../api/outbox.ts";
import type { Actor, CodeStep, ReceivedCommand, TradeRequest, Verdict } from "../api/requests.ts";
import type { OrderView, SetCard, TradeCard } from "../api/views.ts";
import type { FillReport } from "../domain/fill.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import type { BookSnapshot, MarketEvent } from "../domain/market-event.ts";
import type { Price, Shares } from "../domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../domain/order.ts";
import type { RequestTiming } from "../domain/order-timing.ts";
import type { PreparedCall } from "../domain/position-action.ts";
import type { DegradedSource, Denial } from "../domain/reasons.ts";
import type { Result } from "../lib/result.ts";
import type { FeedEvent } from "../ports/market-data.ts";
import type { CallReport, SubmitOutcome } from "../protocol/contract-report.ts";
import type { ReadPurpose } from "../protocol/effect.ts";
import type {
  AccountEvent,
  AccountReport,
  CancelOutcome,
  CatalogAnswer,
  PostOutcome,
  QueryOutcome,
} from "../protocol/venue-report.ts";
import type { ActionCheck, ActionFigures } from "./confirm-action.ts";
import type { Woken } from "./wake-up.ts";

/** Everything that can happen to the engine. Each input makes one step. */
export type EngineInput =
  | { readonly kind: "run.start" }
  | { readonly kind: "tick" }
  /** The venue answered for the first time in this run: the account is compared at once. */
  | { readonly kind: "venue.connected" }
  /** A commit took longer than its bound; the gate is closed already. */
  | { readonly kind: "ledger.late"; readonly detail: string }
  /** The count at the last hop does not add up; the gate is closed already. */
  | { readonly kind: "conservation.broken"; readonly detail: string }
  /** The service crashed again and again. */
  | { readonly kind: "crash.loop"; readonly detail: string }
  /** The process did not run for a while, or the machine's clock stepped. */
  | { readonly kind: "time.jumped"; readonly detail: string }
  /** Our clock was just set forward to the machine's; the time of this input is the first of the new one. */
  | { readonly kind: "clock.followed"; readonly byMs: number }
  /** The venue's clock less ours; null when it could not be read after a jump. */
  | { readonly kind: "clock.measured"; readonly offsetMs: number | null }
  /** The venue's dead-man switch hears us (null), or why not. */
  | { readonly kind: "heartbeat.changed"; readonly detail: string | null }
  | { readonly kind: "market"; readonly event: MarketEvent | FeedEvent }
  | { readonly kind: "books.watched"; readonly markets: readonly Market[] }
  /** Books that are followed no more. */
  | { readonly kind: "books.dropped"; readonly conditionIds: readonly ConditionId[] }
  /** Strategies are woken for these markets, in this order: once, however often each book changed. */
  | { readonly kind: "books.changed"; readonly books: readonly Woken[] }
  | { readonly kind: "book.read"; readonly conditionId: ConditionId; readonly book: BookSnapshot }
  | { readonly kind: "catalog.read"; readonly answer: CatalogAnswer }
  | { readonly kind: "account"; readonly event: AccountEvent }
  | {
      readonly kind: "account.read";
      readonly purpose: ReadPurpose;
      readonly report: AccountReport;
    }
  | {
      readonly kind: "post.finished";
      readonly clientOid: string;
      readonly outcome: PostOutcome;
      /** From the first byte to the answer; null or absent when no byte left. */
      readonly durationMs?: number | null;
      readonly timing?: RequestTiming;
    }
  | {
      readonly kind: "query.finished";
      readonly clientOid: string;
      readonly outcome: QueryOutcome;
      readonly fills: readonly FillReport[] | null;
    }
  | {
      readonly kind: "cancel.finished";
      readonly clientOids: readonly string[];
      readonly outcome: CancelOutcome;
    }
  | {
      readonly kind: "replace.signed";
      readonly replaceId: string;
      readonly draft: OrderDraft;
      readonly prepared: PreparedOrder;
    }
  | {
      readonly kind: "action.submitted";
      readonly actionId: string;
      readonly outcome: SubmitOutcome;
    }
  | { readonly kind: "action.queried"; readonly actionId: string; readonly report: CallReport }
  | {
      readonly kind: "claim.read";
      readonly conditionId: ConditionId;
      /** Null when they could not be read. */
      readonly sizes: readonly { readonly tokenId: string; readonly size: Shares }[] | null;
    }
  | { readonly kind: "request"; readonly request: Request };

/** What the driving side asks; each kind has one reply type. */
export type Request =
  | { readonly do: "receive"; readonly command: ReceivedCommand }
  | {
      readonly do: "answer";
      readonly commandId: string;
      readonly verdict: Verdict;
      readonly reason: string;
      readonly messages: readonly OutMessage[];
    }
  | { readonly do: "enqueue"; readonly messages: readonly OutMessage[] }
  | { readonly do: "sent"; readonly key: string; readonly telegramMessageId: number | null }
  | {
      readonly do: "failed";
      readonly key: string;
      readonly reason: string;
      readonly retryAtMs: number | null;
    }
  | { readonly do: "told"; readonly upTo: number; readonly messages: readonly OutMessage[] }
  | {
      readonly do: "quote";
      readonly actor: Actor;
      readonly commandId: string;
      readonly request: TradeRequest;
    }
  | {
      readonly do: "quote-replace";
      readonly actor: Actor;
      readonly commandId: string;
      readonly clientOid: string;
      readonly limit: Price;
    }
  | {
      readonly do: "quote-set";
      readonly actor: Actor;
      readonly commandId: string;
      readonly setId: string;
      readonly size: Shares | null;
    }
  | {
      readonly do: "confirm";
      readonly actor: Actor;
      readonly commandId: string;
      readonly nonce: string;
      /** The card's drafts in their order, signed in this turn; empty when the card cannot be used. */
      readonly signed: readonly PreparedOrder[];
    }
  | {
      readonly do: "quote-action";
      readonly actor: Actor;
      readonly commandId: string;
      readonly request: ActionRequest;
      readonly figures: ActionFigures;
    }
  | {
      readonly do: "confirm-action";
      readonly actor: Actor;
      readonly commandId: string;
      readonly nonce: string;
    }
  | {
      readonly do: "commit-action";
      readonly actor: Actor;
      readonly commandId: string;
      readonly nonce: string;
      readonly prepared: PreparedCall;
    }
  | { readonly do: "discard"; readonly actor: Actor; readonly nonce: string }
  | {
      readonly do: "cancel";
      readonly actor: Actor;
      readonly clientOids: readonly string[] | "all";
    }
  | {
      readonly do: "accept-rules";
      readonly actor: Actor;
      readonly conditionId: ConditionId;
      readonly ruleHash: string;
    }
  | { readonly do: "cancel-external"; readonly actor: Actor; readonly orderHash: string }
  | {
      readonly do: "degrade";
      readonly source: DegradedSource;
      readonly detail: string | null;
    }
  | { readonly do: "kill"; readonly byUserId: number | null; readonly note: string }
  | { readonly do: "ask-resume"; readonly actor: Actor; readonly commandId: string }
  | { readonly do: "confirm-resume"; readonly actor: Actor; readonly nonce: string }
  | { readonly do: "resume-with-code"; readonly actor: Actor; readonly code: CodeStep };

export type Reply =
  | { readonly to: "none" }
  | { readonly to: "receive"; readonly value: "new" | "duplicate" }
  | { readonly to: "quote"; readonly value: Result<TradeCard, Denial> }
  | { readonly to: "quote-replace"; readonly value: Result<TradeCard, Denial> }
  | { readonly to: "quote-set"; readonly value: Result<SetCard, Denial> }
  | { readonly to: "confirm"; readonly value: ConfirmOutcome }
  | { readonly to: "quote-action"; readonly value: Result<ActionCard, Denial> }
  | { readonly to: "confirm-action"; readonly value: ActionCheck }
  | { readonly to: "commit-action"; readonly value: ActionOutcome }
  | {
      readonly to: "cancel";
      readonly value: Result<{ readonly asked: readonly OrderView[] }, Denial>;
    }
  | { readonly to: "accept-rules"; readonly value: Result<null, Denial> }
  | { readonly to: "cancel-external"; readonly value: Result<null, Denial> }
  | { readonly to: "kill"; readonly value: { readonly openOrders: number } }
  | {
      readonly to: "ask-resume";
      readonly value: Result<
        { readonly nonce: string; readonly readyAtMs: number; readonly expiresAtMs: number },
        Denial
      >;
    }
  /** Of both ways to confirm: by the button and by a one-time code. */
  | { readonly to: "confirm-resume"; readonly value: Result<null, Denial> };

/** An input with its place and time; entropy is recorded chance. */
export type Envelope = {
  readonly atMs: number;
  readonly entropy: string;
  readonly correlationId: string;
  readonly input: EngineInput;
};
