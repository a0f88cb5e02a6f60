import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import { parseGammaEvent, parseGammaMarket } from "../../../src/adapters/polymarket/parse-gamma.ts";
import type { CatalogQuery } from "../../../src/engine/ports/catalog.ts";
import { openPaperDesk, type PaperDesk } from "./paper-desk.ts";
import { recordedJson, recordedNames, recordedText, skipped } from "./recorded-data.ts";

const conditionId = `0x${"ab".repeat(32)}`;
const base = {
  conditionId,
  slug: "a-market",
  question: "A?",
  outcomes: '["Up", "Down"]',
  clobTokenIds: '["11", "22"]',
  positionIds: ["33", "44"],
  version: "v1",
  orderPriceMinTickSize: 0.001,
  orderMinSize: 5,
  negRisk: true,
  active: true,
  closed: false,
  archived: false,
  acceptingOrders: true,
  enableOrderBook: true,
  feesEnabled: true,
  feeSchedule: { rate: 0.05, exponent: 1, takerOnly: true, rebateRate: 0.25 },
  endDate: "2026-10-31T03:59:00Z",
  volumeNum: 1321616.85,
};
const marketOf = (part: Record<string, unknown>) => parseGammaMarket({ ...base, ...part });

describe("one Gamma market", () => {
  test("outcomes are paired with tokens by index, numbers become integers", () => {
    expect(marketOf({})).toMatchObject({
      ok: true,
      value: {
        conditionId,
        outcomes: [
          { name: "Up", tokenId: "11" },
          { name: "Down", tokenId: "22" },
        ],
        tickSize: 10,
        minOrderSize: 5_000_000,
        fee: { rate: 50_000 },
        version: "v1",
        tradable: true,
        isOther: false,
        takerDelayMs: 0,
        endAtMs: Date.UTC(2026, 9, 31, 3, 59),
        volumeUsd: 1_321_617,
      },
    });
  });

  test("real arrays are read like arrays in strings; v2 trades its position ids", () => {
    expect(marketOf({ outcomes: ["Yes", "No"], clobTokenIds: ["11", "22"] }).ok).toBe(true);
    const v2 = marketOf({ version: "v2", conditionId: `0x${"ab".repeat(31)}` });
    expect(v2).toMatchObject({
      ok: true,
      value: { version: "v2", conditionId: `0x${"ab".repeat(31)}00` },
    });
    expect(v2.ok && v2.value.outcomes.map((outcome) => outcome.tokenId)).toEqual(["33", "44"]);
  });

  test.each([
    [{ version: "v3" }, "unknown_version"],
    [{ version: 2 }, "unknown_version"],
    [{ conditionId: "0x12" }, "bad_condition"],
    [{ outcomes: '["A","B","C"]', clobTokenIds: '["1","2","3"]' }, "not_binary"],
    [{ clobTokenIds: '["11"]' }, "not_binary"],
    [{ clobTokenIds: "[11, 22]" }, "bad_tokens"],
    [{ clobTokenIds: '["", ""]' }, "bad_tokens"],
    [{ clobTokenIds: '["11", "11"]' }, "bad_tokens"],
    [{ clobTokenIds: "not json" }, "bad_tokens"],
    [{ version: "v2", positionIds: undefined }, "bad_tokens"],
    [{ orderPriceMinTickSize: 0.02 }, "bad_tick"],
    [{ orderPriceMinTickSize: undefined }, "bad_tick"],
    [{ orderMinSize: -5 }, "bad_min_size"],
    [{ feeSchedule: { rate: 0.05, exponent: 2 } }, "fee_exponent"],
    [{ feeSchedule: undefined }, "bad_fee"],
    [{ feeSchedule: { rate: 7, exponent: 1 } }, "bad_fee"],
    [{ feeSchedule: { exponent: 1 } }, "bad_fee"],
  ])("%j is refused as %s", (part, error) => {
    expect(marketOf(part)).toEqual({ ok: false, error });
  });

  test.each([
    [{ feesEnabled: false }, { fee: { rate: 0 } }],
    [{ feesEnabled: false, feeSchedule: { rate: 0.05, exponent: 2 } }, { fee: { rate: 0 } }],
    [{ feesEnabled: undefined, feeSchedule: undefined }, { fee: { rate: 0 } }],
    [{ secondsDelay: 3 }, { takerDelayMs: 3_000 }],
    [{ itode: true }, { takerDelayMs: 250 }],
    [{ itode: true, secondsDelay: 1 }, { takerDelayMs: 1_000 }],
    [{ negRiskOther: true }, { isOther: true }],
    [{ active: false }, { tradable: false }],
    [{ closed: true }, { tradable: false }],
    [{ closed: undefined }, { tradable: false }],
    [{ acceptingOrders: false }, { tradable: false }],
    [{ enableOrderBook: false }, { tradable: false }],
    [{ archived: true }, { tradable: false }],
    [{ endDate: "soon" }, { endAtMs: null }],
    [{ closed: true, umaResolutionStatus: "resolved", outcomePrices: '["0", "1"]' }, { winner: 1 }],
    [
      { negRiskMarketID: `0x${"AB".repeat(31)}00`, questionID: `0x${"ab".repeat(31)}0b` },
      { negRiskMarketId: `0x${"ab".repeat(31)}00`, questionIndex: 11 },
    ],
  ])("%j gives %j", (part, value) => {
    expect(marketOf(part)).toMatchObject({ ok: true, value });
  });
});

test.each([
  { closed: true, umaResolutionStatus: "resolved", outcomePrices: '["0.5", "0.5"]' },
  { closed: true, umaResolutionStatus: "proposed", outcomePrices: '["1", "0"]' },
  { closed: false, umaResolutionStatus: "resolved", outcomePrices: '["1", "0"]' },
  { questionID: `0x${"cd".repeat(32)}`, negRiskMarketID: `0x${"ab".repeat(31)}00` },
])("%j names neither a winner nor a question", (part) => {
  const parsed = marketOf(part);
  expect(parsed.ok && ("winner" in parsed.value || "questionIndex" in parsed.value)).toBe(false);
});

describe("one Gamma event", () => {
  const event = { id: "7", slug: "e", title: "E", negRisk: true, markets: [base] };

  test("the group lists every declared market, also one that was refused or cannot be named", () => {
    const parsed = parseGammaEvent({
      ...event,
      markets: [base, { ...base, conditionId: `0x${"cd".repeat(32)}`, version: "v9" }, {}],
    });
    expect(parsed.group?.conditionIds).toEqual([
      conditionId,
      `0x${"cd".repeat(32)}`,
      "unreadable:2",
    ]);
    expect(parsed.markets).toHaveLength(1);
    expect(parsed.markets[0]).toMatchObject({ groupId: "7", groupTitle: "E" });
    expect(parsed.refused).toEqual(["unknown_version", "bad_condition"]);
  });

  test("events that may grow, or mix two neg-risk ids, are augmented; others are no group", () => {
    expect(parseGammaEvent(event).group?.augmented).toBe(false);
    expect(parseGammaEvent({ ...event, negRiskAugmented: true }).group?.augmented).toBe(true);
    const mixed = [
      { ...base, negRiskMarketID: "0x1" },
      { ...base, negRiskMarketID: "0x2" },
    ];
    expect(parseGammaEvent({ ...event, markets: mixed }).group?.augmented).toBe(true);
    expect(parseGammaEvent({ ...event, negRisk: false }).group).toBeNull();
    expect(parseGammaEvent({ ...event, negRisk: false }).markets[0]?.groupTitle).toBe("E");
  });

  test("any JSON never throws", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (fields, value) => {
        parseGammaEvent({ ...event, ...fields });
        for (const key of Object.keys(base)) parseGammaMarket({ ...base, [key]: value });
      }),
      // Found by chance once: a value that cannot be turned into text.
      { examples: [[{ volumeNum: [{ toString: null }] }, [{ toString: null }]]] },
    );
  });
});

describe("up/down windows", () => {
  const window = {
    slug: "btc-updown-5m-1784850900",
    eventStartTime: "2026-07-23T23:55:00Z",
    endDate: "2026-07-24T00:00:00Z",
  };
  const windowIn = (part: Record<string, unknown>) => {
    const market = marketOf({ ...window, ...part });
    return market.ok ? market.value.window : null;
  };

  test("coin, start and end come from the slug and must agree with the fields", () => {
    const startMs = Date.UTC(2026, 6, 23, 23, 55);
    const read = { coin: "btc", startMs, endMs: startMs + 300_000, strike: null };
    expect(windowIn({})).toEqual(read);
    expect(windowIn({ endDate: "2026-07-24T00:05:00Z" })).toBeUndefined();
    expect(windowIn({ eventStartTime: "2026-07-23T23:50:00Z" })).toBeUndefined();
    expect(windowIn({ eventStartTime: undefined })).toBeUndefined();
    expect(windowIn({ slug: "a-market" })).toBeUndefined();
  });

  test("an hourly one takes its times from the fields, and only for a coin that is known", () => {
    const slug = "bitcoin-up-or-down-july-23-2026-7pm-et";
    expect(windowIn({ slug })).toMatchObject({ coin: "btc" });
    expect(windowIn({ slug: "gold-up-or-down-july-23-2026-7pm-et" })).toBeUndefined();
  });

  test.each([
    [118_400.25, 118_400_250_000],
    ["65026.457815000000", 65_026_457_815],
    ["0.1234567", 123_456],
    [undefined, null],
    ["much", null],
  ])("the strike is the event's price to beat: %s", (priceToBeat, strike) => {
    expect(windowIn({ events: [{ id: "1", eventMetadata: { priceToBeat } }] })?.strike).toBe(
      strike,
    );
  });
});

describe("what decides how a market pays", () => {
  const hashOf = (part: Record<string, unknown>) => {
    const market = marketOf({ description: "D", resolutionSource: "S", ...part });
    return market.ok ? market.value.ruleHash : null;
  };

  test.each(["question", "description", "resolutionSource", "startDate", "endDate"])(
    "an edit of %s makes another hash",
    (name) => {
      expect(hashOf({})).toMatch(/^[0-9a-f]{64}$/);
      expect(hashOf({ [name]: "2026-11-01T00:00:00Z" })).not.toBe(hashOf({}));
    },
  );

  test("so do other outcomes; how they are written, prices and the end itself do not", () => {
    expect(hashOf({ outcomes: '["Down","Up"]' })).not.toBe(hashOf({}));
    expect(hashOf({ outcomes: ["Up", "Down"] })).toBe(hashOf({}));
    const ended = { closed: true, umaEndDate: "2026-10-31T04:00:00Z", volumeNum: 1, bestBid: 0.5 };
    expect(hashOf(ended)).toBe(hashOf({}));
  });

  test("an outcome without a name yet is a placeholder, but only where outcomes may be added", () => {
    const named = (groupItemTitle: string, negRiskAugmented: boolean) => {
      const market = marketOf({
        groupItemTitle,
        events: [{ id: "1", negRisk: true, negRiskAugmented }],
      });
      return market.ok && market.value.isPlaceholder === true;
    };
    expect(named("Person B", true)).toBe(true);
    expect(named("Person B", false)).toBe(false);
    expect(named("Harry Kane", true)).toBe(false);
  });
});

describe.skipIf(skipped(2))("recorded Gamma objects", () => {
  test("all 16 are read; the closed one is not tradable", () => {
    const tradable = recordedNames("gamma").map((name) => {
      const parsed = parseGammaMarket(recordedJson(`gamma/${name}`) as Record<string, unknown>);
      if (!parsed.ok) throw new TypeError(parsed.error);
      expect(parsed.value.fee.rate).toBeGreaterThan(0);
      expect(parsed.value.groupTitle).not.toBe("");
      expect(parsed.value.groupId === null).toBe(!parsed.value.negRisk);
      return parsed.value.tradable;
    });
    expect(tradable.filter((one) => !one)).toHaveLength(1);
    expect(tradable).toHaveLength(16);
  });

  test("all 292 up/down windows are read, with their own outcome names", () => {
    const lines = recordedText("updown/BTC-5m-markets-2026-07-24.jsonl.gz").trim().split("\n");
    for (const line of lines) {
      const { raw } = JSON.parse(line) as { raw: Record<string, unknown> };
      const parsed = parseGammaMarket(raw);
      expect(parsed).toMatchObject({ ok: true, value: { fee: { rate: 70_000 } } });
      if (parsed.ok) expect(parsed.value.outcomes[0].name).toBe("Up");
      expect(parsed.ok && parsed.value.window?.coin).toBe("btc");
    }
    expect(lines).toHaveLength(292);
  });
});

describe("the catalog on the paper venue", () => {
  let desk: PaperDesk;
  let polymarket: Polymarket;
  beforeAll(async () => {
    desk = await openPaperDesk();
    polymarket = desk.connect();
  });
  afterAll(async () => desk.close());

  async function find(query: CatalogQuery, limit = 10) {
    const found = await polymarket.catalog.find(query, limit);
    if (!found.ok) throw new TypeError(found.error);
    return found.value;
  }

  test("all open markets by pages, bounded; every group is complete", async () => {
    const all = await polymarket.catalog.openMarkets(1_000);
    if (!all.ok) throw new TypeError(all.error);
    expect(all.value.markets.length).toBeGreaterThan(39);
    expect(all.value.groups.length).toBeGreaterThan(4);
    expect(all.value.groups.some((group) => group.augmented)).toBe(true);
    expect(all.value.markets.some((market) => market.version === "v2")).toBe(true);
    expect(all.value.markets.some((market) => market.fee.rate === 0)).toBe(true);
    const few = await polymarket.catalog.openMarkets(7);
    expect(few.ok && few.value.markets.length).toBe(7);
  });

  test("by slug, condition id, event slug: the same market, with its whole group", async () => {
    const group = await find({ by: "eventSlug", value: "harbor-league-champion" }, 50);
    expect(group.groups).toHaveLength(1);
    expect(group.groups[0]?.conditionIds).toHaveLength(group.markets.length);
    const first = group.markets[0];
    if (first === undefined) throw new TypeError("an empty event");
    const bySlug = await find({ by: "slug", value: first.slug }, 1);
    expect(bySlug.markets).toEqual([first]);
    expect(bySlug.groups).toEqual(group.groups);
    const byId = await find({ by: "conditionId", value: first.conditionId }, 1);
    expect(byId.markets).toEqual([first]);
    const v2 = await polymarket.catalog.openMarkets(1_000);
    const position = v2.ok ? v2.value.markets.find((market) => market.version === "v2") : undefined;
    const value = position?.conditionId ?? "";
    expect((await find({ by: "conditionId", value }, 1)).markets).toEqual([position]);
  });

  test("by words and by volume: best first, tradable first", async () => {
    const words = await find({ by: "words", value: "harbor league" }, 3);
    expect(words.markets.length).toBeGreaterThan(0);
    expect(words.markets[0]?.groupTitle).toBe("Harbor League Champion");
    const top = await find({ by: "top", value: "" }, 10);
    const volumes = top.markets.map((market) => market.volumeUsd ?? 0);
    expect(volumes).toEqual([...volumes].sort((a, b) => b - a));
    expect(top.markets).toHaveLength(10);
  });

  test("what does not exist is an empty answer; a failing Gamma is an error after three tries", async () => {
    for (const by of ["slug", "conditionId", "eventSlug", "words"] as const) {
      expect((await find({ by, value: "zzz-nothing-zzz" })).markets).toEqual([]);
    }
    await desk.fault("status", { path: "^/gamma/", times: 3, code: 500 });
    const failed = await polymarket.catalog.find({ by: "slug", value: "x" }, 1);
    expect(failed).toMatchObject({ ok: false, error: expect.stringContaining("HTTP 500") });
    await desk.fault("status", { path: "^/gamma/", times: 2, code: 500 });
    expect((await polymarket.catalog.find({ by: "slug", value: "x" }, 1)).ok).toBe(true);
    await desk.fault("garbage", { path: "^/gamma/", times: 1 });
    expect((await polymarket.catalog.find({ by: "slug", value: "x" }, 1)).ok).toBe(false);
  });

  test("pages hold every open market once, with event, tags and group, in both directions", async () => {
    const all = await polymarket.catalog.openMarkets(1_000);
    if (!all.ok) throw new TypeError(all.error);
    const wanted = all.value.markets.map((market) => market.conditionId).sort();
    for (const newestFirst of [false, true]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await polymarket.catalog.page({ newestFirst, cursor, events: 7 });
        if (!page.ok) throw new TypeError(page.error.detail);
        for (const { market, eventSlug, tags } of page.value.listed) {
          seen.push(market.conditionId);
          expect([eventSlug === "", tags.length]).toEqual([false, expect.any(Number)]);
        }
        cursor = page.value.next;
      } while (cursor !== null);
      expect(seen.sort()).toEqual(wanted);
    }
    const none = await polymarket.catalog.page({ newestFirst: false, cursor: "!", events: 7 });
    expect(none).toMatchObject({ ok: false, error: { kind: "cursor" } });
    await desk.fault("status", { path: "^/gamma/", times: 1, code: 429 });
    const busy = await polymarket.catalog.page({ newestFirst: false, cursor: null, events: 7 });
    expect(busy).toMatchObject({ ok: false, error: { kind: "failed" } });
  });

  test("a read by ids brings open and ended markets, and leaves out what nobody knows", async () => {
    const all = await polymarket.catalog.openMarkets(1_000);
    if (!all.ok) throw new TypeError(all.error);
    const [first, second] = all.value.markets.filter((market) => market.tradable);
    const v2 = all.value.markets.find((market) => market.version === "v2");
    if (first === undefined || second === undefined || v2 === undefined) throw new TypeError("few");
    desk.venue.exchange.resolve(second.conditionId, 1);
    const ids = [first, second, v2].map((market) => market.conditionId);
    const read = await polymarket.catalog.read([...ids, `0x${"0".repeat(64)}`]);
    if (!read.ok) throw new TypeError(read.error);
    const markets = read.value.map(({ market }) => market);
    expect(markets.map((market) => market.conditionId).sort()).toEqual(ids.sort());
    const ended = markets.find((market) => market.conditionId === second.conditionId);
    expect(ended).toMatchObject({ winner: 1, tradable: false });
  });
});
