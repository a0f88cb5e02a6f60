import type { ConfirmOutcome } from "../../src/engine/api/engine-api.ts";
import type { Fill } from "../../src/engine/domain/fill.ts";
import { isOpen, type Order, type PreparedOrder } from "../../src/engine/domain/order.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import { applyFact } from "../../src/engine/state/apply-fact.ts";
import { canonicalState } from "../../src/engine/state/digest.ts";
import { createState, type EngineState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import type { Exchange, SimTrade } from "./exchange.ts";
import type { Disk } from "./sim-log.ts";
import type { Wire } from "./sim-venue.ts";

/**
 * Which property of the design does not hold. "told": what a trader is told is durable already; "engine": an invariant of
 * the engine's own.
 */
export const properties = [
  ...(["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P9", "P10", "P11", "P12", "P13", "P14"] as const),
  ...(["conservation", "told", "engine"] as const),
] as const;

export type Property = (typeof properties)[number];

export type Violation = { readonly property: Property; readonly detail: string };

/** One life of the engine, as the checkers see it. */
export type ProcessView = {
  readonly state: EngineState;
  /** A kill was accepted in this life, or the last one, and no resume came after it. */
  readonly killed: boolean;
  readonly leaseHeld: boolean;
  readonly diskFailed: boolean;
};

export type CheckersParts = {
  readonly settings: EngineSettings;
  readonly exchange: Exchange;
  readonly disk: Disk;
  readonly wire: Wire;
  readonly process: () => ProcessView | null;
  /** Not judged, to look past something known. */
  readonly ignored: ReadonlySet<Property>;
};

/** The first send and the three reposts that the engine may make. */
const maxSends = 4;
const digestEverySeq = 150;

/** Judges the engine by the venue's truth and by the ledger; keeps the first thing that does not hold. */
export class Checkers {
  violation: Violation | null = null;
  readonly #parts: CheckersParts;
  readonly #sends = new Map<string, number>();
  /** What the ledger's rows say, folded beside the engine. */
  #shadow = createState();
  #expectedCash: number | null = null;
  #seenSeq = -1;
  #digestAtSeq = 0;
  #ended = new Map<string, string>();
  #settled = new Map<string, string>();

  constructor(parts: CheckersParts) {
    this.#parts = parts;
  }

  violate(property: Property, detail: string): void {
    if (this.#parts.ignored.has(property)) return;
    this.violation ??= { property, detail };
  }

  #must(holds: boolean, property: Property, detail: () => string): void {
    if (!holds) this.violate(property, detail());
  }

  /** The first byte of an order leaves the process. */
  postStarted(order: PreparedOrder): void {
    const { disk, process, exchange } = this.#parts;
    const { orderHash } = order;
    const body = disk.bodies.get(orderHash);
    this.#must(
      body !== undefined,
      "P1",
      () => `${orderHash} is sent but not durable in the ledger`,
    );
    this.#must(
      body === undefined || body === order.body,
      "P1",
      () => `${orderHash} has other bytes`,
    );
    const sends = (this.#sends.get(orderHash) ?? 0) + 1;
    this.#sends.set(orderHash, sends);
    this.#must(sends <= maxSends, "P11", () => `${orderHash} is sent ${sends} times`);
    const now = process();
    if (now === null) return;
    this.#must(!now.killed, "P4", () => `${orderHash} is sent after a kill was accepted`);
    this.#must(!disk.killed, "P4", () => `${orderHash} is sent while the ledger says killed`);
    this.#must(now.leaseHeld, "P12", () => `${orderHash} is sent without the lease`);
    this.#must(!now.diskFailed, "P6", () => `${orderHash} is sent after the disk failed`);
    const own = now.state.orders.get(now.state.oidByHash.get(orderHash) ?? "");
    const wanted = own !== undefined && isOpen(own) && own.cancelAskedAtMs === null;
    this.#must(
      wanted,
      "P1",
      () => `${orderHash} is sent although it ended or its cancel was asked`,
    );
    const booked = exchange.orders.get(orderHash);
    this.#must(booked?.state !== "live", "P1", () => `${orderHash} is sent again while it rests`);
  }

  /** A trader is told that his orders are being sent. */
  accepted(outcome: ConfirmOutcome): void {
    if (outcome.kind !== "accepted") return;
    for (const order of outcome.orders) {
      const kept = this.#parts.disk.bodies.has(order.orderHash);
      this.#must(kept, "told", () => `${order.orderHash} is called accepted but is not durable`);
    }
  }

  /** The engine hands rows to its log. */
  appended(records: readonly LogRecord[]): void {
    for (const record of records) {
      const fact = JSON.parse(record.body) as Fact;
      this.#judgeFact(fact);
      applyFact(this.#shadow, fact, record.atMs);
      if (fact.kind === "plan.approved") this.#judgeExposure(fact.orders);
    }
  }

  #judgeFact(fact: Fact): void {
    const shadow = this.#shadow;
    if (fact.kind === "cash.reported" && (fact.rebase || this.#expectedCash === null)) {
      this.#expectedCash = fact.cash;
    } else if (fact.kind === "fill.recorded" && fact.fill.status !== "failed") {
      this.#moveCash(fact.fill, 1);
    } else if (fact.kind === "fill.settled" && fact.status === "failed") {
      const fill = shadow.fills.get(fact.fillId);
      if (fill !== undefined) this.#moveCash(fill, -1);
    }
    if (fact.kind !== "plan.approved") return;
    for (const plan of shadow.plans.values()) {
      this.#must(plan.nonce !== fact.plan.nonce, "P5", () => `card ${plan.nonce} is used twice`);
    }
    for (const order of fact.orders) {
      const named =
        order.userId > 0 &&
        order.commandId !== "" &&
        order.planId !== "" &&
        order.strategy !== undefined;
      const traced = named && fact.configHash !== "" && fact.codeVersion !== "";
      this.#must(traced, "P14", () => `${order.clientOid} cannot be attributed`);
    }
  }

  #moveCash(fill: Fill, sign: 1 | -1): void {
    if (this.#expectedCash === null) return;
    const flow = fill.side === "buy" ? -(fill.money + fill.fee) : fill.money - fill.fee;
    this.#expectedCash += sign * flow;
  }

  /** Caps at the moment of an approval, by arithmetic of the checker's own on the folded ledger. */
  #judgeExposure(approved: readonly Order[]): void {
    if (approved.every((order) => order.draft.side === "sell")) return;
    const { risk } = this.#parts.settings;
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
    this.#must(total <= risk.maxExposureTotalUsd, "P3", () => `total exposure ${total}`);
    for (const { draft } of approved) {
      const onToken = byToken.get(draft.tokenId) ?? 0;
      const onMarket = byMarket.get(draft.conditionId) ?? 0;
      this.#must(onToken <= risk.maxExposurePerOutcomeUsd, "P3", () => `outcome at ${onToken}`);
      this.#must(onMarket <= risk.maxExposurePerMarketUsd, "P3", () => `market at ${onMarket}`);
    }
  }

  /** A process died: the ledger is what reached the disk. */
  crashed(): void {
    this.#shadow = createState();
    this.#expectedCash = null;
    for (const record of this.#parts.disk.records) {
      const fact = JSON.parse(record.body) as Fact;
      this.#judgeFact(fact);
      applyFact(this.#shadow, fact, record.atMs);
    }
    this.#ended = new Map();
    this.#settled = new Map();
    this.#seenSeq = -1;
    this.#digestAtSeq = 0;
  }

  /** A process folded the ledger and is about to start. */
  restarted(state: EngineState): void {
    const { killed } = this.#parts.disk;
    this.#must((state.killed !== null) === killed, "P4", () => "a kill does not survive a restart");
    this.judgeDigest(state);
  }

  judgeDigest(state: EngineState): void {
    this.#digestAtSeq = state.seq;
    const equal = canonicalState(state) === canonicalState(this.#shadow);
    this.#must(equal, "P9", () => `state and folded ledger differ at row ${state.seq}`);
  }

  /** After every event. */
  afterEvent(): void {
    const now = this.#parts.process();
    if (now === null) return;
    const { state } = now;
    this.#judgeReservations(state);
    if (state.seq === this.#seenSeq) return;
    this.#seenSeq = state.seq;
    this.#judgeEnds(state);
    this.#judgeFills(state);
    // After its disk failed a process lives on without a ledger, until the operator ends it.
    if (now.diskFailed) return;
    const cash = this.#expectedCash;
    this.#must(state.cash === cash, "conservation", () => `cash ${state.cash}, expected ${cash}`);
    if (state.seq - this.#digestAtSeq >= digestEverySeq) this.judgeDigest(state);
  }

  /** What the venue holds or is about to hold of ours must be reserved: its order is known and open. */
  #judgeReservations(state: EngineState): void {
    const { exchange, wire } = this.#parts;
    const judge = (hash: string) => {
      const order = state.orders.get(state.oidByHash.get(hash) ?? "");
      this.#must(order !== undefined, "P1", () => `the venue has ${hash}, which no intent made`);
      if (order === undefined || isOpen(order)) return;
      this.violate(
        "P3",
        `${hash} can still be filled but is ${order.status}: not reserved any more`,
      );
    };
    for (const order of exchange.orders.values()) if (order.state === "live") judge(order.hash);
    for (const hash of wire.keys()) if (!exchange.orders.has(hash)) judge(hash);
  }

  #judgeEnds(state: EngineState): void {
    for (const order of state.orders.values()) {
      const before = this.#ended.get(order.clientOid);
      if (before !== undefined) {
        const stays = before === order.status;
        this.#must(stays, "P13", () => `${order.clientOid} went from ${before} to ${order.status}`);
      } else if (!isOpen(order)) this.#ended.set(order.clientOid, order.status);
    }
  }

  #judgeFills(state: EngineState): void {
    const held = new Map<string, number>();
    for (const fill of state.fills.values()) {
      const before = this.#settled.get(fill.fillId);
      const stays = before === undefined || before === fill.status;
      this.#must(stays, "P13", () => `fill ${fill.fillId} went from ${before} to ${fill.status}`);
      if (before === undefined) this.#judgeFill(fill);
      if (fill.status !== "provisional") this.#settled.set(fill.fillId, fill.status);
      if (fill.status === "failed") continue;
      const size = fill.side === "buy" ? fill.size : 0 - fill.size;
      held.set(fill.tokenId, (held.get(fill.tokenId) ?? 0) + size);
    }
    for (const position of state.positions.values()) {
      const { confirmed, provisionalBought, provisionalSold, tokenId } = position;
      const own = confirmed + provisionalBought - provisionalSold;
      const sum = held.get(tokenId) ?? 0;
      this.#must(own === sum, "conservation", () => `${own} of ${tokenId}, fills say ${sum}`);
    }
  }

  #judgeFill(fill: Fill): void {
    const trade = this.#tradeOf(fill);
    const same = trade !== undefined && trade.size === fill.size && trade.money === fill.money;
    this.#must(same, "P2", () => `fill ${fill.fillId} is no trade of the venue`);
    const feeSame = trade === undefined || trade.fee === fill.fee;
    this.#must(
      feeSame,
      "conservation",
      () => `fee ${fill.fee} of ${fill.fillId}, venue ${trade?.fee}`,
    );
  }

  #tradeOf(fill: Fill): SimTrade | undefined {
    const trade = this.#parts.exchange.trades[Number(fill.tradeId.slice(1)) - 1];
    return trade?.orderHash === fill.orderHash ? trade : undefined;
  }
}
