import type { Fill } from "../../src/engine/domain/fill.ts";
import { isOpen, type Order } from "../../src/engine/domain/order.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import { applyFact } from "../../src/engine/state/apply-fact.ts";
import { canonicalState } from "../../src/engine/state/digest.ts";
import { createState, type EngineState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import { type Exchange, isOpenThere, type SimTrade } from "./exchange.ts";
import type { Judge } from "./judge.ts";
import type { PressRecord } from "./press-record.ts";
import { factOf } from "./sim-log.ts";

export type WitnessParts = {
  readonly judge: Judge;
  readonly settings: EngineSettings;
  readonly exchange: Exchange;
  readonly presses: PressRecord;
};

/** Rows that only the chat knows: they change neither orders nor fills, shares or cash. */
const chatOnly: ReadonlySet<Fact["kind"]> = new Set([
  "command.received",
  "command.answered",
  "message.queued",
  "message.sent",
  "message.failed",
  "notice.raised",
  "notices.told",
  "card.created",
  "card.closed",
  "markets.listed",
]);

/** Follows one life of the engine: folds its rows beside it and judges each row and each state that comes of them. */
export class Witness {
  /** The rows that this life handed to its log, in order. */
  readonly bodies: string[] = [];
  readonly #parts: WitnessParts;
  /** What the ledger's rows say, folded beside the engine. */
  readonly #shadow = createState();
  readonly #ended = new Map<string, string>();
  readonly #settled = new Map<string, string>();
  /** Shares that corrections took off, by token. */
  readonly #gone = new Map<string, number>();
  /** Shares that contract calls gave (or took, negative), by token. */
  readonly #called = new Map<string, number>();
  #expectedCash: number | null = null;
  #seenSeq = -1;
  /** Rows came since the last look that the books are made of. */
  #hasNews = true;

  constructor(parts: WitnessParts, records: readonly LogRecord[]) {
    this.#parts = parts;
    for (const record of records) this.#take(record, false);
  }

  /** The engine hands rows to its log. */
  appended(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.bodies.push(record.body);
      this.#take(record, true);
    }
  }

  #take(record: LogRecord, isNew: boolean): void {
    const fact = factOf(record);
    if (!chatOnly.has(fact.kind)) this.#hasNews = true;
    this.#judgeFact(fact, isNew, record.atMs);
    if (fact.kind === "position.action.confirmed") this.#moveByCall(fact.actionId);
    applyFact(this.#shadow, fact, record.atMs);
    if (isNew && fact.kind === "plan.approved") this.#judgeExposure(fact.orders);
  }

  #judgeFact(fact: Fact, isNew: boolean, atMs: number): void {
    const { judge } = this.#parts;
    this.#followCash(fact);
    if (fact.kind === "command.answered") {
      const isFirst = !this.#shadow.answered.has(fact.commandId);
      judge.must(isFirst, "P7", () => `${fact.commandId} is answered twice`);
    } else if (fact.kind === "order.closed") {
      const order = this.#shadow.orders.get(fact.clientOid);
      const isFirst = order !== undefined && isOpen(order);
      judge.must(isFirst, "P13", () => `${fact.clientOid} is closed a second time`);
    } else if (fact.kind === "position.corrected") {
      const before = this.#shadow.positions.get(fact.tokenId)?.confirmed ?? 0;
      const gone = Math.max(0, before - fact.shares);
      this.#gone.set(fact.tokenId, (this.#gone.get(fact.tokenId) ?? 0) + gone);
    } else if (fact.kind === "order.reopened") {
      // The one explicit way out of an end.
      this.#ended.delete(fact.clientOid);
    }
    if (fact.kind !== "plan.approved") return;
    this.#judgePlan(fact, isNew, atMs);
    for (const order of fact.orders) {
      const named = order.userId > 0 && order.commandId !== "" && order.planId !== "";
      const traced =
        named &&
        typeof order.strategy === "string" &&
        fact.configHash !== "" &&
        fact.codeVersion !== "";
      judge.must(traced, "P14", () => `${order.clientOid} cannot be attributed`);
    }
  }

  /** What the rows say of cash, by arithmetic of the witness's own. */
  #followCash(fact: Fact): void {
    if (fact.kind === "cash.reported" && (fact.rebase || this.#expectedCash === null)) {
      this.#expectedCash = fact.cash;
    } else if (fact.kind === "fill.recorded" || fact.kind === "external.fill") {
      if (fact.fill.status !== "failed") this.#moveCash(fact.fill, 1);
    } else if (fact.kind === "fill.settled" && fact.status === "failed") {
      const fill = this.#shadow.fills.get(fact.fillId);
      if (fill !== undefined) this.#moveCash(fill, -1);
    } else if (fact.kind === "external.learned") {
      const isBooked = this.#shadow.fills.get(fact.fillId)?.status !== "failed";
      if (isBooked && this.#expectedCash !== null) this.#expectedCash -= fact.fee;
    }
  }

  /** A confirmation is used once, by its user, for exactly what was shown, in time. */
  #judgePlan(fact: Extract<Fact, { kind: "plan.approved" }>, isNew: boolean, atMs: number): void {
    const { judge, presses } = this.#parts;
    const { plan } = fact;
    const must = (holds: boolean, detail: string) =>
      judge.must(holds, "P5", () => `plan ${plan.planId}: ${detail}`);
    for (const other of this.#shadow.plans.values()) {
      must(other.nonce !== plan.nonce, `card ${plan.nonce} is used twice`);
      must(other.commandId !== plan.commandId, `command ${plan.commandId} made two plans`);
    }
    if (!isNew) return;
    const card = this.#shadow.cards.get(plan.nonce);
    must(card !== undefined, "has no card");
    if (card === undefined) return;
    must(card.userId === plan.userId && card.chatId === plan.chatId, "is another user's card");
    const replacement = this.#shadow.replacements.get(plan.nonce);
    const endsAtMs = replacement?.expiresAtMs ?? card.expiresAtMs;
    must(atMs < endsAtMs, "the card was expired");
    const drafts = fact.orders.map((order) => order.draft);
    const sent = JSON.stringify(drafts);
    if (replacement === undefined) {
      must(JSON.stringify(card.drafts) === sent, "orders differ from what the card showed");
    } else {
      // A price change sends what the old order left, at most what was shown.
      const size = drafts[0]?.size ?? Number.POSITIVE_INFINITY;
      const shown = card.drafts.map((draft) => ({ ...draft, size }));
      must(JSON.stringify(shown) === sent, "the new order differs from what the card showed");
      must(size <= replacement.draft.size, "asks for more than the card showed");
      this.#judgeReplacement(replacement.clientOid, size);
    }
    const bodies = fact.orders.map((order) => JSON.parse(order.body) as { draft: unknown });
    must(JSON.stringify(bodies.map((body) => body.draft)) === sent, "signed other orders");
    const pressed = presses.isPress(plan.commandId, plan.userId, plan.nonce);
    must(pressed, `${plan.commandId} is no press of this card by user ${plan.userId}`);
  }

  /** Never both: the old order is over at the venue, and the new one is no more than it left. */
  #judgeReplacement(clientOid: string, size: number): void {
    const { judge, exchange } = this.#parts;
    const old = exchange.orders.get(this.#shadow.orders.get(clientOid)?.orderHash ?? "");
    judge.must(
      old !== undefined && !isOpenThere(old),
      "P3",
      () => `${clientOid} and its replacement both rest`,
    );
    // A match that failed on the chain never was one.
    const matched = exchange.matchedFor(old?.hash ?? "");
    const whole = old?.draft.size ?? 0;
    judge.must(
      matched + size <= whole,
      "P3",
      () => `${clientOid} matched ${matched} of ${whole}, its replacement asks for ${size}`,
    );
  }

  #moveByCall(actionId: string): void {
    const terms = this.#shadow.actions.get(actionId)?.terms;
    if (terms === undefined) return;
    const move = (tokenId: string, size: number) =>
      this.#called.set(tokenId, (this.#called.get(tokenId) ?? 0) + size);
    for (const { tokenId, size } of terms.takes) move(tokenId, 0 - size);
    for (const { tokenId, size } of terms.gives) move(tokenId, size);
    if (this.#expectedCash !== null) this.#expectedCash += terms.givesUsd - terms.takesUsd;
  }

  #moveCash(fill: Fill, sign: 1 | -1): void {
    if (this.#expectedCash === null) return;
    const flow = fill.side === "buy" ? -(fill.money + fill.fee) : fill.money - fill.fee;
    this.#expectedCash += sign * flow;
  }

  /** Caps at the moment of an approval, by arithmetic of the witness's own on the folded ledger. */
  #judgeExposure(approved: readonly Order[]): void {
    if (approved.every((order) => order.draft.side === "sell")) return;
    const { risk } = this.#parts.settings;
    const { judge } = this.#parts;
    const byToken = new Map<string, number>();
    const byMarket = new Map<string, number>();
    let total = 0;
    const add = (tokenId: string, conditionId: string, amount: number) => {
      byToken.set(tokenId, (byToken.get(tokenId) ?? 0) + amount);
      byMarket.set(conditionId, (byMarket.get(conditionId) ?? 0) + amount);
      total += amount;
    };
    for (const held of this.#shadow.positions.values()) {
      add(held.tokenId, held.conditionId, Math.max(0, held.cost));
    }
    for (const order of this.#shadow.orders.values()) {
      const { draft } = order;
      if (!isOpen(order) || draft.side === "sell") continue;
      const money =
        draft.spend !== null
          ? draft.spend - order.filledUsd
          : Math.ceil((draft.limit * (draft.size - order.filled)) / 10_000);
      const fee = Math.max(0, order.feeReserve - order.feesUsd);
      add(draft.tokenId, draft.conditionId, Math.max(0, money) + fee);
    }
    judge.must(total <= risk.maxExposureTotalUsd, "P3", () => `total exposure ${total}`);
    for (const { draft } of approved) {
      const onToken = byToken.get(draft.tokenId) ?? 0;
      const onMarket = byMarket.get(draft.conditionId) ?? 0;
      judge.must(onToken <= risk.maxExposurePerOutcomeUsd, "P3", () => `outcome at ${onToken}`);
      judge.must(onMarket <= risk.maxExposurePerMarketUsd, "P3", () => `market at ${onMarket}`);
    }
  }

  /** The state and the fold of its rows are one. */
  judgeDigest(state: EngineState, text = canonicalState(state)): void {
    const equal = text === canonicalState(this.#shadow);
    this.#parts.judge.must(equal, "P9", () => `state and folded ledger differ at row ${state.seq}`);
  }

  /** After every event that may have changed the state. */
  afterEvent(state: EngineState, diskFailed: boolean): void {
    if (state.seq === this.#seenSeq) return;
    this.#seenSeq = state.seq;
    if (!this.#hasNews && state.seq === this.#shadow.seq) return;
    this.#hasNews = false;
    this.#judgeEnds(state);
    this.#judgeFills(state);
    // After its disk failed a process lives on without a ledger, until the operator ends it.
    if (diskFailed) return;
    this.#judgePositions(state);
    const cash = this.#expectedCash;
    this.#parts.judge.must(
      state.cash === cash,
      "conservation",
      () => `cash ${state.cash}, expected ${cash}`,
    );
  }

  #judgeEnds(state: EngineState): void {
    const { judge } = this.#parts;
    for (const order of state.orders.values()) {
      const before = this.#ended.get(order.clientOid);
      if (before !== undefined) {
        judge.must(
          before === order.status,
          "P13",
          () => `${order.clientOid} went from ${before} to ${order.status}`,
        );
      } else if (!isOpen(order)) this.#ended.set(order.clientOid, order.status);
    }
  }

  #judgeFills(state: EngineState): void {
    const { judge } = this.#parts;
    for (const fill of state.fills.values()) {
      const before = this.#settled.get(fill.fillId);
      const stays = before === undefined || before === fill.status;
      judge.must(stays, "P13", () => `fill ${fill.fillId} went from ${before} to ${fill.status}`);
      if (before === undefined && fill.unread !== true) this.#judgeFill(fill);
      if (fill.status !== "provisional") this.#settled.set(fill.fillId, fill.status);
    }
  }

  /** What is held is what was bought less what was sold, failed fills and corrections aside. */
  #judgePositions(state: EngineState): void {
    const { judge, exchange } = this.#parts;
    const held = new Map<string, number>();
    for (const fill of state.fills.values()) {
      if (fill.status === "failed" || fill.absorbed === true) continue;
      const size = fill.side === "buy" ? fill.size : 0 - fill.size;
      held.set(fill.tokenId, (held.get(fill.tokenId) ?? 0) + size);
    }
    for (const position of state.positions.values()) {
      // A market that ended paid its shares out: its fills say no more what is held.
      if (exchange.books.get(position.conditionId)?.winner != null) continue;
      const { confirmed, provisionalBought, provisionalSold, tokenId } = position;
      const own = confirmed + provisionalBought - provisionalSold;
      const called = this.#called.get(tokenId) ?? 0;
      const sum = (held.get(tokenId) ?? 0) + called - (this.#gone.get(tokenId) ?? 0);
      judge.must(own === sum, "conservation", () => `${own} of ${tokenId}, fills say ${sum}`);
    }
  }

  #judgeFill(fill: Fill): void {
    const { judge } = this.#parts;
    const trade = this.#tradeOf(fill);
    const same = trade !== undefined && trade.size === fill.size && trade.money === fill.money;
    judge.must(same, "P2", () => `fill ${fill.fillId} is no trade of the venue`);
    judge.must(
      trade === undefined || trade.fee === fill.fee,
      "conservation",
      () => `fee ${fill.fee} of ${fill.fillId}, venue ${trade?.fee}`,
    );
  }

  #tradeOf(fill: Fill): SimTrade | undefined {
    const trade = this.#parts.exchange.trades[Number(fill.tradeId.slice(1)) - 1];
    return trade?.orderHash === fill.orderHash ? trade : undefined;
  }
}
