import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { explain } from "../../src/bot/render/explain.ts";
import { explainHalt, isHaltReason } from "../../src/bot/render/explain-halt.ts";
import { explainReject } from "../../src/bot/render/explain-order.ts";
import { explainReducing, isReducingReason } from "../../src/bot/render/explain-reducing.ts";
import type {
  DenyReason,
  HaltReason,
  ReducingReason,
  RejectReason,
} from "../../src/engine/domain/reasons.ts";

const source = readFileSync(new URL("../../src/engine/domain/reasons.ts", import.meta.url), "utf8");

/** Every member of a closed set, read from its declaration, so that a new one cannot be left out here. */
function membersOf<T extends string>(name: string): T[] {
  const declared = new RegExp(`export type ${name} =\\n((?: {2}(?:\\||/?\\*).*\\n)*)`).exec(source);
  const members = [...(declared?.[1] ?? "").matchAll(/^ {2}\| "(\w+)"/gm)];
  return members.map((match) => match[1] as T);
}

const deny = membersOf<DenyReason>("DenyReason");
const reject = membersOf<RejectReason>("RejectReason");
const halts = membersOf<HaltReason>("HaltReason");
const reducing = membersOf<ReducingReason>("ReducingReason");

test("the sets were read whole: not a member less than their declarations quote", () => {
  const sets = [deny, reject, halts, reducing];
  expect(sets.map((set) => set.length > 8)).toEqual([true, true, true, true]);
  const quoted = [...source.matchAll(/^ {2}\| "\w+"/gm)].length;
  expect(sets.reduce((sum, set) => sum + set.length, 0)).toBe(quoted);
});

/** A plain sentence: words, one line, nothing of the program's own values. */
function expectPlain(text: string): void {
  expect(text).toMatch(/[a-z]{2,} [a-z]/i);
  expect(text).not.toMatch(/\n|undefined|null|NaN|\[object/);
}

describe("every reason has its words", () => {
  test.each(deny)("we refuse for %s: what, where the money is, what to do", (code) => {
    for (const denial of [
      { code },
      { code, limit: 1_000_000, wanted: 2_000_000, subject: "x\ny" },
    ]) {
      for (const line of Object.values(explain(denial))) expectPlain(line);
    }
  });

  test.each(reject)("the venue says %s", (reason) => {
    for (const line of Object.values(explainReject(reason))) expectPlain(line);
  });

  test.each(halts)("halted: %s", (reason) => {
    const { what, todo } = explainHalt(reason);
    expectPlain(what);
    expectPlain(todo);
    expect(isHaltReason(reason)).toBe(true);
    // A pause names its halt.
    const denied = explain({ code: "paused", subject: reason });
    expect(denied.what).toContain(what);
    expect(denied.todo).toContain(todo);
  });

  test.each(reducing)("only sales: %s", (cause) => {
    const { what, end } = explainReducing(cause);
    expectPlain(what);
    expectPlain(end);
    expect(isReducingReason(cause)).toBe(true);
  });

  test("no two halts and no two restrictions read alike", () => {
    expect(new Set(halts.map((reason) => explainHalt(reason).what)).size).toBe(halts.length);
    expect(new Set(reducing.map((cause) => explainReducing(cause).what)).size).toBe(
      reducing.length,
    );
  });
});
