import type { FillReport } from "../../src/engine/domain/fill.ts";
import type { Shares, Usd } from "../../src/engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../src/engine/domain/order.ts";
import type { Denial } from "../../src/engine/domain/reasons.ts";
import { err, ok, type Result } from "../../src/engine/lib/result.ts";
import type { OrderUniqueness, VenuePort } from "../../src/engine/ports/venue.ts";
import type {
  AccountEvent,
  CancelOutcome,
  PostOutcome,
  QueryOutcome,
  VenueOrder,
} from "../../src/engine/protocol/venue-report.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import type { Chance } from "./chance.ts";
import {
  fillOf,
  isOpenThere,
  type OrderBody,
  reportOf,
  type SimOrder,
  type SimTrade,
} from "./exchange.ts";
import {
  answerTimeoutMs,
  type PostFault,
  PostWire,
  type PostWireParts,
  postFaults,
} from "./post-wire.ts";

/** The list of trades shows a trade at the latest this long after it. */
const longestLagMs = 4_000;
const readFaults = { none: 90, failed: 7, slow: 4 } as const;

export type SimVenueParts = PostWireParts & {
  /** In some worlds a look-up shows only orders that rest (reliability 9.3: the documents disagree). */
  readonly hidesEnded: boolean;
  /** The machine's wall clock less the venue's. */
  readonly clockOffsetMs: () => number;
  /** The grid of a market changes while an order for it waits. */
  readonly changeTick: (conditionId: string) => void;
  /** The lease goes while a request waits for its connection. */
  readonly loseLease: () => void;
  /** The first byte of an order leaves now. */
  readonly onPostStart: (order: PreparedOrder) => void;
};

/** The exchange as one engine process sees it: every request can meet a fault that its seed has for it. */
export class SimVenue implements VenuePort {
  readonly account = { signer: "0xsigner", funder: "0xfunder" };
  readonly #parts: SimVenueParts;
  readonly #posts: PostWire;
  #listener: ((event: AccountEvent) => void) | null = null;
  #up = true;
  #epoch = 1;

  constructor(parts: SimVenueParts) {
    this.#parts = parts;
    this.#posts = new PostWire(parts);
  }

  connect(): Promise<Result<{ readonly clockOffsetMs: number }, string>> {
    return this.#read("connect", () => ok({ clockOffsetMs: 0 - this.#parts.clockOffsetMs() }));
  }

  async readTime(): Promise<
    Result<{ readonly venueMs: number; readonly roundTripMs: number }, string>
  > {
    const { scheduler } = this.#parts;
    const startedAtMs = scheduler.nowMs;
    const read = await this.#read("time", () => ok(scheduler.nowMs));
    if (!read.ok) return read;
    const roundTripMs = scheduler.nowMs - startedAtMs;
    return ok({ venueMs: read.value + roundTripMs / 2, roundTripMs });
  }

  prepare(draft: OrderDraft, unique: OrderUniqueness): PreparedOrder {
    const body = JSON.stringify({ ...unique, draft });
    return { orderHash: `0x${plainHasher.sha256Hex(body)}`, body };
  }

  /** A request waits for its connection; the gate is asked when it gets it. */
  post(order: PreparedOrder, gate: () => Denial | null): Promise<PostOutcome> {
    const { faults, life, loseLease } = this.#parts;
    const { fault, chance } = faults.decide("post", order.orderHash, postFaults);
    const { promise, resolve, reject } = Promise.withResolvers<PostOutcome>();
    const waitMs = chance.happens(0.1) ? chance.int(100, 2_000) : chance.int(0, 20);
    if (faults.on && chance.happens(0.006)) {
      faults.count("lease.lost-mid-send");
      life.after(waitMs, loseLease);
    }
    if (faults.on && chance.happens(0.012)) {
      const { draft } = JSON.parse(order.body) as OrderBody;
      faults.count("race.tick-changed-after-signing");
      this.#parts.changeTick(draft.conditionId);
    }
    life.after(waitMs, () => {
      try {
        const denial = gate();
        if (denial !== null) resolve({ kind: "blocked", denial });
        else resolve(this.send(order, fault, chance));
      } catch (error) {
        reject(error);
        throw error;
      }
    });
    return promise;
  }

  /** The bytes leave. */
  send(order: PreparedOrder, fault: PostFault, chance: Chance): Promise<PostOutcome> {
    this.#parts.onPostStart(order);
    return this.#posts.send(order, fault, chance);
  }

  cancel(orderHashes: readonly string[]): Promise<CancelOutcome> {
    return this.#cancel(orderHashes.join("+"), () => orderHashes);
  }

  cancelAll(): Promise<CancelOutcome> {
    return this.#cancel("all", () => {
      if (this.#parts.wire.size > 0) this.#parts.faults.count("race.booked-after-cancel-all");
      return this.#parts.exchange.open().map((order) => order.hash);
    });
  }

  #cancel(id: string, hashes: () => readonly string[]): Promise<CancelOutcome> {
    const { exchange, faults, scheduler, mode, life } = this.#parts;
    const { fault, chance } = faults.decide("cancel", id, {
      none: 80,
      "lost-request": 6,
      "lost-answer": 6,
      "limited-429": 4,
    });
    const { promise, resolve } = Promise.withResolvers<CancelOutcome>();
    const lateMs = chance.int(5, 300);
    const failsMs = fault === "limited-429" ? lateMs : answerTimeoutMs;
    if (fault !== "none") {
      life.after(failsMs, () => resolve({ kind: "failed", detail: fault }));
    }
    if (fault === "lost-request" || fault === "limited-429") return promise;
    scheduler.after(lateMs, () => {
      const takes = mode.takesCancels;
      const wanted = hashes();
      const canceled = takes ? exchange.cancel(wanted) : [];
      if (fault !== "none") return;
      const refused = Object.fromEntries(
        wanted.filter((hash) => !canceled.includes(hash)).map((hash) => [hash, "not found"]),
      );
      const outcome: CancelOutcome = takes
        ? { kind: "answered", canceled, refused }
        : { kind: "failed", detail: mode.mode };
      life.after(chance.int(1, 100), () => resolve(outcome));
    });
    return promise;
  }

  async queryOrder(orderHash: string): Promise<QueryOutcome> {
    const read = await this.#read<VenueOrder | null>(`query:${orderHash}`, () => {
      const order = this.#parts.exchange.orders.get(orderHash);
      return ok(order === undefined || this.#isHidden(order) ? null : reportOf(order));
    });
    if (!read.ok) return { kind: "failed", detail: read.error };
    return read.value === null ? { kind: "absent" } : { kind: "found", order: read.value };
  }

  #isHidden(order: SimOrder): boolean {
    const { faults, hidesEnded, exchange } = this.#parts;
    const isHidden = (hidesEnded && !isOpenThere(order)) || exchange.isForgotten(order);
    if (isHidden) faults.count("read.order-forgotten");
    return isHidden;
  }

  openOrders(): Promise<Result<readonly VenueOrder[], string>> {
    return this.#read("orders", () => ok(this.#parts.exchange.open().map(reportOf)));
  }

  fills(afterS: number): Promise<Result<readonly FillReport[], string>> {
    return this.#read("fills", () => {
      const { trades } = this.#parts.exchange;
      const late = trades.filter((trade) => trade.atMs >= afterS * 1000 && !this.#isLagging(trade));
      return ok(late.map(fillOf));
    });
  }

  /** The list of trades can be some seconds behind. */
  #isLagging(trade: SimTrade): boolean {
    const { faults, scheduler } = this.#parts;
    const ageMs = scheduler.nowMs - trade.atMs;
    if (ageMs > longestLagMs) return false;
    const { fault, chance } = faults.decide("trades", trade.tradeId, { none: 70, lagging: 30 });
    return fault === "lagging" && ageMs < chance.int(0, longestLagMs);
  }

  balance(): Promise<Result<{ readonly cash: Usd; readonly allowance: Usd }, string>> {
    const cash = () => this.#balanceOf("cash") as Usd;
    return this.#read("balance", () => ok({ cash: cash(), allowance: 1e12 as Usd }));
  }

  shares(tokenId: string): Promise<Result<Shares, string>> {
    return this.#read("shares", () => ok(this.#balanceOf(tokenId) as Shares));
  }

  /** A balance can be some seconds behind: too much cash and too few shares after a buy, the reverse after a sale. */
  #balanceOf(what: string): number {
    const { exchange, faults, scheduler } = this.#parts;
    const kind = what === "cash" ? "cash" : "shares";
    const { fault, chance } = faults.decide("balance", kind, { none: 85, lagging: 15 });
    const lagMs = fault === "lagging" ? chance.int(500, longestLagMs) : 0;
    return exchange.balanceAt(what, scheduler.nowMs - lagMs);
  }

  listen(listener: (event: AccountEvent) => void): void {
    this.#listener = listener;
    this.#parts.life.after(5, () => listener({ kind: "link.up", feed: "user", epoch: 1 }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The private stream: messages come late, twice, out of order or not at all. */
  tell(event: AccountEvent): void {
    if (this.#listener === null || !this.#up) return;
    const { faults, life } = this.#parts;
    const { fault, chance } = faults.decide("stream", event.kind, {
      none: 70,
      dropped: 10,
      late: 10,
      twice: 10,
    });
    if (fault === "dropped") return;
    const delayMs = fault === "late" ? chance.int(500, 10_000) : chance.int(1, 80);
    life.after(delayMs, () => this.hear(event));
    if (fault === "twice") {
      life.after(delayMs + chance.int(0, 3_000), () => this.hear(event));
    }
  }

  /** A message of the private stream arrives. */
  hear(event: AccountEvent): void {
    this.#listener?.(event);
  }

  /** The private stream breaks and comes back; what happens meanwhile is not told. */
  loseStream(forMs: number): void {
    if (this.#listener === null || !this.#up) return;
    this.#up = false;
    const { life } = this.#parts;
    life.after(0, () => this.hear({ kind: "link.lost", feed: "user", detail: "reset" }));
    life.after(forMs, () => {
      this.#up = true;
      this.hear({ kind: "link.up", feed: "user", epoch: ++this.#epoch });
    });
  }

  #read<T>(what: string, value: () => Result<T, string>): Promise<Result<T, string>> {
    const { faults, scheduler, life } = this.#parts;
    const { fault, chance } = faults.decide("read", what, readFaults);
    const { promise, resolve } = Promise.withResolvers<Result<T, string>>();
    const lateMs = fault === "slow" ? chance.int(500, 4_000) : chance.int(2, 60);
    // The venue looks half-way: what happens while the answer travels is not in it.
    scheduler.after(lateMs / 2, () => {
      const seen = fault === "failed" ? err("503") : value();
      life.after(lateMs / 2, () => resolve(seen));
    });
    return promise;
  }
}
