import { describe, expect, test } from "vitest";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import type { DurableLog } from "../../../src/engine/ports/durable-log.ts";
import { LedgerWriter } from "../../../src/engine/runtime/ledger-writer.ts";
import { Stepper } from "../../../src/engine/runtime/stepper.ts";
import { createState } from "../../../src/engine/state/engine-state.ts";
import { plainHasher } from "../support/hasher.ts";
import { testSettings } from "../support/settings.ts";

const clock = { nowMs: () => 1, monotonicMs: () => 1, after: () => () => undefined };
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

function openStepper(
  append: DurableLog["append"],
  watch: { readonly onBroken?: (error: unknown) => void; readonly onEffect?: () => void } = {},
) {
  const ledger = new LedgerWriter({
    log: {
      append,
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
  return new Stepper({
    state: createState(),
    settings: testSettings(),
    hasher: plainHasher,
    clock,
    entropy: { hex: () => "00", salt: () => 1 },
    faultPoints: { hit: () => undefined },
    logger,
    ledger,
    runEffect: () => watch.onEffect?.(),
    onDurable: () => undefined,
    onCommitted: () => undefined,
    onBroken: (error) => watch.onBroken?.(error),
  });
}

describe("an answer that speaks of facts which are still being written", () => {
  const command = {
    commandId: "tg:1",
    actor: { userId: 7, chatId: 7 },
    text: "/status",
    kind: "message",
    messageId: 1,
    sentAtMs: 1,
  } as const;
  const receive: EngineInput = { kind: "request", request: { do: "receive", command } };

  test("waits for them: the second copy of a command is a duplicate only of a kept one", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stepper = openStepper(() => promise);
    const first = stepper.run(receive, "tg:1");
    const second = stepper.run(receive, "tg:1");
    expect([first.reply, second.reply]).toEqual([
      { to: "receive", value: "new" },
      { to: "receive", value: "duplicate" },
    ]);
    let told = false;
    const telling = second.durable.then(() => {
      told = true;
    });
    await Promise.resolve();
    expect(told).toBe(false);
    resolve();
    await telling;
    expect(told).toBe(true);
  });

  test("fails with them", async () => {
    const stepper = openStepper(() => Promise.reject(new AssertionError("the disk is full")));
    stepper.run(receive, "tg:1").durable.catch(() => undefined);
    await expect(stepper.run(receive, "tg:1").durable).rejects.toThrow("the disk is full");
  });
});

describe("a step that breaks an invariant", () => {
  test("is reported before anything of it can be used, and nothing of it is kept", () => {
    const broken: unknown[] = [];
    const kept: string[] = [];
    const append: DurableLog["append"] = async (records) => {
      kept.push(...records.map((record) => record.kind));
    };
    const stepper = openStepper(append, {
      onBroken: (error) => broken.push(error),
      onEffect: () => kept.push("effect"),
    });
    const impossible = { kind: "impossible" } as unknown as EngineInput;
    expect(() => stepper.run(impossible, "test")).toThrow(AssertionError);
    expect(broken).toEqual([expect.any(AssertionError)]);
    expect(kept).toEqual([]);
  });
});
