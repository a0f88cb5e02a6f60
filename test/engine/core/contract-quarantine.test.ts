import { describe, expect, test } from "vitest";
import { freeShares } from "../../../src/engine/state/exposure.ts";
import { buy, callOf, makeCall, reported, submitted } from "../support/contract-calls.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { plain } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";

const merge = { kind: "merge", conditionId: plain.conditionId, size: null } as const;
const yes = plain.outcomes[0].tokenId;

/** Pairs to merge, and calls whose bytes are sent once only. */
function deskWithPairs(): CoreDesk {
  const settings = testSettings({
    risk: { duplicateWindowMs: 0 },
    contracts: { resendWindowMs: 0 },
  });
  const desk = openCoreDesk(settings);
  buy(desk, plain, 0, 20);
  buy(desk, plain, 1, 20);
  return desk;
}

describe("a call that nobody has", () => {
  const { quarantineMs } = testSettings().waits;

  /** Time with a clean look that finds nothing every five seconds. */
  function absentFor(desk: CoreDesk, actionId: string, ms: number): void {
    for (const endMs = desk.nowMs + ms; desk.nowMs < endMs; ) {
      desk.pass(5_000, 1_000);
      reported(desk, actionId, { kind: "absent" });
    }
  }

  test("an answer that slept with the process says what was there before", () => {
    const desk = deskWithPairs();
    const { actionId } = makeCall(desk, merge);
    submitted(desk, actionId, { kind: "unknown", detail: "timeout" });
    absentFor(desk, actionId, quarantineMs - 10_000);
    desk.pass(5_000, 1_000);
    desk.nowMs += 60_000;
    reported(desk, actionId, { kind: "absent" });
    expect(callOf(desk, actionId).status).toBe("unknown");
    absentFor(desk, actionId, 20_000);
    expect(callOf(desk, actionId).status).toBe("failed");
  });

  const aheadMs = 3_600_000;
  const followed = (desk: CoreDesk): CoreDesk => {
    desk.nowMs += aheadMs;
    desk.run({ kind: "clock.followed", byMs: aheadMs });
    return desk;
  };
  const restarted = (desk: CoreDesk): CoreDesk => {
    const again = refold(desk);
    again.nowMs += aheadMs;
    return again.start();
  };
  test.each([
    ["a clock that is set forward by an hour", followed],
    ["a start whose clock is an hour ahead", restarted],
  ])("%s adds nothing to its quarantine", (_, happen) => {
    const desk = deskWithPairs();
    const { actionId } = makeCall(desk, merge);
    submitted(desk, actionId, { kind: "unknown", detail: "timeout" });
    absentFor(desk, actionId, quarantineMs - 10_000);
    const now = happen(desk);
    absentFor(now, actionId, quarantineMs - 10_000);
    expect(callOf(now, actionId).status).toBe("unknown");
    expect(freeShares(now.state, yes)).toBe(0);
    absentFor(now, actionId, 20_000);
    expect(callOf(now, actionId).status).toBe("failed");
  });
});
