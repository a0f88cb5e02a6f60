import type { ConditionId } from "../domain/market.ts";
import type { Price, Shares } from "../domain/numbers.ts";
import type { DegradedSource, Denial } from "../domain/reasons.ts";
import type { Result } from "../lib/result.ts";
import type { ActionCard, ActionRequest, ActionView, ClaimView } from "./actions.ts";
import type { Notice } from "./notices.ts";
import type { DueMessage, OutMessage, StoredButton } from "./outbox.ts";
import type {
  Actor,
  CodeStep,
  MarketRef,
  PendingCommand,
  ReceivedCommand,
  TradeRequest,
  Verdict,
} from "./requests.ts";
import type {
  DeskView,
  ExternalOrderView,
  HoldingView,
  MarketSummary,
  MarketView,
  OrderView,
  SetCard,
  SetScanView,
  TradeCard,
} from "./views.ts";

/** What a press of Confirm led to. */
export type ConfirmOutcome =
  /** Durable: the orders are being sent; their ends arrive as notices. */
  | { readonly kind: "accepted"; readonly planId: string; readonly orders: readonly OrderView[] }
  /** A price change: the old order is being canceled; the new one is sent once it is proven gone. */
  | { readonly kind: "replacing"; readonly order: OrderView; readonly limit: Price }
  /** What was shown holds no more: nothing was sent, here is a new card (the old one is dead). */
  | { readonly kind: "requoted"; readonly card: TradeCard; readonly why: RequoteReason }
  | { readonly kind: "refused"; readonly denial: Denial };

/** The price left the shown bound, or the terms of the market were edited since the card was shown. */
export type RequoteReason = "price_moved" | "rules_edited";

/** What a press of Confirm on the card of a contract call led to. */
export type ActionOutcome =
  /** Durable: the call is being sent; its end arrives as a notice. */
  | { readonly kind: "accepted"; readonly action: ActionView }
  | { readonly kind: "refused"; readonly denial: Denial };

/** What became of the open orders after a kill that the ledger did not take. It does not survive a restart. */
export type UnkeptKill = "canceled" | "unconfirmed";

export type KillReceipt = {
  readonly openOrders: number;
  readonly unkept?: UnkeptKill;
  readonly survivesRestart?: boolean;
};

/**
 * The driving side of the engine: what the chat and the command line see. Methods that return a promise resolve when
 * what they say is durable. None throws for business reasons.
 */
export type MarketSearch<T> = {
  /** Best first. */
  readonly markets: readonly T[];
  /** The words with typing errors replaced; only when nothing was found. */
  readonly didYouMean: string | null;
  /** The venue's search finds by its own rules: not every market that it names has every word. */
  readonly from: "directory" | "venue";
};

export type EngineApi = {
  // The inbox: a command is kept before it is worked on, and stays pending until it is answered.
  receive(command: ReceivedCommand): Promise<"new" | "duplicate" | "ledger_failed">;
  /** Commands without an answer, oldest first; after a restart those that the last run did not finish. */
  pendingCommands(): readonly PendingCommand[];
  /** Ends a command: audit row and its messages in one commit. A second answer to the same command is ignored. */
  answer(
    commandId: string,
    verdict: Verdict,
    reason: string,
    messages: readonly OutMessage[],
  ): Promise<void>;

  // The outbox: messages survive a restart and leave in order of priority.
  dueMessages(nowMs: number): readonly DueMessage[];
  markSent(messageId: string, telegramMessageId: number | null): Promise<void>;
  /** Try again at `retryAtMs`, or give up (null). */
  markFailed(messageId: string, reason: string, retryAtMs: number | null): Promise<void>;
  /** Puts messages into the outbox that answer no command (alerts). The same key twice is one message. */
  enqueue(messages: readonly OutMessage[]): Promise<void>;
  /** Called after every commit that may have changed outbox, notices or trading state. */
  onChange(listener: () => void): () => void;
  /** What a button of an earlier message means, or null when it is unknown or too old. */
  button(nonce: string): StoredButton | null;
  /** Telegram message that an outbox key became, to edit it later; null when not sent yet. */
  telegramMessageId(key: string): number | null;

  // Notices: facts to tell. The cursor is kept by the outbox keys that the bot enqueues ("n:<noticeId>:<chatId>").
  noticesAfter(noticeId: number): readonly Notice[];
  /** The last notice whose messages were all enqueued. */
  noticeCursor(): number;
  noticesTold(upTo: number, messages: readonly OutMessage[]): Promise<void>;

  // Looking.
  view(): DeskView;
  orders(): readonly OrderView[];
  order(clientOid: string): OrderView | null;
  /** Open orders on the account that this desk did not place, newest first. */
  externalOrders(): readonly ExternalOrderView[];
  holdings(): readonly HoldingView[];
  findMarkets(ref: MarketRef, limit: number): Promise<Result<readonly MarketSummary[], Denial>>;
  /**
   * Markets that have every word, from memory, so that it answers at once; the venue's own search is asked (with
   * `alsoAtVenue`) for what is not there. Nothing is guessed: a mistyped word gives a suggestion and no market.
   */
  searchMarkets(
    words: string,
    limit: number,
    alsoAtVenue: boolean,
  ): Promise<Result<MarketSearch<MarketSummary>, Denial>>;
  /** Subscribes and waits (bounded) for a verified book before it answers. */
  market(conditionId: ConditionId): Promise<Result<MarketView, Denial>>;

  // Trading.
  quoteTrade(
    actor: Actor,
    commandId: string,
    request: TradeRequest,
  ): Promise<Result<TradeCard, Denial>>;
  /** A card that moves a resting order to another price. */
  quoteReplace(
    actor: Actor,
    commandId: string,
    clientOid: string,
    limit: Price,
  ): Promise<Result<TradeCard, Denial>>;
  /** Bound to user and chat of the card. The same commandId again gets the same outcome. */
  confirm(actor: Actor, commandId: string, nonce: string): Promise<ConfirmOutcome>;
  discardCard(actor: Actor, nonce: string): Promise<void>;
  cancelOrders(
    actor: Actor,
    commandId: string,
    clientOids: readonly string[] | "all",
  ): Promise<Result<{ readonly asked: readonly OrderView[] }, Denial>>;
  /** Asks for the cancel of an order that this desk did not place: never part of "all". */
  cancelExternal(actor: Actor, commandId: string, orderHash: string): Promise<Result<null, Denial>>;
  /** Says that a person read the edited terms of this hash: strategies may trade the market again. */
  acceptRules(
    actor: Actor,
    commandId: string,
    conditionId: ConditionId,
    ruleHash: string,
  ): Promise<Result<null, Denial>>;
  scanSets(): Promise<SetScanView>;
  quoteSet(
    actor: Actor,
    commandId: string,
    setId: string,
    size: Shares | null,
  ): Promise<Result<SetCard, Denial>>;

  // Calls on the position contracts.
  quoteAction(
    actor: Actor,
    commandId: string,
    request: ActionRequest,
  ): Promise<Result<ActionCard, Denial>>;
  /** Bound to user and chat of the card. The same commandId again gets the same outcome. */
  confirmAction(actor: Actor, commandId: string, nonce: string): Promise<ActionOutcome>;
  /** Open calls first, then the newest. */
  actions(): readonly ActionView[];
  claims(): readonly ClaimView[];

  // Safety.
  /**
   * Asks for no new risk (only sales and cancels) while `detail` tells why, until it is withdrawn with null. Survives a
   * restart. For parts of the desk that cannot do their work: a chat that nobody hears, a place that is blocked.
   */
  degrade(source: DegradedSource, detail: string | null): Promise<void>;
  /** Closes the gate in memory before it returns; safe to call from anywhere, any number of times. */
  closeGate(): void;
  /**
   * Persists the kill, cancels everything, reports each order's fate by notices. `unkept` when it could not be written
   * down: everything was cancelled without a record ("canceled"), or the venue did not confirm that. Such a kill lasts
   * over a restart only when `survivesRestart` says so.
   */
  kill(actor: Actor | null, commandId: string | null, note: string): Promise<KillReceipt>;
  /** First step of resuming: what changed since the kill, and a nonce that works after `readyAtMs`. */
  askResume(
    actor: Actor,
    commandId: string,
  ): Promise<
    Result<
      { readonly nonce: string; readonly readyAtMs: number; readonly expiresAtMs: number },
      Denial
    >
  >;
  confirmResume(actor: Actor, commandId: string, nonce: string): Promise<Result<null, Denial>>;
  /**
   * The second step where resuming needs a one-time code. Only what `code` was found to be comes in; whether it may be
   * used is decided here: each step once, wrong ones counted, both over restarts.
   */
  resumeWithCode(actor: Actor, commandId: string, code: CodeStep): Promise<Result<null, Denial>>;
};
