import { describe, expect, test } from "vitest";
import { freeShares } from "../../../src/engine/state/exposure.ts";
import {
  buy,
  callCard,
  confirmCall,
  makeCall,
  quoteCall,
  reported,
  submitted,
} from "../support/contract-calls.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { plain } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";

const merge = { kind: "merge", conditionId: plain.conditionId, size: null } as const;
const [yes] = plain.outcomes.map((one) => one.tokenId) as [string];

function deskWithPairs(size = 20): CoreDesk {
  const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
  buy(desk, plain, 0, size);
  buy(desk, plain, 1, size);
  return desk;
}

describe("kill and halt", () => {
  test("nothing new after a kill, and an open call is not sent again", () => {
    const desk = deskWithPairs();
    const card = callCard(desk, merge);
    desk.kill();
    expect(desk.notices()).not.toContainEqual(expect.objectContaining({ kind: "kill.report" }));
    expect(confirmCall(desk, card.nonce)).toMatchObject({ denial: { code: "killed" } });
    expect(quoteCall(desk, merge)).toMatchObject({ error: { code: "killed" } });
  });

  test("a kill names the call that it cannot take back", () => {
    const desk = deskWithPairs();
    const { actionId } = makeCall(desk, merge);
    desk.kill();
    const call = expect.objectContaining({ actionId }) as unknown;
    const report = { kind: "kill.report", orders: [], calls: [call], settled: true };
    expect(desk.notices()).toContainEqual(expect.objectContaining(report));
  });

  test("what was absent at a kill stays unsent and looked at", () => {
    const desk = deskWithPairs();
    const action = makeCall(desk, merge);
    submitted(desk, action.actionId, { kind: "unknown", detail: "timeout" });
    desk.kill();
    desk.drain();
    desk.pass(5_000, 1_000);
    expect(desk.drain()).toContainEqual({ kind: "action.query", actionId: action.actionId });
    reported(desk, action.actionId, { kind: "absent" });
    expect(desk.drain().filter((one) => one.kind === "action.submit")).toEqual([]);
    expect(freeShares(desk.state, yes)).toBe(0);
  });
});
