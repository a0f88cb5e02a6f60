import fc from "fast-check";
import { expect, test } from "vitest";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import { FifoMap } from "../../../src/engine/lib/fifo-map.ts";
import { holds } from "../support/holds.ts";

test("holds at most its limit and forgets the oldest key first", () => {
  const keys = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 });
  holds(
    fc.property(keys, fc.integer({ min: 1, max: 8 }), (writes, limit) => {
      const map = new FifoMap<number, number>(limit);
      let order: number[] = [];
      writes.forEach((key, i) => {
        map.set(key, i);
        // Writing a known key again keeps its place in the queue.
        if (!order.includes(key)) order = [...order, key].slice(-limit);
        expect([...map.entries()].map(([known]) => known)).toEqual(order);
        expect(map.get(key)).toBe(i);
      });
      expect(map.size).toBeLessThanOrEqual(limit);
    }),
    500,
  );
});

test.each([0, -1, 1.5, Number.NaN])("a limit of %d is no bound", (limit) => {
  expect(() => new FifoMap(limit)).toThrow(AssertionError);
});
