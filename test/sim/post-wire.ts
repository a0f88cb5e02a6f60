import { classifyPost, type PostAnswer } from "../../src/adapters/polymarket/classify.ts";
import type { OrderDraft, PreparedOrder } from "../../src/engine/domain/order.ts";
import type { PostOutcome } from "../../src/engine/protocol/venue-report.ts";
import type { Chance } from "./chance.ts";
import type { Acceptance, Exchange, OrderBody } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Lifeline } from "./lifeline.ts";
import { walkBook } from "./matching.ts";
import type { Scheduler } from "./scheduler.ts";
import type { VenueMode } from "./venue-mode.ts";

/** The client gives up on an answer after this long. */
export const answerTimeoutMs = 5_000;
/** An accepted order may be booked this late (reliability 2.1 saw 40 seconds). */
const latestBookingMs = 45_000;

/** Requests of orders whose bytes are out and whose fate at the venue is still open. */
export type Wire = Map<string, number>;

export const postFaults = {
  none: 60,
  "lost-request": 5,
  "lost-answer": 6,
  "late-booking": 5,
  "error-500-taken": 3,
  "error-500-not-taken": 3,
  "garbage-taken": 3,
  "restarting-425": 0.7,
  "limited-429": 4,
  "not-sent": 4,
  "sent-twice": 4,
  "other-id": 0.7,
} as const;

export type PostFault = keyof typeof postFaults;

export type PostWireParts = {
  readonly exchange: Exchange;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly mode: VenueMode;
  readonly wire: Wire;
  readonly life: Lifeline;
};

type Sending = {
  readonly order: PreparedOrder;
  readonly chance: Chance;
  readonly resolve: (outcome: PostOutcome) => void;
};

const garbage = [
  "<html>502</html>",
  "",
  "[]",
  "null",
  '{"success":true,"orderID":""}',
  "{",
] as const;

/** The way of an order's bytes to the venue and of the answer back; the answer is read by the client's own code. */
export class PostWire {
  readonly #parts: PostWireParts;

  constructor(parts: PostWireParts) {
    this.#parts = parts;
  }

  send(order: PreparedOrder, fault: PostFault, chance: Chance): Promise<PostOutcome> {
    const { promise, resolve } = Promise.withResolvers<PostOutcome>();
    this.#strike({ order, chance, resolve }, fault);
    return promise;
  }

  #strike(sending: Sending, fault: PostFault): void {
    const { chance, order } = sending;
    const soonMs = chance.int(5, 300);
    const give = (delayMs: number, outcome: PostOutcome) =>
      this.#resolve(sending, delayMs, outcome);
    const say = (answer: PostAnswer) => give(soonMs, classifyPost(answer, order.orderHash));
    switch (fault) {
      case "not-sent":
        return give(soonMs, { kind: "not_sent", detail: "connection refused" });
      case "restarting-425":
        return say({ status: 425, body: '{"error":"service not ready"}', retryAfter: null });
      case "limited-429": {
        const retryAfter = chance.happens(0.5) ? String(chance.int(1, 8)) : null;
        return say({ status: 429, body: '{"error":"Too Many Requests"}', retryAfter });
      }
      case "error-500-not-taken":
        return say({ status: 500, body: '{"error":"internal"}', retryAfter: null });
      case "lost-request":
        return give(answerTimeoutMs, { kind: "unknown", detail: "timeout" });
      case "late-booking":
        this.#arriveAfter(order, chance.int(answerTimeoutMs, latestBookingMs));
        return give(answerTimeoutMs, { kind: "unknown", detail: "timeout" });
      case "lost-answer":
        this.#arriveAfter(order, soonMs);
        return give(answerTimeoutMs, { kind: "unknown", detail: "timeout" });
      default:
        return this.#answerOddly(sending, fault, soonMs);
    }
  }

  #answerOddly(sending: Sending, fault: PostFault, soonMs: number): void {
    const { chance, order } = sending;
    const answer = (status: number, body: string) => {
      this.#arriveAfter(order, soonMs, () => {
        const outcome = classifyPost({ status, body, retryAfter: null }, order.orderHash);
        this.#resolve(sending, chance.int(1, 200), outcome);
      });
    };
    switch (fault) {
      case "error-500-taken":
        return answer(500, '{"error":"could not run the execution"}');
      case "garbage-taken":
        return answer(200, chance.pick(garbage) ?? "");
      case "other-id":
        return answer(200, JSON.stringify({ success: true, errorMsg: "", orderID: "0x0" }));
      case "sent-twice":
        this.#arriveAfter(order, soonMs);
        return this.#arriveAfter(order, soonMs + 1, (got) => this.#answer(sending, got));
      default:
        return this.#arriveAfter(order, soonMs, (got) => this.#answer(sending, got));
    }
  }

  #answer(sending: Sending, answer: PostAnswer): void {
    const outcome = classifyPost(answer, sending.order.orderHash);
    this.#resolve(sending, sending.chance.int(1, 200), outcome);
  }

  #resolve(sending: Sending, delayMs: number, outcome: PostOutcome): void {
    this.#parts.life.after(delayMs, () => sending.resolve(outcome));
  }

  /** The bytes are on their way whatever becomes of the process that sent them. */
  #arriveAfter(
    order: PreparedOrder,
    delayMs: number,
    then: (answer: PostAnswer) => void = () => undefined,
  ): void {
    const { wire, scheduler } = this.#parts;
    wire.set(order.orderHash, (wire.get(order.orderHash) ?? 0) + 1);
    scheduler.after(delayMs, () => {
      const left = (wire.get(order.orderHash) ?? 1) - 1;
      if (left > 0) wire.set(order.orderHash, left);
      else wire.delete(order.orderHash);
      then(this.#arrive(order));
    });
  }

  #arrive(order: PreparedOrder): PostAnswer {
    const { exchange, mode } = this.#parts;
    const { draft } = JSON.parse(order.body) as OrderBody;
    const refusal = mode.refusal(isMarketable(exchange, draft));
    return refusal ?? answerOf(order.orderHash, exchange.book(order));
  }
}

function isMarketable(exchange: Exchange, draft: OrderDraft): boolean {
  const immediate = draft.timeInForce === "fak" || draft.timeInForce === "fok";
  return immediate || walkBook(exchange.books.get(draft.conditionId), draft).size > 0;
}

/** The venue's answer in its own words. */
function answerOf(orderHash: string, taken: Acceptance): PostAnswer {
  switch (taken.kind) {
    case "accepted": {
      const body = { success: true, errorMsg: "", orderID: orderHash, status: taken.state };
      return { status: 200, body: JSON.stringify(body), retryAfter: null };
    }
    case "duplicated": {
      const error = `order ${orderHash} is invalid. Duplicated.`;
      return { status: 400, body: JSON.stringify({ error }), retryAfter: null };
    }
    default:
      return { status: 400, body: JSON.stringify({ error: taken.text }), retryAfter: null };
  }
}
