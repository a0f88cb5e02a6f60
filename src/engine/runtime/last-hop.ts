import type { Order, PreparedOrder } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import type { VenuePort } from "../ports/venue.ts";
import type { PostOutcome } from "../protocol/venue-report.ts";
import type { Fact } from "../state/fact.ts";

/** The first send and the reposts of the same bytes after the venue said that it took nothing. */
const maxSendsPerOrder = 4;

type Approval = {
  readonly body: string;
  readonly shares: number;
  sends: number;
  /** False from a first byte until it is proven that the venue took nothing of that send. */
  mayStart: boolean;
};

/**
 * The count at the last hop (reliability 1.1, Knight): what starts on the socket against what risk approved. It keeps
 * its own records of the durable approvals and of the bytes that leave, and believes nothing that the order path says
 * of itself: a path that sends twice is stopped before the second first byte.
 */
export class LastHop {
  readonly #approvals = new Map<string, Approval>();
  #approvedShares = 0;
  #startedShares = 0;
  #broken: string | null = null;
  readonly #onBroken: (detail: string) => void;

  /** `onBroken` is called once, at once: the trading gate must close before anything else. */
  constructor(onBroken: (detail: string) => void) {
    this.#onBroken = onBroken;
  }

  /** Takes note of approvals; call it with facts that are durable, before their effects run. */
  noteDurable(facts: readonly Fact[]): void {
    for (const fact of facts) {
      if (fact.kind === "plan.approved") for (const order of fact.orders) this.#approve(order);
      else if (fact.kind === "order.closed") this.#forget(fact.clientOid);
    }
  }

  readonly #hashByOid = new Map<string, string>();

  #approve({ clientOid, orderHash, body, draft }: Order): void {
    if (this.#approvals.has(orderHash)) {
      this.#break(`order ${orderHash} was approved twice`);
      return;
    }
    this.#hashByOid.set(clientOid, orderHash);
    this.#approvals.set(orderHash, { body, shares: draft.size, sends: 0, mayStart: true });
    this.#approvedShares += draft.size;
  }

  /** A closed order never starts again; its shares stay in both counts. */
  #forget(clientOid: string): void {
    const orderHash = this.#hashByOid.get(clientOid);
    if (orderHash === undefined) return;
    this.#hashByOid.delete(clientOid);
    this.#approvals.delete(orderHash);
  }

  /** Asked directly before the first byte of an order; null lets it leave and counts it. */
  start(order: PreparedOrder): Denial | null {
    const detail = this.#broken ?? this.#objectionTo(order);
    if (detail === null) return null;
    this.#break(detail);
    return { code: "paused", subject: "conservation" };
  }

  #objectionTo({ orderHash, body }: PreparedOrder): string | null {
    const approval = this.#approvals.get(orderHash);
    if (approval === undefined) return `order ${orderHash} starts without an approval`;
    if (approval.body !== body) return `order ${orderHash} starts with other bytes than approved`;
    if (!approval.mayStart)
      return `order ${orderHash} starts again before its last send is settled`;
    if (approval.sends >= maxSendsPerOrder) return `order ${orderHash} starts too often`;
    const startedShares = this.#startedShares + (approval.sends === 0 ? approval.shares : 0);
    if (startedShares > this.#approvedShares) return "more shares start than were approved";
    this.#startedShares = startedShares;
    approval.sends++;
    approval.mayStart = false;
    return null;
  }

  /** Only an answer that proves that nothing was taken lets the same bytes start again. */
  ended(orderHash: string, outcome: PostOutcome): void {
    const approval = this.#approvals.get(orderHash);
    if (approval === undefined) return;
    if (outcome.kind === "not_taken" || outcome.kind === "not_sent") approval.mayStart = true;
  }

  #break(detail: string): void {
    if (this.#broken !== null) return;
    this.#broken = detail;
    this.#onBroken(detail);
  }
}

/** The venue with the count in front of its socket: whoever holds this port cannot send past it. */
export function countedVenue(venue: VenuePort, lastHop: LastHop): VenuePort {
  return {
    account: venue.account,
    connect: () => venue.connect(),
    readTime: () => venue.readTime(),
    prepare: (draft, unique) => venue.prepare(draft, unique),
    async post(order, gate, waitMaxMs) {
      let miscounted = false;
      const outcome = await venue.post(
        order,
        () => {
          const denied = gate();
          if (denied !== null) return denied;
          const stopped = lastHop.start(order);
          miscounted = stopped !== null;
          return stopped;
        },
        waitMaxMs,
      );
      // This send was stopped, but another one of the same order may have left: only the venue knows its fate.
      if (miscounted) return { kind: "unknown", detail: "stopped by the count at the last hop" };
      lastHop.ended(order.orderHash, outcome);
      return outcome;
    },
    cancel: (orderHashes) => venue.cancel(orderHashes),
    cancelAll: () => venue.cancelAll(),
    queryOrder: (orderHash) => venue.queryOrder(orderHash),
    openOrders: () => venue.openOrders(),
    fills: (afterS) => venue.fills(afterS),
    balance: () => venue.balance(),
    shares: (tokenId, version) => venue.shares(tokenId, version),
    listen: (listener) => venue.listen(listener),
    close: () => venue.close(),
  };
}
