import type { StageView } from "../api/data-report.ts";
import type { Order } from "../domain/order.ts";
import type { RequestTiming } from "../domain/order-timing.ts";
import type { Meter, StageName } from "../ports/system.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Fact } from "../state/fact.ts";

/** Orders whose times are kept for the percentiles. */
const keptOrders = 512;

/** How long the stages of orders took in this run: from the command to the decision, the commit, the wire, the answer, the first fill. */
export class StageTimes {
  readonly #state: EngineState;
  readonly #meter: Meter | null;
  readonly #newest = new Map<StageName, { readonly times: number[]; count: number }>();

  constructor(state: EngineState, meter: Meter | null) {
    this.#state = state;
    this.#meter = meter;
  }

  /** Facts are on the disk: plans were decided, orders filled. */
  noteDurable(facts: readonly Fact[]): void {
    for (const fact of facts) {
      if (fact.kind === "plan.approved") {
        const [first] = fact.orders;
        if (first !== undefined) this.#note("decided", first.timing.decidedMs);
        const dutch = fact.orders.filter((order) => order.strategy === "dutch").length;
        if (dutch > 0) this.#meter?.count("dutch_orders_placed", dutch);
      }
      if (fact.kind === "market.rules-edited") this.#meter?.count("dutch_rulehash_changed", 1);
      if (fact.kind !== "fill.recorded") continue;
      const order = this.#state.orders.get(fact.clientOid);
      // The first fill is the one that is all there is.
      if (order?.filled !== fact.fill.size || order.timing.filledMs === null) continue;
      this.#note("filled", order.timing.filledMs);
    }
  }

  /** The request of an order came to its end. */
  posted({ timing }: Order, { committedMs, sentMs, acknowledgedMs }: RequestTiming): void {
    this.#note("committed", timing.decidedMs + committedMs);
    if (sentMs === null) return;
    this.#note("sent", timing.decidedMs + sentMs);
    this.#note("acknowledged", timing.decidedMs + acknowledgedMs);
    this.#note("place", acknowledgedMs);
    this.#note("place_call", acknowledgedMs - sentMs);
  }

  views(): StageView[] {
    return [...this.#newest].map(([stage, { times, count }]) => {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
      return { stage, count, p50Ms: at(0.5), p99Ms: at(0.99) };
    });
  }

  #note(stage: StageName, ms: number): void {
    this.#meter?.observe(stage, ms);
    const newest = this.#newest.get(stage) ?? { times: [], count: 0 };
    newest.times[newest.count % keptOrders] = ms;
    newest.count++;
    this.#newest.set(stage, newest);
  }
}
