import type { Defect } from "./defects.ts";
import type { Violation } from "./judge.ts";
import { simulate } from "./simulation.ts";

/** A defect that no run of so many seeds shows is not caught. */
const mostSeeds = 200;

export type Catch = { readonly seed: number; readonly violation: Violation };

/** The first seed, from the known one on, whose run with the defect breaks exactly the wanted property. */
export async function catchDefect(defect: Defect): Promise<Catch | null> {
  for (let i = 0; i < mostSeeds; i++) {
    const seed = ((defect.seed - 1 + i) % mostSeeds) + 1;
    const ignored = defect.ignored ?? [];
    const { violation } = await simulate(seed, { sabotage: defect, ignored });
    if (violation?.property === defect.property) return { seed, violation };
  }
  return null;
}
