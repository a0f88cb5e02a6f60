import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keysetPage } from "../../../../src/adapters/paper-venue/world/gamma-keyset.ts";
import { createSyntheticListing } from "../../../../src/adapters/paper-venue/world/synthetic-listing.ts";

type Page = { readonly events: readonly { readonly id: string }[]; readonly next_cursor?: string };

const nowMs = Date.UTC(2026, 10, 21);

function pageOf(
  ids: readonly number[],
  params: Record<string, string>,
  synthetic?: ReturnType<typeof createSyntheticListing>,
): Page {
  const rows = ids.map((id) => ({ id: String(id), key: null, json: () => ({ id: String(id) }) }));
  const query = new URLSearchParams(params);
  const { status, body } = keysetPage(rows, query, "events", synthetic?.rowsAfter ?? null);
  expect(status).toBe(200);
  return body as Page;
}

describe("keyset pages", () => {
  test("while rows come and go between the pages, none that stays is missed and none comes twice", () => {
    const change = fc.record({
      gone: fc.array(fc.nat(60)),
      come: fc.array(fc.integer({ min: 61, max: 120 })),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(60), { minLength: 1 }),
        fc.infiniteStream(change),
        fc.integer({ min: 1, max: 7 }),
        (first, changes, limit) => {
          let listed = new Set(first);
          const always = new Set(first);
          const seen: number[] = [];
          let cursor: string | undefined = "";
          while (cursor !== undefined) {
            const page = pageOf([...listed], { limit: String(limit), after_cursor: cursor });
            seen.push(...page.events.map(({ id }) => Number(id)));
            cursor = page.next_cursor;
            const { gone, come } = changes.next().value ?? { gone: [], come: [] };
            listed = new Set([...listed, ...come]);
            for (const id of gone) {
              listed.delete(id);
              always.delete(id);
            }
          }
          expect(new Set(seen).size).toBe(seen.length);
          expect(seen).toEqual(expect.arrayContaining([...always]));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a cursor of another make is refused, not taken for the start", () => {
    for (const cursor of ["x", "bnVsbA", Buffer.from('["a",1]').toString("base64url")]) {
      const query = new URLSearchParams({ after_cursor: cursor });
      expect(keysetPage([], query, "events", null).status).toBe(422);
    }
  });
});

describe("a synthetic listing", () => {
  const synthetic = createSyntheticListing({ seed: 3, markets: 1_000, nowMs });

  test.each(["true", "false"])("stands among the built rows by id, ascending %s", (ascending) => {
    const built = [7, 5, 20_000_000_000];
    const seen: number[] = [];
    let markets = 0;
    let cursor: string | undefined = "";
    while (cursor !== undefined) {
      const params = { limit: "50", order: "id", ascending, after_cursor: cursor };
      const page: Page = pageOf(built, params, synthetic);
      for (const event of page.events as { id: string; markets?: readonly unknown[] }[]) {
        seen.push(Number(event.id));
        markets += event.markets?.length ?? 0;
      }
      cursor = page.next_cursor;
    }
    const sorted = [...seen].sort((a, b) => (ascending === "true" ? a - b : b - a));
    expect(seen).toEqual(sorted);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(built));
    expect(markets).toBe(synthetic.marketCount);
    expect(markets).toBeGreaterThanOrEqual(1_000);
  });

  test("is the same by the same seed, and another one by another", () => {
    const textOf = (seed: number) =>
      JSON.stringify(
        createSyntheticListing({ seed, markets: 100, nowMs })
          .rowsAfter(null, true, 100)
          .map((row) => row.json({ arrays: true })),
      );
    expect(textOf(1)).toBe(textOf(1));
    expect(textOf(1)).not.toBe(textOf(2));
  });
});
