import { describe, expect, test } from "vitest";
import { deskView } from "../../../src/engine/core/desk-view.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { exposureOf, freeCash, freeShares } from "../../../src/engine/state/exposure.ts";
import {
  buy,
  callCard,
  callOf,
  confirmCall,
  done,
  makeCall,
  quoteCall,
  reported,
  sharesOf,
  submitted,
} from "../support/contract-calls.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { group, marketOf, plain } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";

const merge = { kind: "merge", conditionId: plain.conditionId, size: null } as const;
const [yes, no] = plain.outcomes.map((one) => one.tokenId) as [string, string];

function deskWithPairs(size = 20): CoreDesk {
  const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
  buy(desk, plain, 0, size);
  buy(desk, plain, 1, size);
  return desk;
}

function held(desk: CoreDesk, tokenId: string): number {
  return desk.state.positions.get(tokenId)?.confirmed ?? 0;
}

describe("merge", () => {
  test("takes both outcomes, gives a dollar a pair, and gas lowers the profit", () => {
    const desk = deskWithPairs();
    const cash = desk.state.cash ?? 0;
    const card = callCard(desk, merge);
    expect(card.givesUsd).toBe(dollars(20));
    // 20 pairs cost 2 x 20 x 0.53; the card counts gas at its bound.
    expect(card.profitUsd).toBe(dollars(20 - 21.2 - 0.1));
    const action = makeCall(desk, merge);
    expect(desk.drain()).toContainEqual({ kind: "action.submit", actionId: action.actionId });
    submitted(desk, action.actionId, { kind: "accepted", reference: "0xsent" });
    // Nothing moves in the books before it is final.
    expect(held(desk, yes)).toBe(sharesOf(20));
    expect(desk.state.cash).toBe(cash);
    reported(desk, action.actionId, done(0.05));
    expect([held(desk, yes), held(desk, no)]).toEqual([0, 0]);
    expect(desk.state.cash).toBe(cash + dollars(20));
    expect(desk.state.day.realizedUsd).toBe(dollars(20 - 21.2 - 0.05));
    expect(callOf(desk, action.actionId).profitUsd).toBe(dollars(20 - 21.2 - 0.05));
    const realized = [yes, no].reduce(
      (sum, id) => sum + (desk.state.positions.get(id)?.realizedUsd ?? 0),
      0,
    );
    expect(realized).toBe(dollars(20 - 21.2 - 0.05));
    expect(exposureOf(desk.state).total).toBe(0);
  });

  test("its shares are promised from the commit on, and free again when it fails", () => {
    const desk = deskWithPairs();
    const action = makeCall(desk, { ...merge, size: sharesOf(15) });
    expect(freeShares(desk.state, yes)).toBe(sharesOf(5));
    reported(desk, action.actionId, {
      kind: "reverted",
      reference: "0xr",
      gasUsd: dollars(0.07),
      detail: "execution reverted",
    });
    expect(freeShares(desk.state, yes)).toBe(sharesOf(20));
    expect(held(desk, yes)).toBe(sharesOf(20));
    // The gas of a failed call is lost all the same.
    expect(desk.state.day.realizedUsd).toBe(dollars(-0.07));
  });

  test("takes no share that the venue has not confirmed", () => {
    const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
    buy(desk, plain, 0, 20);
    buy(desk, plain, 1, 20, "provisional");
    expect(quoteCall(desk, merge)).toMatchObject({
      ok: false,
      error: { code: "insufficient_shares" },
    });
    expect(quoteCall(desk, { ...merge, size: sharesOf(5) })).toMatchObject({
      ok: false,
      error: { code: "insufficient_shares", limit: 0 },
    });
  });

  test("only one call is open at a time", () => {
    const desk = deskWithPairs();
    const second = callCard(desk, { ...merge, size: sharesOf(5) });
    makeCall(desk, { ...merge, size: sharesOf(5) });
    const outcome = confirmCall(desk, second.nonce);
    expect(outcome).toMatchObject({ kind: "refused", denial: { code: "action_pending" } });
  });

  test("a card is used once, for exactly what it showed", () => {
    const desk = deskWithPairs();
    const card = callCard(desk, merge);
    buy(desk, plain, 0, 5);
    buy(desk, plain, 1, 5);
    // "max" means more now than the card said.
    expect(confirmCall(desk, card.nonce)).toMatchObject({ denial: { code: "price_moved" } });
    const fresh = callCard(desk, merge);
    const first = confirmCall(desk, fresh.nonce);
    expect(first.kind).toBe("accepted");
    expect(confirmCall(desk, fresh.nonce)).toMatchObject({ denial: { code: "card_used" } });
    expect(desk.state.actions.size).toBe(1);
  });

  test("gas above the cap, or above what the card showed, is refused", () => {
    const desk = deskWithPairs();
    expect(quoteCall(desk, merge, { gasMaxUsd: dollars(0.6) })).toMatchObject({
      error: { code: "cap_gas", limit: dollars(0.5), wanted: dollars(0.6) },
    });
    const card = callCard(desk, merge);
    const dear = {
      route: "chain",
      body: "0x1",
      callHash: "0x2",
      nonce: "1",
      gasMaxUsd: dollars(0.11),
      expiresAtMs: null,
    } as const;
    expect(confirmCall(desk, card.nonce, dear)).toMatchObject({ denial: { code: "cap_gas" } });
    expect(desk.state.actions.size).toBe(0);
  });
});

describe("split", () => {
  const split = { kind: "split", conditionId: plain.conditionId, size: sharesOf(40) } as const;

  test("its dollars and its exposure are reserved until it is final", () => {
    const desk = openCoreDesk();
    const before = freeCash(desk.state);
    const action = makeCall(desk, split);
    expect(freeCash(desk.state)).toBe(before - dollars(40));
    expect(exposureOf(desk.state).total).toBe(dollars(40));
    expect(exposureOf(desk.state).byToken.get(yes)).toBe(dollars(20));
    reported(desk, action.actionId, done());
    expect([held(desk, yes), held(desk, no)]).toEqual([sharesOf(40), sharesOf(40)]);
    expect(exposureOf(desk.state).total).toBe(dollars(40));
    expect(desk.state.cash).toBe(before - dollars(40));
    // Split and merged again: nothing is won but the gas is lost.
    const back = makeCall(desk, merge);
    reported(desk, back.actionId, done());
    expect(desk.state.day.realizedUsd).toBe(dollars(-0.1));
    expect(desk.state.cash).toBe(before);
  });

  test("its cost lies on the outcomes as their prices do, a book that nobody believes means even odds", () => {
    const desk = openCoreDesk();
    desk.book(plain, { bids: [["0.19", "500"]], asks: [["0.21", "500"]] });
    reported(desk, makeCall(desk, split).actionId, done());
    expect(exposureOf(desk.state).byToken.get(yes)).toBe(dollars(8));
    expect(exposureOf(desk.state).byToken.get(no)).toBe(dollars(32));
    const blind = openCoreDesk();
    blind.book(plain, { bids: [["0.19", "500"]], asks: [] });
    reported(blind, makeCall(blind, split).actionId, done());
    expect(exposureOf(blind.state).byToken.get(yes)).toBe(dollars(20));
    const card = callCard(desk, { ...merge, size: sharesOf(20) });
    expect(card.profitUsd).toBe(dollars(-0.1));
  });

  test("caps hold it back like a buy", () => {
    const desk = openCoreDesk();
    const of = (size: number) => quoteCall(desk, { ...split, size: sharesOf(size) });
    expect(of(401)).toMatchObject({ error: { code: "cap_market" } });
    expect(of(400).ok).toBe(true);
    const tight = openCoreDesk(testSettings({ risk: { maxExposurePerOutcomeUsd: dollars(10) } }));
    expect(quoteCall(tight, split)).toMatchObject({ error: { code: "cap_outcome" } });
    const total = openCoreDesk(testSettings({ risk: { maxExposureTotalUsd: dollars(39) } }));
    expect(quoteCall(total, split)).toMatchObject({ error: { code: "cap_total" } });
    const event = openCoreDesk(testSettings({ risk: { maxExposurePerEventUsd: dollars(39) } }));
    expect(quoteCall(event, split)).toMatchObject({ error: { code: "cap_event" } });
    const poor = openCoreDesk();
    poor.read("periodic", { cash: dollars(30) });
    expect(quoteCall(poor, split)).toMatchObject({ error: { code: "insufficient_cash" } });
  });
});

describe("redeem", () => {
  const resolve = (desk: CoreDesk, winner: string) =>
    desk.resolve(plain, plain.outcomes[0].tokenId === winner ? 0 : 1);
  const redeem = { kind: "redeem", conditionId: plain.conditionId } as const;

  test("a resolved market leaves a claim; redeeming moves its dollars, once", () => {
    const desk = deskWithPairs(10);
    buy(desk, plain, 0, 5);
    resolve(desk, yes);
    expect(desk.drain()).toContainEqual({ kind: "claim.read", conditionId: plain.conditionId });
    expect(desk.state.claims.get(plain.conditionId)?.paysUsd).toBe(dollars(15));
    const cash = desk.state.cash ?? 0;
    const realized = desk.state.day.realizedUsd;
    const action = makeCall(desk, redeem);
    reported(desk, action.actionId, done(0.02));
    expect(desk.state.cash).toBe(cash + dollars(15));
    // Winning was counted when the market was resolved; only gas is new.
    expect(desk.state.day.realizedUsd).toBe(realized - dollars(0.02));
    expect(desk.state.claims.size).toBe(0);
    expect(quoteCall(desk, redeem)).toMatchObject({ error: { code: "nothing_to_redeem" } });
  });

  test("a resolution that nobody heard is heard when the market is looked up, once", () => {
    const desk = deskWithPairs(10);
    const answer = { markets: [{ ...plain, tradable: false, winner: 1 as const }], groups: [] };
    desk.run({ kind: "catalog.read", answer });
    expect(desk.state.claims.get(plain.conditionId)).toMatchObject({ winningTokenId: no });
    const { length } = desk.facts;
    desk.run({ kind: "catalog.read", answer });
    resolve(desk, no);
    expect(desk.facts).toHaveLength(length);
    expect(callCard(desk, redeem).givesUsd).toBe(dollars(10));
  });

  test("losing shares alone pay nothing", () => {
    const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
    buy(desk, plain, 1, 10);
    resolve(desk, yes);
    expect(callCard(desk, redeem).givesUsd).toBe(0);
  });

  test("a claim that somebody else was paid for is closed, one that is there stays", () => {
    const desk = deskWithPairs(10);
    resolve(desk, yes);
    const { conditionId } = plain;
    const left = (size: number) => [
      { tokenId: yes, size: sharesOf(size) },
      { tokenId: no, size: sharesOf(0) },
    ];
    desk.run({ kind: "claim.read", conditionId, sizes: null });
    desk.run({ kind: "claim.read", conditionId, sizes: left(10) });
    expect(desk.state.claims.size).toBe(1);
    desk.run({ kind: "claim.read", conditionId, sizes: left(0) });
    expect(desk.state.claims.size).toBe(0);
  });

  test("waits for fills that may still be undone", () => {
    const desk = deskWithPairs(10);
    buy(desk, plain, 0, 5, "provisional");
    resolve(desk, yes);
    expect(quoteCall(desk, redeem)).toMatchObject({ error: { code: "not_confirmed" } });
  });

  test("a merge that is final only after the resolution takes from the claim, never below zero", () => {
    const desk = deskWithPairs(10);
    const cash = desk.state.cash ?? 0;
    const action = makeCall(desk, { ...merge, size: sharesOf(4) });
    resolve(desk, yes);
    const settled = desk.state.day.realizedUsd;
    reported(desk, action.actionId, done(0));
    expect(desk.state.claims.get(plain.conditionId)?.paysUsd).toBe(dollars(6));
    expect(desk.state.cash).toBe(cash + dollars(4));
    // The four dollars were profit already when the market was resolved.
    expect(desk.state.day.realizedUsd).toBe(settled);
    for (const position of desk.state.positions.values()) {
      expect(position.confirmed).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("convert", () => {
  const marketId = `0x${"ab".repeat(31)}00`;
  const runners = [11, 12, 13, 14].map((n, i) =>
    marketOf(n, { negRisk: true, groupId: "77", negRiskMarketId: marketId, questionIndex: i }),
  );
  const race = { ...group, conditionIds: runners.map((one) => one.conditionId) };
  const [a, , c, d] = runners as [Market, Market, Market, Market];

  function deskWithNo(sizes: readonly number[]): CoreDesk {
    const desk = openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0 } }));
    for (const market of runners) desk.list(market, undefined, [race]);
    sizes.forEach((size, i) => {
      if (size > 0) buy(desk, runners[i] as Market, 1, size);
    });
    return desk;
  }

  test("k NO become YES of the rest and k-1 dollars, less the fee, as the contract rounds it", () => {
    const desk = deskWithNo([10, 10, 0, 0]);
    const cash = desk.state.cash ?? 0;
    const size = 7_000_003 as ReturnType<typeof sharesOf>;
    const request = { kind: "convert", conditionId: a.conditionId, size } as const;
    const card = callCard(desk, request, { feeBips: 25 });
    // The contract: fee = amount * bips / 10000 rounded down, and everything out is on amount - fee.
    const out = Number(7_000_003n - (7_000_003n * 25n) / 10_000n);
    expect(card.givesUsd).toBe(out);
    expect(card.gives.map((leg) => [leg.tokenId, leg.size])).toEqual([
      [c.outcomes[0].tokenId, out],
      [d.outcomes[0].tokenId, out],
    ]);
    const action = makeCall(desk, request, { feeBips: 25 });
    expect(action.terms.call).toMatchObject({ marketId, questions: [0, 1], questionCount: 4 });
    const costBefore = exposureOf(desk.state).total;
    reported(desk, action.actionId, done(0));
    expect(held(desk, a.outcomes[1].tokenId)).toBe(sharesOf(10) - size);
    expect(held(desk, c.outcomes[0].tokenId)).toBe(out);
    expect(desk.state.cash).toBe(cash + out);
    // Cash out lowers the cost that moves over; nothing is made from nothing.
    const costNow = [...desk.state.positions.values()].reduce((sum, one) => sum + one.cost, 0);
    expect(costNow + out - desk.state.day.realizedUsd).toBe(
      [...desk.state.fills.values()].reduce((sum, fill) => sum + fill.money + fill.fee, 0),
    );
    expect(exposureOf(desk.state).total).toBeLessThanOrEqual(costBefore);
  });

  test("markets in which fewer NO are held are left out", () => {
    const desk = deskWithNo([10, 5, 0, 0]);
    const card = callCard(desk, { kind: "convert", conditionId: a.conditionId, size: null });
    expect(card.takes.map((leg) => leg.tokenId)).toEqual([a.outcomes[1].tokenId]);
    expect(card.givesUsd).toBe(0);
    expect(card.gives).toHaveLength(3);
  });

  test("an event that may grow, or whose questions are not all known, is refused", () => {
    const desk = deskWithNo([10, 0, 0, 0]);
    const request = { kind: "convert", conditionId: a.conditionId, size: null } as const;
    desk.run({
      kind: "catalog.read",
      answer: { markets: [], groups: [{ ...race, augmented: true }] },
    });
    expect(quoteCall(desk, request)).toMatchObject({ error: { code: "set_augmented" } });
    const grown = { ...race, conditionIds: [...race.conditionIds, "0xmissing"] };
    desk.run({ kind: "catalog.read", answer: { markets: [], groups: [grown] } });
    expect(quoteCall(desk, request)).toMatchObject({ error: { code: "action_unsupported" } });
    expect(quoteCall(desk, { ...request, conditionId: plain.conditionId })).toMatchObject({
      error: { code: "action_unsupported" },
    });
  });
});

test("the desk's state names an open call until it ends", () => {
  const desk = deskWithPairs();
  const warnings = () => {
    const extra = { catalogAtMs: null, warnings: [], framesInvalid: 0 };
    return deskView(desk.state, desk.settings, desk.nowMs, extra).warnings.join();
  };
  const action = makeCall(desk, merge);
  expect(warnings()).toContain("a contract call is under way");
  submitted(desk, action.actionId, { kind: "unknown", detail: "timeout" });
  expect(warnings()).toContain("unknown outcome");
  reported(desk, action.actionId, done());
  expect(warnings()).not.toContain("contract call");
});

test("after a restart nobody knows what became of a call in flight, and it stays reserved", () => {
  const desk = deskWithPairs();
  const action = makeCall(desk, merge);
  const again = refold(desk);
  again.run({ kind: "run.start" });
  expect(callOf(again, action.actionId).status).toBe("unknown");
  expect(freeShares(again.state, yes)).toBe(0);
  expect(again.drain().filter((one) => one.kind === "action.submit")).toEqual([]);
});

test("folding the facts gives the same books, byte for byte", () => {
  const desk = deskWithPairs();
  const first = makeCall(desk, { ...merge, size: sharesOf(4) });
  submitted(desk, first.actionId, { kind: "unknown", detail: "timeout" });
  expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
  reported(desk, first.actionId, done());
  makeCall(desk, { kind: "split", conditionId: plain.conditionId, size: sharesOf(3) });
  expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
  expect(foldedState(desk).actions.size).toBe(2);
});
