import { describe, expect, test } from "vitest";
import { scanSets } from "../../../src/engine/core/quote-set.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import { checkRisk } from "../../../src/engine/risk/check-risk.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { CoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { group, marketOf, plainRows, runners } from "../support/markets.ts";
import { replace } from "../support/random-run.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const market = marketOf(1, { ruleHash: "h1" });
const { conditionId } = market;
const request = { conditionId, amount: { unit: "usd", value: dollars(10) } } as const;
const resting = {
  conditionId,
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

function openDesk(): CoreDesk {
  const desk = new CoreDesk(testSettings()).start();
  desk.list(market);
  desk.nowMs += 1_000;
  desk.drain();
  return desk;
}

/** Gamma shows the market with other terms. */
function edit(desk: CoreDesk, ruleHash = "h2", one: Market = market): void {
  const answer = { markets: [{ ...one, ruleHash }], groups: [] };
  desk.run({ kind: "catalog.read", answer });
}

const told = (desk: CoreDesk) => desk.notices().filter((one) => one.kind === "rules.edited");
const accept = (desk: CoreDesk, ruleHash: string, id = conditionId) => {
  const asked = { do: "accept-rules", actor: trader, conditionId: id, ruleHash } as const;
  return desk.request("accept-rules", asked).value;
};

describe("an open card of a market whose terms were edited", () => {
  test("sends nothing; a new card takes its place, says so, and is good", () => {
    const desk = openDesk();
    const { nonce } = desk.card(request);
    edit(desk);
    desk.drain();
    const outcome = desk.confirm(nonce);
    expect(outcome).toMatchObject({ kind: "requoted", why: "rules_edited" });
    expect([desk.drain(), desk.state.orders.size]).toEqual([[], 0]);
    if (outcome.kind !== "requoted") throw new TypeError("no new card");
    expect(outcome.card.rulesEditedAtMs).toBe(desk.nowMs);
    // Shown in the moment of the edit, a card may be of before: only a later one is certainly not.
    expect(desk.confirm(outcome.card.nonce).kind).toBe("requoted");
    desk.nowMs += 1;
    const { nonce: later } = desk.card(request);
    expect(desk.confirm(later).kind).toBe("accepted");
  });

  test("is refused although the edit was accepted meanwhile: it showed the old terms", () => {
    const desk = openDesk();
    const { nonce } = desk.card(request);
    edit(desk);
    expect(accept(desk, "h2").ok).toBe(true);
    const outcome = desk.confirm(nonce);
    expect(outcome).toMatchObject({ kind: "requoted", why: "rules_edited" });
    if (outcome.kind === "requoted") expect(outcome.card.rulesEditedAtMs).toBeUndefined();
  });

  test("that is told once, over a restart too; the state is the same from its facts", () => {
    const desk = openDesk();
    desk.card(request);
    edit(desk);
    edit(desk);
    expect(told(desk)).toMatchObject([{ conditionId, ruleHash: "h2", isHeld: false, orders: [] }]);
    expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
    const again = refold(desk);
    edit(again);
    expect(told(again)).toHaveLength(1);
  });

  test("an old copy of the terms is no second edit; after ten minutes it is one", () => {
    const desk = openDesk();
    desk.place(resting);
    edit(desk);
    edit(desk, "h1");
    expect(desk.state.markets.get(conditionId)?.ruleHash).toBe("h2");
    edit(desk);
    expect(told(desk)).toHaveLength(1);
    desk.nowMs += 600_000;
    edit(desk, "h1");
    expect(told(desk)).toHaveLength(2);
    expect(desk.state.ruleEdits.get(conditionId)).toMatchObject({ from: "h2", to: "h1" });
  });

  test("an edit during a down time is noticed by the next read", () => {
    const desk = openDesk();
    desk.place(resting);
    const again = refold(desk);
    edit(again);
    expect(told(again)).toMatchObject([{ orders: [{ conditionId }] }]);
  });
});

describe("orders of a market whose terms were edited", () => {
  test("that rest are shown with the question; none is canceled by itself", () => {
    const desk = openDesk();
    const { clientOid } = desk.place(resting);
    const order = reportOf(desk.order(clientOid), "live");
    desk.run({ kind: "account", event: { kind: "order.reported", order } });
    desk.drain();
    edit(desk);
    expect(told(desk)).toMatchObject([{ orders: [{ clientOid }], moreOrders: 0 }]);
    expect(desk.drain()).toEqual([]);
    expect(desk.order(clientOid).cancelAskedAtMs).toBeNull();
  });

  test("that the venue did not take are not sent a second time", () => {
    const desk = openDesk();
    const { clientOid } = desk.place(request);
    const outcome = {
      kind: "not_taken",
      reason: "rate_limited",
      retryAfterMs: null,
      detail: "",
    } as const;
    desk.nowMs += 10;
    edit(desk);
    desk.drain();
    desk.run({ kind: "post.finished", clientOid, outcome });
    desk.run({ kind: "query.finished", clientOid, outcome: { kind: "absent" }, fills: [] });
    desk.pass(5_000, 100);
    desk.run({ kind: "query.finished", clientOid, outcome: { kind: "absent" }, fills: [] });
    expect(desk.drain().filter((effect) => effect.kind === "order.post")).toEqual([]);
    expect(desk.order(clientOid).status).toBe("rejected");
  });

  test("whose price change is under way get no new order", () => {
    const desk = openDesk();
    const { clientOid } = desk.place(resting);
    const live = reportOf(desk.order(clientOid), "live");
    desk.run({ kind: "account", event: { kind: "order.reported", order: live } });
    expect(replace(desk, clientOid, priceOf("0.45"))?.kind).toBe("replacing");
    desk.nowMs += 10;
    edit(desk);
    const ended = reportOf(desk.order(clientOid), "ended");
    desk.run({ kind: "account", event: { kind: "order.reported", order: ended } });
    expect(desk.drain().some((effect) => effect.kind === "replace.sign")).toBe(false);
    expect(desk.notices().findLast((one) => one.kind === "replace.failed")).toMatchObject({
      denial: { code: "rules_edited" },
    });
  });
});

describe("strategies", () => {
  const legs = runners.map((runner) => ({ ...runner, ruleHash: "r1" }));
  const setId = `l:${group.groupId}`;
  const cheap = { bids: [["0.25", "500"]], asks: [["0.3", "100"]] } as const;
  const [first] = legs;
  if (first === undefined) throw new TypeError("no runners");

  function race(): CoreDesk {
    const risk = { maxNotionalPerOrderUsd: dollars(10_000) };
    const desk = new CoreDesk(testSettings({ risk })).start();
    for (const leg of legs) desk.list(leg, cheap, [group]);
    desk.nowMs += 1_000;
    desk.drain();
    return desk;
  }
  const verdict = (desk: CoreDesk) => {
    const { sets } = scanSets(desk.state, desk.settings, desk.nowMs);
    const found = sets.find((one) => one.setId === setId);
    return found?.refusal?.code ?? found?.verdict;
  };
  const quoteSet = (desk: CoreDesk) => {
    const asked = { do: "quote-set", actor: trader, commandId: "s", setId, size: null } as const;
    return desk.request("quote-set", asked).value;
  };

  test("leave an edited market alone until a person accepts exactly these terms", () => {
    const desk = race();
    expect(verdict(desk)).toBe("profitable");
    edit(desk, "r2", first);
    expect([verdict(desk), desk.state.ruleEdits.size]).toEqual(["rules_edited", 1]);
    expect(quoteSet(desk)).toMatchObject({ ok: false, error: { code: "rules_edited" } });
    // Nothing stands on it, so nobody is disturbed.
    expect(told(desk)).toEqual([]);
    expect(accept(desk, "r1", first.conditionId)).toMatchObject({
      error: { code: "rules_edited" },
    });
    expect(verdict(desk)).toBe("rules_edited");
    expect(accept(desk, "r2", first.conditionId).ok).toBe(true);
    expect(verdict(desk)).toBe("profitable");
    edit(desk, "r3", first);
    expect(verdict(desk)).toBe("rules_edited");
    expect(accept(desk, "r2", first.conditionId)).toMatchObject({
      error: { code: "rules_edited" },
    });
  });

  test("an open card of a set is refused, and told of", () => {
    const desk = race();
    const card = quoteSet(desk);
    if (!card.ok) throw new TypeError("no card");
    edit(desk, "r2", first);
    expect(told(desk)).toHaveLength(1);
    const subject = first.question;
    expect(desk.confirm(card.value.nonce)).toEqual({
      kind: "refused",
      denial: { code: "rules_edited", subject },
    });
    expect(desk.state.orders.size).toBe(0);
  });
});

test("the gate itself refuses a strategy's order on edited terms, not a person's own", () => {
  const desk = openDesk();
  const { draft } = desk.place(resting);
  edit(desk);
  desk.nowMs += 10_000;
  desk.book(market, plainRows);
  const ask = (strategy: "manual" | "dutch") =>
    checkRisk(desk.state, desk.settings, {
      drafts: [draft],
      nowMs: desk.nowMs,
      userId: trader.userId,
      strategy,
      gate: false,
    });
  expect(ask("dutch")).toMatchObject({ ok: false, error: { code: "rules_edited" } });
  expect(ask("manual").ok).toBe(true);
});

test("who holds shares is told; a market of which the hash was not known before is no edit", () => {
  const desk = openDesk();
  const order = desk.place(request);
  const fill = fillOf(order, "f", 5_000_000, { status: "confirmed" });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  const before = marketOf(2);
  desk.run({ kind: "catalog.read", answer: { markets: [before], groups: [] } });
  edit(desk, "x", before);
  expect(told(desk)).toEqual([]);
  edit(desk);
  expect(told(desk)).toMatchObject([{ isHeld: true }]);
});
