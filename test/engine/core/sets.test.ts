import { describe, expect, test } from "vitest";
import type { SetView } from "../../../src/engine/api/views.ts";
import { scanSets } from "../../../src/engine/core/quote-set.ts";
import type { Market, MarketGroup } from "../../../src/engine/domain/market.ts";
import { price, type Rate } from "../../../src/engine/domain/numbers.ts";
import { CoreDesk, trader } from "../support/core-desk.ts";
import { sharesOf } from "../support/levels.ts";
import { type BookRows, group, marketOf, runners } from "../support/markets.ts";
import { dollars, type SettingsOver, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const cheap: BookRows = {
  bids: [["0.25", "500"]],
  asks: [
    ["0.35", "200"],
    ["0.3", "100"],
  ],
};
const longId = `l:${group.groupId}`;

type World = {
  readonly markets?: readonly Market[];
  readonly rows?: BookRows;
  readonly group?: MarketGroup;
  readonly settings?: SettingsOver;
};

/** A desk that watches a race of three; every YES asks 0.30 for a hundred. */
function race(world: World = {}): CoreDesk {
  const risk = { maxNotionalPerOrderUsd: dollars(10_000), ...world.settings?.risk };
  const desk = new CoreDesk(testSettings({ ...world.settings, risk })).start();
  for (const market of world.markets ?? runners) {
    desk.list(market, world.rows ?? cheap, [world.group ?? group]);
  }
  desk.drain();
  return desk;
}

function scanned(desk: CoreDesk, setId = longId): SetView {
  const view = scanSets(desk.state, desk.settings, desk.nowMs).sets.find(
    (set) => set.setId === setId,
  );
  if (view === undefined) throw new TypeError(`no set ${setId}`);
  return view;
}

function quoteSet(desk: CoreDesk, setId = longId, size: ReturnType<typeof sharesOf> | null = null) {
  const request = { do: "quote-set", actor: trader, commandId: "tg:s", setId, size } as const;
  return desk.request("quote-set", request).value;
}

function other(n: number, over: Partial<Market>): Market[] {
  return runners.map((market, i) => (i === n ? { ...market, ...over } : market));
}

describe("a set is refused with its reason", () => {
  test.each<readonly [string, World, string]>([
    ["outcomes may be added later", { group: { ...group, augmented: true } }, "set_augmented"],
    ["one of them is Other", { markets: other(1, { isOther: true }) }, "set_other"],
    ["one is not known", { markets: runners.slice(0, 2) }, "set_incomplete"],
    ["one is closed", { markets: other(2, { tradable: false }) }, "set_incomplete"],
    ["a side is empty", { rows: { bids: [], asks: [] } }, "no_liquidity"],
    [
      "it costs more than it pays",
      { rows: { bids: [], asks: [["0.34", "100"]] } },
      "set_not_profitable",
    ],
    [
      "the fee eats it",
      {
        markets: runners.map((market) => ({ ...market, fee: { rate: 70_000 as Rate } })),
        rows: { bids: [], asks: [["0.32", "100"]] },
      },
      "set_fee",
    ],
    [
      "it is larger than allowed",
      {
        rows: { bids: [], asks: [["0.002", "90"]] },
        markets: runners,
        settings: { dutch: { maxSize: sharesOf("400") } },
      },
      "min_size",
    ],
    [
      "even its smallest size is above a limit",
      { settings: { risk: { maxNotionalPerOrderUsd: dollars(1) } } },
      "cap_order",
    ],
  ])("%s", (_, world, code) => {
    const desk = race(
      code === "min_size"
        ? { ...world, markets: runners.map((market) => ({ ...market, tickSize: price(10) })) }
        : world,
    );
    expect(scanned(desk)).toMatchObject({ verdict: "refused", refusal: { code } });
    expect(quoteSet(desk).ok).toBe(false);
    expect(desk.state.cards.size).toBe(0);
  });

  test("with an old book whose connection nobody proved either", () => {
    const desk = race();
    desk.nowMs += 60_001;
    expect(scanned(desk)).toMatchObject({ verdict: "refused", refusal: { code: "book_stale" } });
  });

  test("buying every NO needs a contract call: shown, never executed", () => {
    const rows: BookRows = { bids: [["0.4", "100"]], asks: [["0.45", "100"]] };
    const desk = race({ rows });
    const id = `c:${group.groupId}`;
    // Three NO at 0.60 cost 1.80 and convert to 2 dollars.
    expect(scanned(desk, id)).toMatchObject({
      verdict: "needs_convert",
      profit: 20_000_000 - 5_000,
    });
    expect(quoteSet(desk, id)).toEqual({ ok: false, error: { code: "needs_convert" } });
  });
});

describe("a set that pays", () => {
  test("is sized at its best: the cheap hundred, not the dear rest", () => {
    const desk = race();
    expect(scanned(desk)).toMatchObject({
      verdict: "profitable",
      shares: 100_000_000,
      cost: 90_000_000,
      profit: 10_000_000 - 5_000,
    });
  });

  test("both outcomes of one market are a set too", () => {
    const market = marketOf(5);
    const desk = new CoreDesk(
      testSettings({ risk: { maxNotionalPerOrderUsd: dollars(1_000) } }),
    ).start();
    // YES at 0.46; NO at 0.50, because somebody bids 0.50 for YES: crossed books are data faults, so none here.
    desk.list(market, { bids: [["0.4", "100"]], asks: [["0.46", "100"]] });
    expect(scanned(desk, `b:${market.conditionId}`).verdict).toBe("refused");
  });

  test("fits into the caps and the cash: the size shown is the size that can be bought", () => {
    const desk = race({ settings: { risk: { maxExposureTotalUsd: dollars(50) } } });
    const view = scanned(desk);
    const card = quoteSet(desk);
    if (!card.ok) throw new TypeError(JSON.stringify(card.error));
    expect(view.shares).toBe(card.value.shares);
    expect(card.value.maxSpend).toBeLessThanOrEqual(dollars(50));
    // One step more would not have fitted.
    const more = quoteSet(
      desk,
      longId,
      (card.value.shares + 1_000_000) as typeof card.value.shares,
    );
    expect(more).toMatchObject({ ok: false, error: { code: "cap_total" } });
    expect(desk.confirm(card.value.nonce).kind).toBe("accepted");
  });

  test("becomes one plan: equal shares of every leg, in whole steps, resting types that are canceled at once", () => {
    const desk = race();
    const card = quoteSet(desk);
    if (!card.ok) throw new TypeError("no card");
    const seq = desk.facts.length;
    const outcome = desk.confirm(card.value.nonce);
    if (outcome.kind !== "accepted") throw new TypeError(JSON.stringify(outcome));
    const kinds = desk.facts.slice(seq).map(({ fact }) => fact.kind);
    // Ten legs are one commit: there is no state with half a set approved.
    expect(kinds.filter((kind) => kind === "plan.approved")).toHaveLength(1);
    const drafts = outcome.orders.map((order) => desk.order(order.clientOid).draft);
    expect(drafts.map((draft) => draft.tokenId)).toEqual(["111", "121", "131"]);
    for (const draft of drafts) {
      expect(draft).toMatchObject({ size: 100_000_000, spend: null, side: "buy", limit: 3_100 });
    }
    expect(desk.drain().filter((effect) => effect.kind === "order.post")).toHaveLength(3);
  });

  test("whose leg went dearer or thinner since the card is refused whole", () => {
    for (const asks of [[["0.31", "100"]], [["0.3", "99"]]] as const) {
      const desk = race();
      const card = quoteSet(desk);
      if (!card.ok) throw new TypeError("no card");
      const [first] = runners;
      if (first === undefined) throw new TypeError("no leg");
      desk.nowMs += 1_000;
      desk.book(first, { bids: [], asks });
      expect(desk.confirm(card.value.nonce)).toEqual({
        kind: "refused",
        denial: { code: "price_moved" },
      });
      expect(desk.drain()).toEqual([]);
    }
  });
});

describe("legs of a running set", () => {
  function running() {
    const desk = race();
    const card = quoteSet(desk);
    if (!card.ok) throw new TypeError("no card");
    const outcome = desk.confirm(card.value.nonce);
    if (outcome.kind !== "accepted") throw new TypeError("not accepted");
    desk.drain();
    const oids = outcome.orders.map((order) => order.clientOid);
    const fill = (oid: string, size: number) => {
      const report = fillOf(desk.order(oid), `t${oid}`, size, { at: price(3_000) });
      desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
    };
    const end = (oid: string, state: "matched" | "ended", matched: number) => {
      const order = reportOf(desk.order(oid), state, matched);
      desk.run({ kind: "account", event: { kind: "order.reported", order } });
    };
    const told = () => desk.notices().filter((body) => body.kind === "set.outcome");
    return { desk, oids, fill, end, told };
  }

  test("what rests of a leg is canceled at once", () => {
    const { desk, oids } = running();
    const [first = ""] = oids;
    desk.run({
      kind: "post.finished",
      clientOid: first,
      outcome: { kind: "accepted", state: "live" },
    });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [first] });
  });

  test("the set is told once, when every leg has its end, with the fate of each (V27)", () => {
    const { oids, fill, end, told } = running();
    const [a = "", b = "", c = ""] = oids;
    fill(a, 100_000_000);
    end(a, "matched", 100_000_000);
    fill(b, 40_000_000);
    end(b, "ended", 40_000_000);
    expect(told()).toEqual([]);
    end(c, "ended", 0);
    end(c, "ended", 0);
    expect(told()).toHaveLength(1);
    expect(told()[0]).toMatchObject({ complete: false, shares: 0, cost: 42_000_000 });
    expect(told()[0]?.legs.map((leg) => [leg.status, leg.filled])).toEqual([
      ["filled", 100_000_000],
      ["canceled", 40_000_000],
      ["canceled", 0],
    ]);
  });

  test("an unknown leg keeps the set untold and is told itself", () => {
    const { desk, oids, fill, end, told } = running();
    const [a = "", b = "", c = ""] = oids;
    for (const oid of [a, b]) {
      fill(oid, 100_000_000);
      end(oid, "matched", 100_000_000);
    }
    desk.run({ kind: "post.finished", clientOid: c, outcome: { kind: "unknown", detail: "" } });
    expect(told()).toEqual([]);
    expect(desk.notices().at(-1)?.kind).toBe("order.unknown");
    fill(c, 100_000_000);
    end(c, "matched", 100_000_000);
    expect(told()[0]).toMatchObject({ complete: true, shares: 100_000_000 });
  });
});
