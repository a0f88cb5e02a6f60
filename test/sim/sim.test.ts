import { describe, expect, test } from "vitest";
import type { Property } from "./checkers.ts";
import { type Defect, defectNames } from "./faults.ts";
import { simulate } from "./simulation.ts";

const fixedSeeds = Array.from({ length: 20 }, (_, i) => i + 1);

type Catch = {
  readonly property: Property;
  readonly seed: number;
  /** Another checker that would speak first. */
  readonly ignored?: readonly Property[];
};

/** The checker that must name each defect, and a seed whose run shows it. */
const caughtBy: Readonly<Record<Defect, Catch>> = {
  "timeout-as-rejected": { property: "P3", seed: 1 },
  "retry-with-fresh-salt": { property: "P1", seed: 1 },
  "fill-per-message": { property: "P2", seed: 1 },
  "kill-lost-at-restart": { property: "P4", seed: 2 },
  "released-on-first-absence": { property: "P3", seed: 1 },
  "sent-before-commit": { property: "P1", seed: 1, ignored: ["told"] },
  "gate-asked-before-wait": { property: "P4", seed: 9 },
  "lease-not-looked-at": { property: "P12", seed: 7 },
  "trades-never-read": { property: "P2", seed: 1 },
};

const mostSeeds = 200;

/** The first seed, from the known one on, whose run with the defect breaks exactly the wanted property. */
async function catchingSeed(defect: Defect): Promise<number | null> {
  const { property, seed: first, ignored = [] } = caughtBy[defect];
  for (let i = 0; i < mostSeeds; i++) {
    const seed = ((first - 1 + i) % mostSeeds) + 1;
    const { violation } = await simulate(seed, { defects: [defect], ignored });
    if (violation?.property === property) return seed;
  }
  return null;
}

describe("the engine in a simulated world", () => {
  test.each(fixedSeeds)("seed %i keeps every property", async (seed) => {
    const result = await simulate(seed);
    expect(result.violation).toBeNull();
    expect(result.steps).toBeGreaterThanOrEqual(2_000);
    expect(result.intents).toBeGreaterThanOrEqual(20);
    expect(result.kills).toBeGreaterThanOrEqual(1);
    expect(result.crashes).toBeGreaterThanOrEqual(1);
  });

  test("the same seed gives the same run, another seed another one", async () => {
    const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });
});

describe("a deliberate defect", () => {
  test.each(defectNames)("%s is caught by its checker, and by nothing without it", async (name) => {
    const seed = await catchingSeed(name);
    expect(seed).not.toBeNull();
    const clean = await simulate(seed ?? 0);
    expect(clean.violation).toBeNull();
  });
});
