import type { MarketEvent } from "../../engine/domain/market-event.ts";

/** Events of one market that are remembered; what a line that is further behind says is known by its time. */
const keptEvents = 512;

/** What a market that two connections carry has heard on each of them. */
export class DoubledMarket {
  /** How often each event was handed on, with its venue milliseconds, and how often each line brought it. */
  readonly #handedOn = new Map<string, { readonly times: number; readonly atMs: number }>();
  readonly #brought = [new Map<string, number>(), new Map<string, number>()] as const;
  readonly #heardAtMs: [number, number];
  /** Venue milliseconds of the newest event of each line since it began, and of the newest one that was forgotten. */
  readonly #newestMs: [number, number] = [0, 0];
  #forgottenMs = 0;
  /** Events of the other line since this one said anything. */
  readonly #unanswered: [number, number] = [0, 0];

  constructor(nowMs: number) {
    this.#heardAtMs = [nowMs, nowMs];
  }

  /**
   * True for what no other line has brought yet: the n-th time that a line says something is handed on when it was
   * handed on less than n times. Each line is in order, so the merged one is. A book that its line was asked for always
   * passes; one that the venue sends by itself and the other line brought before would undo what came since.
   */
  isNews(line: 0 | 1, event: MarketEvent, isAnswer: boolean, nowMs: number): boolean {
    this.#heardAtMs[line] = nowMs;
    this.#unanswered[line] = 0;
    const key = keyOf(event);
    if (key === null) return true;
    const times = (this.#brought[line].get(key) ?? 0) + 1;
    this.#brought[line].set(key, times);
    const handedOn = this.#handedOn.get(key)?.times ?? 0;
    const atMs = timeOf(event);
    this.#newestMs[line] = Math.max(this.#newestMs[line], atMs);
    if (!isAnswer && (times <= handedOn || this.#isForgotten(line, atMs))) return false;
    this.#handedOn.set(key, { times: Math.max(times, handedOn), atMs });
    // What one line was asked for the other one does not bring.
    if (!isAnswer) this.#unanswered[line === 0 ? 1 : 0]++;
    this.#forgetOldest();
    return true;
  }

  /** A line begins anew: what it brought before it will not bring again. */
  restart(line: 0 | 1, nowMs: number): void {
    this.#brought[line].clear();
    this.#newestMs[line] = 0;
    this.#heardAtMs[line] = nowMs;
    this.#unanswered[line] = 0;
  }

  /** True when the other line brought much while this one said nothing for longer than the limit: it is dead. */
  isDead(line: 0 | 1, nowMs: number, limitMs: number): boolean {
    return this.#unanswered[line] >= missedMin && nowMs - this.#heardAtMs[line] > limitMs;
  }

  /** A line that never was where the memory begins is far behind: what it says the other one said long ago. */
  #isForgotten(line: 0 | 1, atMs: number): boolean {
    const isBehind = this.#newestMs[line] <= this.#forgottenMs;
    const isOtherAhead = this.#newestMs[line === 0 ? 1 : 0] > this.#forgottenMs;
    return isBehind && isOtherAhead && atMs <= this.#forgottenMs;
  }

  #forgetOldest(): void {
    if (this.#handedOn.size <= keptEvents) return;
    for (const [key, { atMs }] of this.#handedOn) {
      this.#forgottenMs = Math.max(this.#forgottenMs, atMs);
      this.#handedOn.delete(key);
      for (const line of this.#brought) line.delete(key);
      return;
    }
  }
}

/** Events of the other line without one of its own that make a silent line suspicious. */
const missedMin = 5;

function timeOf(event: MarketEvent): number {
  return "timestamp" in event ? Number(event.timestamp) : 0;
}

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
    case "book.snapshot":
      return `b${event.timestamp}|${event.tokenId}${event.hash ?? ""}`;
    case "trade.printed":
      return `t${event.timestamp}|${event.tokenId}${event.takerSide}${event.price}:${event.size}`;
    case "quote.printed":
      return `q${event.timestamp}|${event.tokenId}${event.bestBid}:${event.bestAsk}`;
    default:
      return null;
  }
}
