import { describe, expect, test } from "vitest";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import { LedgerWriter } from "../../../src/engine/runtime/ledger-writer.ts";
import { Stepper } from "../../../src/engine/runtime/stepper.ts";
import { createState } from "../../../src/engine/state/engine-state.ts";
import { plainHasher } from "../support/hasher.ts";
import { testSettings } from "../support/settings.ts";

const clock = { nowMs: () => 1, monotonicMs: () => 1, after: () => () => undefined };
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe("a step that breaks an invariant", () => {
  test("is reported before anything of it can be used, and nothing of it is kept", () => {
    const broken: unknown[] = [];
    const kept: string[] = [];
    const ledger = new LedgerWriter({
      log: {
        append: async (records) => {
          kept.push(...records.map((record) => record.kind));
        },
        read: async () => [],
        lastSeq: async () => 0,
        close: async () => undefined,
      },
      clock,
      logger,
      nextSeq: 1,
      commitMaxMs: 1_000,
      onFailure: () => undefined,
      onLate: () => undefined,
    });
    const stepper = new Stepper({
      state: createState(),
      settings: testSettings(),
      hasher: plainHasher,
      clock,
      entropy: { hex: () => "00", salt: () => 1 },
      faultPoints: { hit: () => undefined },
      logger,
      ledger,
      runEffect: () => kept.push("effect"),
      onCommitted: () => undefined,
      onBroken: (error) => broken.push(error),
    });
    const impossible = { kind: "impossible" } as unknown as EngineInput;
    expect(() => stepper.run(impossible, "test")).toThrow(AssertionError);
    expect(broken).toEqual([expect.any(AssertionError)]);
    expect(kept).toEqual([]);
  });
});
