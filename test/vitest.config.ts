import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Begun first, in this order: the files that take longest, so that none of them runs alone at the end, and between those that
 * start many services some that do not.
 */
const longest = [
  "test/desk/scripts.test.ts",
  "test/sim/sim.test.ts",
  "test/cli/command-line.test.ts",
  "test/cli/tape-commands.test.ts",
  "test/adapters/polymarket/signing.test.ts",
  "test/cli/service-runs.test.ts",
  "test/desk/crash.test.ts",
  "test/heavy/postgres-desk.test.ts",
  "test/faults/disk.test.ts",
  "test/desk/canary.test.ts",
  "test/kill/kill.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    root: new URL("..", import.meta.url).pathname,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Many tests wait for a process or a clock: one more than there are cores.
    maxWorkers: 3,
    cache: false,
    sequence: { sequencer: LongestFirst },
  },
});
