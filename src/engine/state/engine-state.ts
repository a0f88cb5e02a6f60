import type { Notice } from "../api/notices.ts";
import type { DueMessage, StoredButton } from "../api/outbox.ts";
import type { PendingCommand } from "../api/requests.ts";
import type { ResyncReason } from "../domain/book-health.ts";
import type { ExternalOrder } from "../domain/external.ts";
import type { Fill, Position } from "../domain/fill.ts";
import type { ConditionId, Market, MarketGroup, OutcomeIndex, TokenId } from "../domain/market.ts";
import type { MarketBook } from "../domain/market-book.ts";
import type { Shares, Usd } from "../domain/numbers.ts";
import type { Order } from "../domain/order.ts";
import type { Claim, PositionAction } from "../domain/position-action.ts";
import type { PriceTrail } from "../domain/price-trail.ts";
import type { DegradedCause, HaltReason } from "../domain/reasons.ts";
import type { RuleEdit } from "../domain/rule-edit.ts";
import { FifoMap } from "../lib/fifo-map.ts";
import type { Plan } from "../protocol/plan.ts";
import type { Replacement } from "../protocol/replacement.ts";
import { type ControlState, createControl } from "./control-state.ts";
import type { DeskCard } from "./fact.ts";
import { createIndex, type StateIndex } from "./state-index.ts";

/** How much is kept in memory; older entries stay in the ledger. */
export const keptButtons = 4_000;
export const keptNotices = 2_000;
export const keptSentKeys = 4_000;
export const keptAnswered = 4_000;
export const keptCards = 1_000;
export const keptClosedOrders = 5_000;
export const keptCorrections = 1_000;
export const keptExternalFills = 2_000;
/** Names of what left the memory: order hashes and fill ids, so that it is not taken for somebody else's. */
export const keptForgotten = 50_000;
export const keptClosedActions = 1_000;
/** Known markets above which those that nothing refers to are forgotten. */
export const keptMarkets = 5_000;
const keptResolutions = 1_000;
const keptRuleEdits = 1_000;

export type KillState = {
  readonly atMs: number;
  readonly byUserId: number | null;
  readonly note: string;
  /** Orders that were open when the kill was accepted. */
  readonly open: readonly string[];
  /** And those of others on the account, which a kill cancels too. */
  readonly external: readonly ExternalOrder[];
};

/** `seq` is the fact that queued it: nothing is sent before that fact is durable. */
export type OutgoingMessage = DueMessage & { readonly notBeforeMs: number; readonly seq: number };

export type ResumeOffer = {
  readonly nonce: string;
  readonly userId: number;
  readonly chatId: number;
  readonly readyAtMs: number;
  readonly expiresAtMs: number;
};

/** One-time codes that were typed to resume: what is used up, and what was guessed. */
export type ResumeCodes = {
  /** 30-second step of the newest code that was used; null before the first. */
  readonly lastStep: number | null;
  /** Refused ones in a row. */
  readonly refused: number;
  readonly lock: { readonly sinceMs: number; readonly forMs: number } | null;
};

/** Everything durable that the ledger's facts build. Changed only by `applyFact`. */
export type LedgerState = {
  /** Number of facts applied. */
  seq: number;
  atMs: number;
  startedAtMs: number;
  ready: boolean;
  killed: KillState | null;
  halt: { readonly reason: HaltReason; readonly detail: string; readonly atMs: number } | null;
  killReported: "no" | "partly" | "settled";
  resume: ResumeOffer | null;
  resumeCodes: ResumeCodes;
  resumedAtMs: number;
  readonly control: ControlState;
  readonly markets: Map<ConditionId, Market>;
  readonly groups: Map<string, MarketGroup>;
  readonly tokens: Map<
    TokenId,
    { readonly conditionId: ConditionId; readonly outcome: OutcomeIndex }
  >;
  /** Newest edits of terms, the oldest forgotten first. */
  readonly ruleEdits: FifoMap<ConditionId, RuleEdit>;
  readonly orders: Map<string, Order>;
  readonly oidByHash: Map<string, string>;
  readonly closedOrders: string[];
  /** Open orders on our account that this desk did not place, by hash. */
  readonly externalOrders: Map<string, ExternalOrder>;
  /** Ids of the kept fills of others, oldest first. */
  readonly externalFills: string[];
  readonly forgotten: FifoMap<string, true>;
  readonly plans: Map<string, Plan>;
  readonly planByCommand: Map<string, string>;
  /** Price changes whose old order is not gone yet, or whose new order is not committed yet. */
  readonly replacements: Map<string, Replacement>;
  readonly fills: Map<string, Fill>;
  readonly index: StateIndex;
  readonly positions: Map<TokenId, Position>;
  /** Shares of a token that the venue holds where it holds fewer than we do: no more may be sold. */
  readonly venueShares: Map<TokenId, Shares>;
  /** Ids of the newest corrections of positions. */
  readonly corrections: FifoMap<string, true>;
  /** Calls on the position contracts; the newest ended ones are kept. */
  readonly actions: Map<string, PositionAction>;
  readonly claims: Map<ConditionId, Claim>;
  /** Our own account of cash; null before the first reading. The venue's may only reduce what is spent. */
  cash: Usd | null;
  venueCash: Usd | null;
  /** Traded dollars and realised profit of the newest UTC day that had a fill. */
  day: { readonly startMs: number; readonly volumeUsd: Usd; readonly realizedUsd: Usd };
  readonly cards: FifoMap<string, DeskCard>;
  readonly commands: Map<string, PendingCommand>;
  readonly answered: FifoMap<string, string>;
  readonly outbox: Map<string, OutgoingMessage>;
  readonly sent: FifoMap<string, number | null>;
  readonly buttons: FifoMap<string, StoredButton>;
  readonly notices: FifoMap<number, Notice>;
  lastNoticeId: number;
  toldUpTo: number;
  readonly told: FifoMap<string, string>;
};

/** Per-order waits that need not survive a restart. */
export type OrderWatch = {
  nextQueryAtMs: number;
  queries: number;
  querying: boolean;
  /** When the newest look was asked for: an answer says what was there then, however late it comes. */
  askedAtMs: number;
  /** Repost the same bytes once the venue said that it does not know the order. */
  repost: boolean;
  reposts: number;
};

/** Waits of one contract call that need not survive a restart. */
export type ActionWatch = {
  nextQueryAtMs: number;
  queries: number;
  querying: boolean;
  /** When the newest look was asked for: an answer says what was there then, however late it comes. */
  askedAtMs: number;
  /** A request with its bytes is under way. */
  submitting: boolean;
  resends: number;
  /** Clean looks in a row that did not find it. */
  absences: number;
  /** When the last sending of its bytes came to an end. */
  sentAtMs: number;
};

export type LinkState = {
  up: boolean;
  lastFrameAtMs: number | null;
  lostAtMs: number | null;
  told: boolean;
  /** Last time a REST read of a live book equalled ours: the connection is quiet, not frozen. */
  provedAtMs: number;
};

/** What lives only in memory: books, links, watches. Market data is kept on the tape, not in the ledger. */
export type LiveState = {
  nowMs: number;
  /** When our clock was last set forward in this run: what was added then is no time that anybody waited. */
  clockSetAtMs: number;
  readonly books: Map<ConditionId, MarketBook>;
  /** Books that changed since the strategies that listen to them were woken, and how often; the longest waiting first. */
  readonly changedBooks: Map<ConditionId, number>;
  /** Best prices of the last while, against which a price that runs away is judged. */
  readonly trails: Map<ConditionId, PriceTrail>;
  /** Markets that the stream called resolved and when; Gamma's word on them is awaited. */
  readonly resolutions: FifoMap<ConditionId, number>;
  readonly links: { readonly market: LinkState; readonly user: LinkState };
  readonly watches: Map<string, OrderWatch>;
  readonly actionWatches: Map<string, ActionWatch>;
  /** Before this the venue's cash may be older than a contract call of ours. */
  rebaseAfterMs: number;
  nextReconcileAtMs: number;
  /** Trades up to here were read, and when the newest such read was asked for. */
  fillsReadToMs: number;
  fillsAskedAtMs: number;
  /** The oldest trade that the newest read of trades asked for. */
  fillsWindowMs: number;
  userUpSinceMs: number;
  /** Trades that the private stream told, to be found in the list of trades as well. */
  readonly heard: Map<string, { readonly heardAtMs: number; readonly tradeAtMs: number }>;
  /** Differences of positions and how often in a row each was read. */
  readonly shareReads: Map<
    TokenId,
    { readonly here: number; readonly there: number; readonly count: number }
  >;
  shareCursor: number;
  /** Cash beyond ours that the venue shows, and how often in a row it was read. */
  cashAbove: { readonly own: number; readonly there: number; readonly count: number } | null;
  reconciling: boolean;
  reconcileFailures: number;
  /** Replacements whose new order is being signed, by the time that it was asked for. */
  readonly signing: Map<string, number>;
  nextKillSweepAtMs: number;
  killCleanSnapshots: number;
  killFirstCleanAtMs: number | null;
  /** Since when not one book with money in it is believed; null while one is, or none has money in it. */
  booksStaleSinceMs: number | null;
  /** What is wrong around the engine at this moment; each refuses a part of new orders. */
  readonly degraded: Map<DegradedCause, { readonly sinceMs: number; readonly detail: string }>;
  /** Times of the newest requests about orders. */
  readonly requestedAtMs: number[];
  /** The venue's clock less ours as last measured; null before the first time. */
  clockOffsetMs: number | null;
  framesApplied: number;
  /** Books that were replaced by a fresh one in this run, by reason. */
  readonly resyncs: Map<ResyncReason, number>;
  resyncsAsked: number;
  /** False while hashes fail everywhere, since when: books are judged by best prices alone, and nothing is bought. */
  readonly hashes: { trusted: boolean; sinceMs: number; failedAtMs: number };
};

export type EngineState = LedgerState & { readonly live: LiveState };

export function createState(): EngineState {
  return {
    seq: 0,
    atMs: 0,
    startedAtMs: 0,
    ready: false,
    killed: null,
    halt: null,
    killReported: "settled",
    resume: null,
    resumeCodes: { lastStep: null, refused: 0, lock: null },
    resumedAtMs: 0,
    control: createControl(),
    markets: new Map(),
    groups: new Map(),
    tokens: new Map(),
    ruleEdits: new FifoMap(keptRuleEdits),
    orders: new Map(),
    oidByHash: new Map(),
    closedOrders: [],
    externalOrders: new Map(),
    externalFills: [],
    forgotten: new FifoMap(keptForgotten),
    plans: new Map(),
    planByCommand: new Map(),
    replacements: new Map(),
    fills: new Map(),
    index: createIndex(),
    positions: new Map(),
    venueShares: new Map(),
    corrections: new FifoMap(keptCorrections),
    actions: new Map(),
    claims: new Map(),
    cash: null,
    venueCash: null,
    day: { startMs: 0, volumeUsd: 0 as Usd, realizedUsd: 0 as Usd },
    cards: new FifoMap(keptCards),
    commands: new Map(),
    answered: new FifoMap(keptAnswered),
    outbox: new Map(),
    sent: new FifoMap(keptSentKeys),
    buttons: new FifoMap(keptButtons),
    notices: new FifoMap(keptNotices),
    lastNoticeId: 0,
    toldUpTo: 0,
    told: new FifoMap(keptClosedOrders * 4),
    live: createLive(),
  };
}

function createLive(): LiveState {
  return {
    nowMs: 0,
    clockSetAtMs: 0,
    books: new Map(),
    changedBooks: new Map(),
    trails: new Map(),
    resolutions: new FifoMap(keptResolutions),
    links: { market: link(), user: link() },
    watches: new Map(),
    actionWatches: new Map(),
    rebaseAfterMs: 0,
    nextReconcileAtMs: 0,
    fillsReadToMs: 0,
    fillsAskedAtMs: 0,
    fillsWindowMs: 0,
    userUpSinceMs: 0,
    heard: new Map(),
    shareReads: new Map(),
    shareCursor: 0,
    cashAbove: null,
    reconciling: false,
    reconcileFailures: 0,
    signing: new Map(),
    nextKillSweepAtMs: 0,
    killCleanSnapshots: 0,
    killFirstCleanAtMs: null,
    booksStaleSinceMs: null,
    degraded: new Map(),
    requestedAtMs: [],
    clockOffsetMs: null,
    framesApplied: 0,
    resyncs: new Map(),
    resyncsAsked: 0,
    hashes: { trusted: true, sinceMs: 0, failedAtMs: 0 },
  };
}

function link(): LinkState {
  return { up: false, lastFrameAtMs: null, lostAtMs: null, told: false, provedAtMs: 0 };
}
