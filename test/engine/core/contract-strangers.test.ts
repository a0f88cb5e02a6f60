import { describe, expect, test } from "vitest";
import { freeShares } from "../../../src/engine/state/exposure.ts";
import { buy, done, makeCall, reported, sharesOf, submitted } from "../support/contract-calls.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { plain } from "../support/markets.ts";
import { testSettings } from "../support/settings.ts";
import { foreign } from "../support/venue-reports.ts";

const merge = { kind: "merge", conditionId: plain.conditionId, size: null } as const;
const split = { kind: "split", conditionId: plain.conditionId, size: sharesOf(40) } as const;
const [yes, no] = plain.outcomes.map((one) => one.tokenId) as [string, string];

describe("a stranger sells while a call is under way", () => {
  test("what a merge misses is taken from shares that are bought, when those are confirmed", () => {
    const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
    buy(desk, plain, 0, 20);
    buy(desk, plain, 1, 20);
    const action = makeCall(desk, merge);
    const { fill } = foreign(1, "sell", sharesOf(8));
    const report = { ...fill, status: "confirmed" } as const;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
    const bought = buy(desk, plain, 0, 10, "provisional");
    reported(desk, action.actionId, done(0));
    expect(desk.state.positions.get(yes)).toMatchObject({ confirmed: 0, owed: sharesOf(8) });
    expect(freeShares(desk.state, yes)).toBe(0);
    const confirmed = { ...bought, status: "confirmed" } as const;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: confirmed } });
    expect(desk.state.positions.get(yes)).toMatchObject({
      confirmed: sharesOf(2),
      provisionalSold: 0,
      owed: 0,
    });
  });

  test("what was sold of a split before it was final is gone when it is", () => {
    const desk = openCoreDesk();
    const action = makeCall(desk, { ...split, size: sharesOf(20) });
    submitted(desk, action.actionId, { kind: "accepted", reference: "0xsent" });
    const { fill } = foreign(1, "sell", sharesOf(8));
    const report = { ...fill, status: "confirmed" } as const;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
    reported(desk, action.actionId, done(0));
    expect(desk.state.positions.get(yes)).toMatchObject({
      confirmed: sharesOf(12),
      provisionalSold: 0,
      owed: 0,
    });
    expect([yes, no].map((tokenId) => freeShares(desk.state, tokenId))).toEqual([
      sharesOf(12),
      sharesOf(20),
    ]);
  });
});
