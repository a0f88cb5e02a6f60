import type { MarketEvent } from "../../engine/domain/market-event.ts";

/** Events of one market that are remembered; a line that is further behind is told by its time stamps. */
const keptEvents = 512;

/** What a market that two connections carry has heard on each of them. */
export class DoubledMarket {
  /** How often each event was handed on, and how often each line brought it. */
  readonly #handedOn = new Map<string, number>();
  readonly #brought = [new Map<string, number>(), new Map<string, number>()] as const;
  readonly #heardAtMs: [number, number];
  /** Events of the other line since this one said anything. */
  readonly #unanswered: [number, number] = [0, 0];

  constructor(nowMs: number) {
    this.#heardAtMs = [nowMs, nowMs];
  }

  /**
   * True for what no other line has brought yet: the n-th time that a line says something is handed on when it was
   * handed on less than n times. Each line is in order, so the merged one is. Snapshots always pass: they replace.
   */
  isNews(line: 0 | 1, event: MarketEvent, nowMs: number): boolean {
    this.#heardAtMs[line] = nowMs;
    this.#unanswered[line] = 0;
    const key = keyOf(event);
    if (key === null) return true;
    const times = (this.#brought[line].get(key) ?? 0) + 1;
    this.#brought[line].set(key, times);
    if (times <= (this.#handedOn.get(key) ?? 0)) return false;
    this.#handedOn.set(key, times);
    this.#unanswered[line === 0 ? 1 : 0]++;
    this.#forgetOldest();
    return true;
  }

  /** A line begins anew: what it brought before it will not bring again. */
  restart(line: 0 | 1, nowMs: number): void {
    this.#brought[line].clear();
    this.#heardAtMs[line] = nowMs;
    this.#unanswered[line] = 0;
  }

  /** True when the other line brought much while this one said nothing for longer than the limit: it is dead. */
  isDead(line: 0 | 1, nowMs: number, limitMs: number): boolean {
    return this.#unanswered[line] >= missedMin && nowMs - this.#heardAtMs[line] > limitMs;
  }

  #forgetOldest(): void {
    if (this.#handedOn.size <= keptEvents) return;
    for (const key of this.#handedOn.keys()) {
      this.#handedOn.delete(key);
      for (const line of this.#brought) line.delete(key);
      return;
    }
  }
}

/** Events of the other line without one of its own that make a silent line suspicious. */
const missedMin = 5;

/** The same text for the same message of the venue, on whatever connection; null for what always passes. */
function keyOf(event: MarketEvent): string | null {
  switch (event.kind) {
    case "book.delta": {
      let key = event.timestamp;
      for (const { side, price, size, hash } of event.changes) {
        key += `|${side}${price}:${size}${hash ?? ""}`;
      }
      return key;
    }
    case "trade.printed":
      return `t${event.timestamp}|${event.tokenId}${event.takerSide}${event.price}:${event.size}`;
    case "quote.printed":
      return `q${event.timestamp}|${event.tokenId}${event.bestBid}:${event.bestAsk}`;
    default:
      return null;
  }
}
