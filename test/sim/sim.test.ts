import { describe, expect, test } from "vitest";
import { catchDefect } from "./defect-hunt.ts";
import { type DefectName, defects } from "./defects.ts";
import { type SimResult, simulate } from "./simulation.ts";

const fixedSeeds = [1, 2, 3, 4, 5, 6];
const freshSeed = 2_000_000_000 + (Math.floor(Date.now() / 1000) % 1_000_000_000);
const freshSeeds = [freshSeed, freshSeed + 1];

const cleanRuns = new Map<number, Promise<SimResult>>();

/** A run without any defect; several tests look at the same one. */
function cleanRun(seed: number): Promise<SimResult> {
  const known = cleanRuns.get(seed) ?? simulate(seed);
  cleanRuns.set(seed, known);
  return known;
}

/** A busy machine runs a seed in some seconds; the bound only ends a search that finds nothing. */
const searchMs = 300_000;

describe("the service in a simulated world", () => {
  test.each([...fixedSeeds, ...freshSeeds])("seed %i keeps every property", async (seed) => {
    const result = await cleanRun(seed);
    expect(result.violation, `npm run sim -- --seeds 1 --from ${seed}`).toBeNull();
    expect(result.steps).toBeGreaterThanOrEqual(2_000);
    expect(result.intents).toBeGreaterThanOrEqual(20);
    expect(result.kills).toBeGreaterThanOrEqual(1);
    expect(result.crashes).toBeGreaterThanOrEqual(1);
  });

  test("the same seed gives the same run, another seed another one", async () => {
    const [first, again, other] = [await cleanRun(3), await simulate(3), await cleanRun(4)];
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });
});

describe("a deliberate defect", () => {
  const names = Object.keys(defects) as DefectName[];
  test.each(names)(
    "%s is caught by its checker, and by nothing without it",
    async (name) => {
      const caught = await catchDefect(defects[name]);
      expect(caught).not.toBeNull();
      const clean = await cleanRun(caught?.seed ?? 0);
      expect(clean.violation).toBeNull();
    },
    searchMs,
  );
});
