import { describe, expect, test } from "vitest";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import { AssertionError } from "../../../src/engine/lib/assert.ts";
import type { DurableLog } from "../../../src/engine/ports/durable-log.ts";
import { LedgerWriter } from "../../../src/engine/runtime/ledger-writer.ts";
import { StepJournal } from "../../../src/engine/runtime/step-journal.ts";
import { Stepper } from "../../../src/engine/runtime/stepper.ts";
import { createState } from "../../../src/engine/state/engine-state.ts";
import { plainHasher } from "../support/hasher.ts";
import { testSettings } from "../support/settings.ts";

const clock = { nowMs: () => 1, monotonicMs: () => 1, after: () => () => undefined };
const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

function openStepper(
  append: DurableLog["append"],
  watch: {
    readonly onBroken?: (error: unknown) => void;
    readonly onEffect?: () => void;
    readonly journal?: StepJournal;
  } = {},
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
  const state = createState();
  const run = { state, settings: testSettings(), hasher: plainHasher, nextSeq: 1 };
  watch.journal?.begun(run, 1);
  return new Stepper({
    state,
    ...(watch.journal !== undefined && { journal: watch.journal }),
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

describe("the journal of a stepper", () => {
  const lines = () => {
    const told: string[] = [];
    const journal = new StepJournal({
      step: (_atMs, text) => told.push(text),
      missed: () => told.push("missed"),
      flush: () => told.push("flush"),
    });
    return { told, journal };
  };

  test("keeps the input that broke an invariant, and has it written before the process ends", () => {
    const { told, journal } = lines();
    const stepper = openStepper(async () => undefined, { journal });
    const wrong = { kind: "no such input" } as unknown as EngineInput;
    expect(() => stepper.run(wrong, "c1")).toThrow(AssertionError);
    expect(JSON.parse(told[1] ?? "")).toEqual({
      n: 1,
      correlationId: "c1",
      input: wrong,
      broken: true,
    });
    expect(told.slice(2)).toEqual(["flush"]);
  });

  test("never stops a step: an input that cannot be encoded is missed, and the next one is kept", () => {
    const { told, journal } = lines();
    const stepper = openStepper(async () => undefined, { journal });
    const detail = { toJSON: () => JSON.parse("{") as string } as unknown as string;
    stepper.run({ kind: "heartbeat.changed", detail }, "c1");
    stepper.run({ kind: "clock.followed", byMs: 0 }, "c2");
    expect(told[1]).toBe("missed");
    expect(JSON.parse(told.at(-1) ?? "")).toMatchObject({ n: 2, correlationId: "c2" });
  });
});
