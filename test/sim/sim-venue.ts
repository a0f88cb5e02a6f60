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
import { type Exchange, fillOf, reportOf, type SimOrder, type SimTrade } from "./exchange.ts";
import type { Defect, Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** The client gives up on an answer after this long. */
const answerTimeoutMs = 5_000;
/** An accepted order may be booked this late (reliability 2.1 saw 40 seconds). */
const latestBookingMs = 45_000;

/** The list of trades shows a trade at the latest this long after it. */
const longestLagMs = 4_000;

/** Requests of orders whose bytes are out and whose fate at the venue is still open. */
export type Wire = Map<string, number>;

export type SimVenueParts = {
  readonly exchange: Exchange;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly wire: Wire;
  readonly defects: ReadonlySet<Defect>;
  /** True when a look at an order that ended finds nothing. */
  readonly forgetsEnded: boolean;
  readonly isAlive: () => boolean;
  /** The first byte of an order leaves now. */
  readonly onPostStart: (order: PreparedOrder) => void;
};

const postFaults = {
  none: 60,
  "lost-request": 5,
  "lost-answer": 6,
  "late-booking": 5,
  "error-500-taken": 3,
  "error-500-not-taken": 3,
  "garbage-taken": 3,
  "restarting-425": 5,
  "limited-429": 4,
  "not-sent": 4,
  "sent-twice": 4,
  "other-id": 0.25,
} as const;

const readFaults = { none: 90, failed: 7, slow: 4 } as const;

type Sending = {
  readonly fault: keyof typeof postFaults;
  readonly chance: Chance;
  readonly resolve: (outcome: PostOutcome) => void;
};

/** The exchange as one engine process sees it: every request can meet a fault that its seed has for it. */
export class SimVenue implements VenuePort {
  readonly account = { signer: "0xsigner", funder: "0xfunder" };
  readonly #parts: SimVenueParts;
  #listener: ((event: AccountEvent) => void) | null = null;
  #messages = 0;
  #up = true;

  constructor(parts: SimVenueParts) {
    this.#parts = parts;
  }

  connect(): Promise<Result<{ readonly clockOffsetMs: number }, string>> {
    return this.#read("connect", () => ok({ clockOffsetMs: 0 }));
  }

  prepare(draft: OrderDraft, unique: OrderUniqueness): PreparedOrder {
    const body = JSON.stringify({ ...unique, draft });
    return { orderHash: `0x${plainHasher.sha256Hex(body)}`, body };
  }

  post(order: PreparedOrder, gate: () => Denial | null): Promise<PostOutcome> {
    const { faults, defects } = this.#parts;
    const { fault, chance } = faults.decide("post", order.orderHash, postFaults);
    const { promise, resolve, reject } = Promise.withResolvers<PostOutcome>();
    const early = defects.has("gate-asked-before-wait") ? gate() : null;
    // A request waits for its connection; the gate is asked when it gets it.
    this.#later(chance.happens(0.1) ? chance.int(100, 2_000) : chance.int(0, 20), () => {
      try {
        const denial = defects.has("gate-asked-before-wait") ? early : gate();
        if (denial !== null) resolve({ kind: "blocked", denial });
        else this.#send(order, { fault, chance, resolve });
      } catch (error) {
        reject(error);
        throw error;
      }
    });
    return promise;
  }

  #send(order: PreparedOrder, how: Sending): void {
    const { onPostStart, defects } = this.#parts;
    const { fault, chance } = how;
    onPostStart(order);
    const answer = (delayMs: number, outcome: PostOutcome) => {
      this.#later(delayMs, () => {
        const isLost = outcome.kind === "unknown";
        if (isLost && defects.has("retry-with-fresh-salt")) this.#sendAgain(order, how);
        else if (isLost && defects.has("timeout-as-rejected")) {
          how.resolve({ kind: "rejected", reason: "other_refusal", detail: outcome.detail });
        } else how.resolve(outcome);
      });
    };
    const soonMs = chance.int(5, 300);
    const unknown = (detail: string): PostOutcome => ({ kind: "unknown", detail });
    const reason = fault === "limited-429" ? "rate_limited" : "venue_restarting";
    switch (fault) {
      case "not-sent":
        return answer(soonMs, { kind: "not_sent", detail: "connection refused" });
      case "restarting-425":
      case "limited-429":
        return answer(soonMs, { kind: "not_taken", reason, retryAfterMs: null, detail: fault });
      case "error-500-not-taken":
        return answer(soonMs, unknown("500"));
      case "lost-request":
        return answer(answerTimeoutMs, unknown("timeout"));
      case "late-booking":
        this.#bookAfter(order, chance.int(answerTimeoutMs, latestBookingMs));
        return answer(answerTimeoutMs, unknown("timeout"));
      case "lost-answer":
        this.#bookAfter(order, soonMs);
        return answer(answerTimeoutMs, unknown("timeout"));
      case "error-500-taken":
      case "garbage-taken":
        this.#bookAfter(order, soonMs);
        return answer(soonMs * 2, unknown(fault));
      case "sent-twice":
        this.#bookAfter(order, soonMs);
        this.#bookAfter(order, soonMs + 1, (outcome) => answer(chance.int(1, 200), outcome));
        return undefined;
      case "other-id":
        this.#bookAfter(order, soonMs);
        return answer(soonMs * 2, { kind: "id_mismatch", got: "0x0" });
      default:
        return this.#bookAfter(order, soonMs, (outcome) => answer(chance.int(1, 200), outcome));
    }
  }

  /** The bytes are on their way whatever becomes of the process that sent them. */
  #bookAfter(
    order: PreparedOrder,
    delayMs: number,
    then: (outcome: PostOutcome) => void = () => undefined,
  ): void {
    const { wire, scheduler, exchange } = this.#parts;
    wire.set(order.orderHash, (wire.get(order.orderHash) ?? 0) + 1);
    scheduler.after(delayMs, () => {
      const left = (wire.get(order.orderHash) ?? 1) - 1;
      if (left > 0) wire.set(order.orderHash, left);
      else wire.delete(order.orderHash);
      const taken = exchange.book(order);
      then(taken.kind === "rejected" ? { ...taken, detail: taken.reason } : taken);
    });
  }

  #sendAgain(order: PreparedOrder, how: Sending): void {
    const { draft } = JSON.parse(order.body) as { draft: OrderDraft };
    const salt = how.chance.int(0, 1_000_000);
    const fresh = this.prepare(draft, { salt, timestampMs: this.#parts.scheduler.nowMs });
    this.#send(fresh, { ...how, fault: "none" });
  }

  cancel(orderHashes: readonly string[]): Promise<CancelOutcome> {
    return this.#cancel(orderHashes.join("+"), () => orderHashes);
  }

  cancelAll(): Promise<CancelOutcome> {
    return this.#cancel("all", () => this.#parts.exchange.live().map((order) => order.hash));
  }

  #cancel(id: string, hashes: () => readonly string[]): Promise<CancelOutcome> {
    const { exchange, faults, scheduler } = this.#parts;
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
      this.#later(failsMs, () => resolve({ kind: "failed", detail: fault }));
    }
    if (fault === "lost-request" || fault === "limited-429") return promise;
    scheduler.after(lateMs, () => {
      const wanted = hashes();
      const canceled = exchange.cancel(wanted);
      if (fault !== "none") return;
      const refused = Object.fromEntries(
        wanted.filter((hash) => !canceled.includes(hash)).map((hash) => [hash, "not found"]),
      );
      this.#later(chance.int(1, 100), () => resolve({ kind: "answered", canceled, refused }));
    });
    return promise;
  }

  async queryOrder(orderHash: string): Promise<QueryOutcome> {
    const read = await this.#read<VenueOrder | null>(`query:${orderHash}`, () => {
      const order = this.#parts.exchange.orders.get(orderHash);
      return ok(order === undefined || this.#isForgotten(order) ? null : reportOf(order));
    });
    if (!read.ok) return { kind: "failed", detail: read.error };
    return read.value === null ? { kind: "absent" } : { kind: "found", order: read.value };
  }

  /** In some worlds the venue shows only orders that rest (reliability 9.3: the documents disagree). */
  #isForgotten(order: SimOrder): boolean {
    const { faults, forgetsEnded } = this.#parts;
    if (!forgetsEnded || order.state === "live") return false;
    faults.count("read.order-forgotten");
    return true;
  }

  openOrders(): Promise<Result<readonly VenueOrder[], string>> {
    return this.#read("orders", () => ok(this.#parts.exchange.live().map(reportOf)));
  }

  fills(afterS: number): Promise<Result<readonly FillReport[], string>> {
    if (this.#parts.defects.has("trades-never-read")) return Promise.resolve(ok([]));
    return this.#read("fills", () => {
      const { trades } = this.#parts.exchange;
      const late = trades.filter((trade) => trade.atMs >= afterS * 1000 && !this.#isLagging(trade));
      return ok(late.map((trade) => this.#message(fillOf(trade))));
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
    const { exchange } = this.#parts;
    return this.#read("balance", () => ok({ cash: exchange.cash as Usd, allowance: 1e12 as Usd }));
  }

  shares(tokenId: string): Promise<Result<Shares, string>> {
    const { exchange } = this.#parts;
    return this.#read("shares", () => ok((exchange.shares.get(tokenId) ?? 0) as Shares));
  }

  listen(listener: (event: AccountEvent) => void): void {
    this.#listener = listener;
    this.#later(5, () => listener({ kind: "link.up", feed: "user", epoch: 1 }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The private stream: messages come late, twice, out of order or not at all. */
  tell(event: AccountEvent): void {
    if (this.#listener === null || !this.#up) return;
    const { faults } = this.#parts;
    const { fault, chance } = faults.decide("stream", event.kind, {
      none: 70,
      dropped: 10,
      late: 10,
      twice: 10,
    });
    if (fault === "dropped") return;
    const message =
      event.kind === "fill.reported" ? { ...event, fill: this.#message(event.fill) } : event;
    const delayMs = fault === "late" ? chance.int(500, 10_000) : chance.int(1, 80);
    this.#later(delayMs, () => this.#listener?.(message));
    if (fault !== "twice") return;
    const again =
      event.kind === "fill.reported" ? { ...event, fill: this.#message(event.fill) } : event;
    this.#later(delayMs + chance.int(0, 3_000), () => this.#listener?.(again));
  }

  /** The private stream breaks and comes back; what happens meanwhile is not told. */
  loseStream(forMs: number): void {
    if (this.#listener === null || !this.#up) return;
    this.#up = false;
    this.#listener({ kind: "link.lost", feed: "user", detail: "reset" });
    this.#later(forMs, () => {
      this.#up = true;
      this.#listener?.({ kind: "link.up", feed: "user", epoch: 2 });
    });
  }

  #message(fill: FillReport): FillReport {
    if (!this.#parts.defects.has("fill-per-message")) return fill;
    return { ...fill, tradeId: `${fill.tradeId}#${this.#messages++}` };
  }

  #read<T>(what: string, value: () => Result<T, string>): Promise<Result<T, string>> {
    const { faults, scheduler } = this.#parts;
    const { fault, chance } = faults.decide("read", what, readFaults);
    const { promise, resolve } = Promise.withResolvers<Result<T, string>>();
    const lateMs = fault === "slow" ? chance.int(500, 4_000) : chance.int(2, 60);
    // The venue looks half-way: what happens while the answer travels is not in it.
    scheduler.after(lateMs / 2, () => {
      const seen = fault === "failed" ? err("503") : value();
      this.#later(lateMs / 2, () => resolve(seen));
    });
    return promise;
  }

  #later(delayMs: number, run: () => void): void {
    this.#parts.scheduler.after(delayMs, () => {
      if (this.#parts.isAlive()) run();
    });
  }
}
