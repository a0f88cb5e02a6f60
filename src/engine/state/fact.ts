import type { ActionCard } from "../api/actions.ts";
import type { Notice } from "../api/notices.ts";
import type { OutMessage } from "../api/outbox.ts";
import type { PendingCommand, Verdict } from "../api/requests.ts";
import type { SetCard, TradeCard } from "../api/views.ts";
import type { ExternalOrder } from "../domain/external.ts";
import type { Fill } from "../domain/fill.ts";
import type { ConditionId, Market, MarketGroup, OutcomeIndex, RuleHash } from "../domain/market.ts";
import type { Shares, Usd } from "../domain/numbers.ts";
import type { Order, OrderStatus } from "../domain/order.ts";
import type { RequestTiming } from "../domain/order-timing.ts";
import type { ActionFailure, Claim, PositionAction } from "../domain/position-action.ts";
import type {
  DegradedSource,
  Denial,
  HaltReason,
  ReducingReason,
  RejectReason,
} from "../domain/reasons.ts";
import type { Card } from "../protocol/card.ts";
import type { Evidence, Plan } from "../protocol/plan.ts";
import type { Replacement } from "../protocol/replacement.ts";
import type { Breaker, VenueMode } from "./control-state.ts";

/** A card of either kind as the engine keeps it. */
export type DeskCard = Card<TradeCard | SetCard | ActionCard>;

/**
 * What happened, as decided: one ledger row each. Folding them in order gives the state again without deciding again.
 * A kind is never reused for something else.
 */
export type Fact =
  | {
      readonly kind: "run.started";
      readonly mode: string;
      readonly configHash: string;
      readonly codeVersion: string;
    }
  | { readonly kind: "command.received"; readonly command: PendingCommand }
  | {
      readonly kind: "command.answered";
      readonly commandId: string;
      readonly userId: number;
      readonly verdict: Verdict;
      readonly reason: string;
    }
  | { readonly kind: "message.queued"; readonly message: OutMessage }
  | {
      readonly kind: "message.sent";
      readonly key: string;
      readonly telegramMessageId: number | null;
    }
  | {
      readonly kind: "message.failed";
      readonly key: string;
      readonly reason: string;
      readonly retryAtMs: number | null;
    }
  | { readonly kind: "notice.raised"; readonly notice: Notice; readonly tells: readonly Told[] }
  | { readonly kind: "notices.told"; readonly upTo: number }
  | {
      readonly kind: "markets.listed";
      readonly markets: readonly Market[];
      readonly groups: readonly MarketGroup[];
    }
  /** What decides how the market pays was edited; the hashes say from what to what. */
  | {
      readonly kind: "market.rules-edited";
      readonly conditionId: string;
      readonly from: RuleHash;
      readonly to: RuleHash;
    }
  /** A person read the edited terms: strategies may trade the market again. */
  | {
      readonly kind: "market.rules-accepted";
      readonly conditionId: string;
      readonly ruleHash: RuleHash;
      readonly byUserId: number;
    }
  | { readonly kind: "card.created"; readonly card: DeskCard }
  | { readonly kind: "card.closed"; readonly nonce: string; readonly state: DeskCard["state"] }
  | {
      readonly kind: "plan.approved";
      readonly plan: Plan;
      readonly orders: readonly Order[];
      readonly evidence: readonly Evidence[];
      readonly configHash: string;
      readonly codeVersion: string;
    }
  | {
      readonly kind: "order.acked";
      readonly clientOid: string;
      readonly state: "live" | "matched" | "delayed";
    }
  /** The venue said no; one look by hash must confirm that it holds nothing before the reservation is released. */
  | {
      readonly kind: "order.refused";
      readonly clientOid: string;
      readonly reason: RejectReason;
      readonly detail: string;
    }
  | { readonly kind: "order.unknown"; readonly clientOid: string; readonly detail: string }
  /** How long the newest request of the order took, as the runtime measured it. */
  | {
      readonly kind: "order.timed";
      readonly clientOid: string;
      readonly timing: RequestTiming;
    }
  | { readonly kind: "order.absent"; readonly clientOid: string }
  | {
      readonly kind: "order.reported";
      readonly clientOid: string;
      readonly matched: Shares;
      readonly done: boolean;
      readonly delayed?: true;
    }
  | {
      readonly kind: "order.closed";
      readonly clientOid: string;
      readonly status: Extract<OrderStatus, "filled" | "canceled" | "rejected">;
      readonly reason: RejectReason | null;
      readonly detail: string;
    }
  /** A correction: the venue holds an order that was proven absent or refused before. */
  | { readonly kind: "order.reopened"; readonly clientOid: string }
  | { readonly kind: "replace.started"; readonly replacement: Replacement }
  /** With the plan of the new order, or with why there is none; the old order is gone either way. */
  | {
      readonly kind: "replace.ended";
      readonly replaceId: string;
      readonly planId: string | null;
      readonly denial: Denial | null;
    }
  | { readonly kind: "cancel.asked"; readonly clientOids: readonly string[]; readonly by: string }
  | { readonly kind: "fill.recorded"; readonly fill: Fill; readonly clientOid: string }
  | {
      readonly kind: "fill.settled";
      readonly fillId: string;
      readonly status: "confirmed" | "failed";
    }
  /** An open order on our account that this desk did not place, or news of it. */
  | { readonly kind: "external.order"; readonly order: ExternalOrder }
  | { readonly kind: "external.closed"; readonly orderHash: string }
  /** Who asked for its cancel; the order stays until the venue no longer shows it. */
  | { readonly kind: "external.cancel"; readonly orderHash: string; readonly by: string }
  | { readonly kind: "external.fill"; readonly fill: Fill }
  /** The market of somebody else's fill was read: where it belongs and what it cost in fees. */
  | {
      readonly kind: "external.learned";
      readonly fillId: string;
      readonly conditionId: ConditionId;
      readonly outcome: OutcomeIndex;
      readonly fee: Usd;
    }
  /** A market ended: winning shares became claims of one dollar each, the others are worth nothing. */
  | {
      readonly kind: "market.settled";
      readonly conditionId: string;
      readonly winningTokenId: string;
    }
  /** The venue holds fewer shares than we do: so many may be sold; null when it holds enough again. */
  | { readonly kind: "shares.reported"; readonly tokenId: string; readonly shares: Shares | null }
  /** A lasting difference, set to the venue's figure. The id is made of what it corrects: applied once. */
  | {
      readonly kind: "position.corrected";
      readonly correctionId: string;
      readonly tokenId: string;
      readonly shares: Shares;
    }
  /** Bytes, nonce and reservation of one contract call, before anything leaves. */
  | {
      readonly kind: "position.action.approved";
      readonly action: PositionAction;
      readonly configHash: string;
      readonly codeVersion: string;
    }
  /** The node or the relayer has taken it. */
  | {
      readonly kind: "position.action.sent";
      readonly actionId: string;
      readonly reference: string;
    }
  /** The same bytes may leave once more. */
  | { readonly kind: "position.action.resent"; readonly actionId: string }
  | { readonly kind: "position.action.unknown"; readonly actionId: string; readonly detail: string }
  /** Final on the chain: its shares and dollars move in the books now. */
  | {
      readonly kind: "position.action.confirmed";
      readonly actionId: string;
      readonly reference: string;
      readonly gasUsd: Usd;
    }
  | {
      readonly kind: "position.action.failed";
      readonly actionId: string;
      readonly failure: ActionFailure;
      readonly reference: string | null;
      readonly gasUsd: Usd;
      readonly detail: string;
    }
  /** Shares of a resolved market that wait to be redeemed. */
  | { readonly kind: "claim.opened"; readonly claim: Claim }
  /** Its shares are gone: somebody else has redeemed or paid them. */
  | { readonly kind: "claim.closed"; readonly conditionId: string }
  | { readonly kind: "cash.reported"; readonly cash: Usd; readonly rebase: boolean }
  | {
      readonly kind: "trading.killed";
      readonly byUserId: number | null;
      readonly note: string;
      readonly open: readonly string[];
      readonly external?: readonly ExternalOrder[];
    }
  | { readonly kind: "kill.reported"; readonly settled: boolean }
  | {
      readonly kind: "resume.asked";
      readonly nonce: string;
      readonly userId: number;
      readonly chatId: number;
      readonly readyAtMs: number;
      readonly expiresAtMs: number;
    }
  /** A kill of a killed desk took the open offer away. */
  | { readonly kind: "resume.withdrawn" }
  | { readonly kind: "trading.resumed"; readonly byUserId: number }
  /** A one-time code was used to resume: its step and every earlier one are used up. */
  | { readonly kind: "resume.code-used"; readonly step: number }
  /** One more code in a row that was wrong or used before; with a lock none is taken for so long. */
  | {
      readonly kind: "resume.code-refused";
      readonly userId: number;
      readonly refused: number;
      readonly lockMs: number | null;
    }
  | { readonly kind: "trading.halted"; readonly reason: HaltReason; readonly detail: string }
  | { readonly kind: "trading.ready" }
  /** From now on new risk is refused for exactly these causes; none of them: it is taken again. */
  | { readonly kind: "reducing.changed"; readonly causes: readonly ReducingReason[] }
  /** Another part of the desk asks for no new risk, or (null) withdraws that. */
  | {
      readonly kind: "desk.degraded";
      readonly source: DegradedSource;
      readonly detail: string | null;
    }
  | { readonly kind: "account.closed-only" }
  /** One more piece of evidence; those up to `sinceMs` do not count any more. */
  | { readonly kind: "breaker.counted"; readonly breaker: Breaker; readonly sinceMs: number }
  | { readonly kind: "breaker.cleared"; readonly breaker: Breaker }
  /** A strategy was applied to the same token and side too often: its side waits for a resume. */
  | { readonly kind: "strategy.locked"; readonly lock: string; readonly executions: number }
  /** What the venue takes from now on, until when that is assumed, and how often in a row it was found off. */
  | {
      readonly kind: "venue.mode";
      readonly mode: VenueMode;
      readonly untilMs: number | null;
      readonly tries: number;
    };

/** Which step of an order's or plan's life a notice told, so that it is told once. */
export type Told = { readonly subject: string; readonly step: string };
