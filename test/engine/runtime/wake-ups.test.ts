import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Woken } from "../../../src/engine/core/wake-up.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import { WakeUps, wokenMax } from "../../../src/engine/runtime/wake-ups.ts";
import { canonicalLive, canonicalState } from "../../../src/engine/state/digest.ts";
import { termsMoved } from "../../../src/engine/state/shown-terms.ts";
import { CoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { type BookRows, marketOf, plainRows } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";

const many = Array.from({ length: 150 }, (_, i) => marketOf(i + 100));
const dear: BookRows = { bids: [["0.47", "2000"]], asks: [["0.60", "1000"]] };

/** A desk whose loop is turned by hand: what was planned for the next turn runs when the test says so. */
class Loop {
  readonly desk: CoreDesk;
  /** The inputs that woke strategies. */
  readonly woken: (readonly Woken[])[] = [];
  /** Of each market, how many frames its book had when strategies looked last. */
  readonly seen = new Map<string, number>();
  planned: (() => void)[] = [];
  readonly #framesAtCard = new Map<string, number>();
  readonly #wakeUps: WakeUps;

  constructor(markets: readonly Market[], cards: number) {
    this.desk = new CoreDesk(testSettings()).start();
    for (const market of markets) this.desk.list(market);
    for (const market of markets.slice(0, cards)) this.card(market);
    const { live } = this.desk.state;
    const clock = {
      after: (_: number, callback: () => void) => {
        this.planned.push(callback);
        return () => {
          this.planned = this.planned.filter((one) => one !== callback);
        };
      },
    };
    this.#wakeUps = new WakeUps(live, clock, (books) => {
      for (const [id] of books) this.seen.set(id, this.framesOf(id));
      this.woken.push(books);
      this.desk.run({ kind: "books.changed", books });
      this.#wakeUps.stepped();
    });
  }

  card({ conditionId }: Market): void {
    this.#framesAtCard.set(conditionId, this.framesOf(conditionId));
    this.desk.card({ conditionId });
  }

  /** Frames of the market before its newest card was made. */
  framesAtCard(id: string): number {
    return this.#framesAtCard.get(id) ?? 0;
  }

  framesOf(id: string): number {
    return this.desk.state.live.books.get(id)?.framesApplied ?? 0;
  }

  frame(market: Market, rows: BookRows = plainRows): void {
    this.desk.nowMs += 1;
    this.desk.book(market, rows);
    this.#wakeUps.stepped();
  }

  turn(): void {
    for (const callback of this.planned.splice(0)) callback();
  }

  stop(): void {
    this.#wakeUps.stop();
  }

  get counts() {
    return this.#wakeUps.counts;
  }
}

const [first, second] = many as [Market, Market];

describe("wake-ups of strategies", () => {
  test("are one a turn, however many frames came in it; each change is counted", () => {
    const loop = new Loop([first, second], 2);
    for (let i = 0; i < 20; i++) loop.frame(first);
    loop.frame(second);
    loop.frame(first);
    expect(loop.planned).toHaveLength(1);
    expect(loop.woken).toEqual([]);
    loop.turn();
    const once = [
      [first.conditionId, 21],
      [second.conditionId, 1],
    ];
    expect(loop.woken).toEqual([once]);
    loop.turn();
    expect(loop.woken).toHaveLength(1);
    expect(loop.counts).toEqual({ changes: 22, wakeUps: 2 });
    expect(loop.framesOf(first.conditionId)).toBe(22);
  });

  test("are not made where nobody listens, nor after the stop", () => {
    const loop = new Loop([first, second], 1);
    loop.frame(second);
    expect(loop.planned).toEqual([]);
    loop.frame(first);
    loop.stop();
    loop.turn();
    loop.frame(first);
    expect([loop.planned, loop.woken]).toEqual([[], []]);
  });

  test("are bounded in each turn; who waits longest comes first, and who comes again stands last", () => {
    const loop = new Loop(many, many.length);
    for (const market of many) loop.frame(market);
    loop.turn();
    // The first one changes again while others still wait for their first time.
    loop.frame(first);
    loop.turn();
    loop.turn();
    expect(loop.planned).toEqual([]);
    expect(loop.woken.map((books) => books.length)).toEqual([wokenMax, wokenMax, 150 - 128 + 1]);
    const ids = many.map(({ conditionId }) => conditionId);
    expect(loop.woken.flat().map(([id]) => id)).toEqual([...ids, first.conditionId]);
  });

  test("show every book as it was left, whatever came in which turn; what was decided is the same again", () => {
    const markets = many.slice(0, 8);
    const happening = fc.oneof(
      { weight: 6, arbitrary: fc.record({ frame: fc.nat({ max: 7 }), isDear: fc.boolean() }) },
      { weight: 2, arbitrary: fc.constant("turn" as const) },
      { weight: 1, arbitrary: fc.record({ ask: fc.nat({ max: 7 }) }) },
    );
    let joined = 0;
    let told = 0;
    holds(
      fc.property(fc.array(happening, { maxLength: 120, size: "max" }), (run) => {
        const [loop, again] = [new Loop(markets, 4), new Loop(markets, 4)];
        for (const one of run) {
          for (const each of [loop, again]) {
            if (one === "turn") each.turn();
            else if ("ask" in one) each.card(markets[one.ask] ?? first);
            else each.frame(markets[one.frame] ?? first, one.isDear ? dear : plainRows);
          }
        }
        loop.turn();
        again.turn();
        expect(loop.planned).toEqual([]);
        expect(loop.desk.state.live.changedBooks.size).toBe(0);
        const { state } = loop.desk;
        for (const id of state.index.openCards.keys()) {
          const frames = loop.framesOf(id);
          if (frames > loop.framesAtCard(id)) expect(loop.seen.get(id)).toBe(frames);
        }
        // What a press would find out was told, card by card.
        for (const card of state.cards.values()) {
          if (!termsMoved(card, state.markets, state.live.books)) continue;
          expect(state.told.get(`card-watch:${card.nonce}`)).toBe("told");
        }
        told += loop.desk.notices().filter(({ kind }) => kind === "card.outdated").length;
        joined += loop.counts.changes - loop.counts.wakeUps;
        expect(again.woken).toEqual(loop.woken);
        expect(canonicalState(again.desk.state)).toBe(canonicalState(loop.desk.state));
        expect(canonicalLive(again.desk.state)).toBe(canonicalLive(loop.desk.state));
      }),
      100,
    );
    expect([joined > 500, told > 100]).toEqual([true, true]);
  });
});
