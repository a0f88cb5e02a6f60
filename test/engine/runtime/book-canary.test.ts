import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConditionId } from "../../../src/engine/domain/market.ts";
import { BookCanary } from "../../../src/engine/runtime/book-canary.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { marketOf } from "../support/markets.ts";

const intervalMs = 15_000;
const roundMs = 600_000;
const tickMs = 250;

/** `answer` is when the venue answers a read; at once unless said. */
function canaryOver(count: number, answer: Promise<void> = Promise.resolve()) {
  const desk = openCoreDesk();
  desk.state.live.books.clear();
  const ids = Array.from({ length: count }, (_, i) => marketOf(100 + i));
  for (const market of ids) desk.list(market);
  const compared: { conditionId: ConditionId; atMs: number }[] = [];
  let nowMs = 1_000_000;
  const canary = new BookCanary({
    state: desk.state,
    async compare(conditionId) {
      compared.push({ conditionId, atMs: nowMs });
      await answer;
    },
    intervalMs,
    roundMs,
  });
  const pass = async (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += tickMs) {
      canary.tick(nowMs);
      await setImmediate();
    }
  };
  const stall = (ms: number) => {
    nowMs += ms;
  };
  return { books: desk.state.live.books, compared, canary, pass, stall };
}

describe("which book is compared next", () => {
  test("each in its turn: none a second time before all others, and each within the round", async () => {
    for (const count of [1, 7, 40, 900]) {
      const { compared, pass } = canaryOver(count);
      await pass(roundMs + intervalMs);
      const first = compared.slice(0, count);
      expect(new Set(first.map(({ conditionId }) => conditionId)).size, `${count}`).toBe(count);
      const [start, end] = [first[0]?.atMs ?? 0, first.at(-1)?.atMs ?? 0];
      expect(end - start).toBeLessThanOrEqual(roundMs);
      // Few books are compared as often as one book would be, not more rarely.
      compared.slice(1).forEach(({ atMs }, i) => {
        expect(atMs - (compared[i]?.atMs ?? 0)).toBeLessThanOrEqual(intervalMs + tickMs);
      });
    }
  });

  test("whatever comes and goes: never one that is not live, always the longest waiting", async () => {
    const step = fc.record({
      book: fc.nat(11),
      status: fc.constantFrom("live", "stale", "waiting"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { books, compared, pass } = canaryOver(12);
        const all = [...books.values()];
        const lastAt = new Map<ConditionId, number>();
        for (const { book, status } of steps) {
          const one = all[book];
          if (one !== undefined) one.status = status;
          const before = compared.length;
          await pass(intervalMs);
          for (const { conditionId, atMs } of compared.slice(before)) {
            const live = all.filter((other) => other.status === "live");
            expect(live.map((other) => other.conditionId)).toContain(conditionId);
            const least = Math.min(...live.map((other) => lastAt.get(other.conditionId) ?? 0));
            expect(lastAt.get(conditionId) ?? 0).toBe(least);
            lastAt.set(conditionId, atMs);
          }
        }
      }),
      { numRuns: 30, seed: 20_261_122 },
    );
  });

  test("a stall is not made up for by a burst, and books that were left are forgotten", async () => {
    const { books, compared, pass, stall } = canaryOver(900);
    await pass(60_000);
    const before = compared.length;
    stall(3_600_000);
    await pass(tickMs);
    expect(compared.length - before).toBeLessThanOrEqual(4);
    books.clear();
    await pass(60_000);
    const nothing = compared.length;
    await pass(60_000);
    expect(compared.length).toBe(nothing);
  });

  test("a venue that does not answer gets two reads, and no more of them until it does", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { compared, pass } = canaryOver(900, promise);
    await pass(60_000);
    expect(compared).toHaveLength(2);
    resolve();
    await pass(60_000);
    expect(compared.length).toBeGreaterThan(50);
  });
});
