import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createDataWorld } from "../../../../src/adapters/paper-venue/world/data-world.ts";
import { createGammaHandler } from "../../../../src/adapters/paper-venue/world/gamma-handler.ts";
import { createUniverse } from "../../../../src/adapters/paper-venue/world/universe.ts";
import { recordedDataDir, saySkipped } from "./recorded-data.ts";
import { RecordingExchange } from "./recording-exchange.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12, 1, 0);
const dir = recordedDataDir();
if (dir === null) saySkipped(2);

type Json = Record<string, unknown>;

function builtIn() {
  const exchange = new RecordingExchange();
  const world = createUniverse({ exchange, seed: 1, pace: 1, still: false, nowMs: () => NOW_MS });
  return { exchange, world, get: getter(exchange, (id) => world.eventMetadata(id)) };
}

function getter(
  exchange: RecordingExchange,
  metadata: (eventId: string) => Readonly<Json> | null = () => null,
) {
  const handle = createGammaHandler({ exchange, metadata });
  return (url: string): { status: number; body: unknown } => {
    const { pathname, searchParams } = new URL(url, "http://x");
    const found = handle(pathname, searchParams);
    // As it arrives: through JSON.
    return found === null
      ? { status: 404, body: null }
      : (JSON.parse(JSON.stringify(found)) as { status: number; body: unknown });
  };
}

const rows = (answer: { body: unknown }): Json[] => answer.body as Json[];

/** The shape that a reader of Gamma must be able to rely on, by how each value is written. */
function expectMarketShape(market: Json, arrays: boolean): void {
  for (const key of ["outcomes", "outcomePrices", "clobTokenIds"]) {
    const value = market[key];
    expect(Array.isArray(value)).toBe(arrays);
    const list = arrays ? value : (JSON.parse(value as string) as unknown);
    expect(list).toHaveLength(2);
  }
  for (const key of [
    "bestAsk",
    "lastTradePrice",
    "spread",
    "orderPriceMinTickSize",
    "orderMinSize",
  ])
    expect(typeof market[key]).toBe("number");
  for (const key of [
    "negRisk",
    "negRiskOther",
    "closed",
    "active",
    "acceptingOrders",
    "feesEnabled",
  ])
    expect(typeof market[key]).toBe("boolean");
  for (const key of ["id", "slug", "question", "conditionId", "questionID", "endDate", "volume"])
    expect(typeof market[key]).toBe("string");
}

describe.skipIf(dir === null)("Gamma beside recorded answers", () => {
  // The body of a skipped group runs, too.
  const folder = dir === null ? null : join(dir, "gamma");
  const recorded = (folder === null ? [] : readdirSync(folder)).map(
    (name) => JSON.parse(readFileSync(join(folder ?? "", name), "utf8")) as Json,
  );
  const common = (objects: Json[]): string[] =>
    Object.keys(objects[0] ?? {}).filter((key) => objects.every((object) => key in object));

  test("a built market and its event have every member that all recorded ones have", () => {
    const { get } = builtIn();
    const eventKeys = common(recorded.map((market) => (market["events"] as Json[])[0] ?? {}));
    for (const market of rows(get("/markets?limit=500"))) {
      expect(Object.keys(market)).toEqual(expect.arrayContaining(common(recorded)));
      expectMarketShape(market, false);
      expect(Object.keys((market["events"] as Json[])[0] ?? {})).toEqual(
        expect.arrayContaining(eventKeys),
      );
    }
  });

  test("recorded objects keep their members, with times moved and live prices in place", () => {
    const exchange = new RecordingExchange();
    createDataWorld(exchange, dir ?? "", NOW_MS);
    const get = getter(exchange);
    for (const old of recorded) {
      const { status, body } = get(`/markets/${String(old["id"])}`);
      expect(status).toBe(200);
      const market = body as Json;
      const live = new Set(["bestBid", "version"]);
      expect(Object.keys(market)).toEqual(
        expect.arrayContaining(Object.keys(old).filter((key) => !live.has(key))),
      );
      expectMarketShape(market, false);
      expect(market["feeSchedule"]).toEqual(old["feeSchedule"]);
      const { bids, asks } = exchange.book(String(old["conditionId"]));
      expect(market["bestBid"]).toBe(
        bids.length === 0 ? old["bestBid"] : Number(bids.at(-1)?.price),
      );
      expect(market["bestAsk"]).toBe(asks.length === 0 ? 1 : Number(asks.at(-1)?.price));
      if (market["closed"] === false)
        expect(Date.parse(String(market["endDate"]))).toBeGreaterThan(NOW_MS);
    }
    const lebron = get("/markets/1931125").body as Json;
    const shift = NOW_MS - 1_784_574_617_346;
    const created = Date.parse(String(lebron["createdAt"]));
    expect(Math.abs(created - Date.parse("2026-04-09T21:13:20Z") - shift)).toBeLessThan(1000);
    const event = get("/events/slug/ballon-dor-winner-2026").body as Json;
    expect(event).toMatchObject({ id: "48361", negRiskAugmented: true, enableNegRisk: true });
    expect(event["markets"]).toHaveLength(89);
    const found = get("/public-search?q=messi+goalscorer").body as { events: Json[] };
    expect(found.events[0]?.["id"]).toBe("413862");
  });
});

describe("Gamma of the built-in universe", () => {
  test("no market or event was created in the future", () => {
    const { get } = builtIn();
    for (const market of rows(get("/markets?limit=500"))) {
      const event = (market["events"] as Json[])[0] ?? {};
      for (const time of [market["startDate"], market["createdAt"], event["startDate"]])
        expect(Date.parse(String(time))).toBeLessThan(NOW_MS);
    }
  });

  test("keyset pages hold real arrays and every market once, the last without a cursor", () => {
    const { exchange, get } = builtIn();
    const seen: unknown[] = [];
    let cursor = "";
    for (let i = 0; i < 20; i++) {
      const page = get(`/markets/keyset?limit=7&after_cursor=${cursor}`).body as {
        markets: Json[];
        next_cursor?: string;
      };
      for (const market of page.markets) expectMarketShape(market, true);
      seen.push(...page.markets.map(({ id }) => id));
      if (page.next_cursor === undefined) break;
      cursor = page.next_cursor;
    }
    expect(seen).toEqual(exchange.markets().map(({ spec }) => spec.gammaId));
    expect(get("/markets/keyset?after_cursor=bm9uc2Vuc2U").status).toBe(422);
    const events = get("/events/keyset?limit=100").body as { events: Json[]; next_cursor?: string };
    expect(events.events).toHaveLength(exchange.events().length);
    expect(events.next_cursor).toBeUndefined();
  });

  test("filters: condition, token, slug, tag, closed", () => {
    const { exchange, get } = builtIn();
    const { spec } = exchange.bySlug("bitcoin-above-150k");
    const one = (query: string) => rows(get(`/markets?${query}`)).map(({ slug }) => slug);
    expect(one(`condition_ids=${spec.conditionId}`)).toEqual([spec.slug]);
    expect(one(`clob_token_ids=${spec.outcomes[1].tokenId}`)).toEqual([spec.slug]);
    expect(one(`slug=${spec.slug}&slug=ethereum-above-6k`)).toHaveLength(2);
    expect(one("tag=geopolitics&limit=100")).toHaveLength(5);
    expect(one("closed=true")).toEqual([]);
    expect(one("limit=3&offset=2")).toHaveLength(3);
    expect(rows(get("/events?tag=crypto")).length).toBe(4);
  });

  test("look-ups by id and slug, and a 404 for the unknown", () => {
    const { exchange, get } = builtIn();
    const { spec } = exchange.bySlug("harbor-league-champion-marlow");
    expect(get(`/markets/${spec.gammaId}`).body).toMatchObject({ slug: spec.slug });
    expect(get(`/markets/slug/${spec.slug}`).body).toMatchObject({ id: spec.gammaId });
    const event = get("/gamma/events/slug/harbor-league-champion").body as Json;
    expect(event["markets"]).toHaveLength(6);
    expect(get(`/events/${String(event["id"])}`).body).toEqual(event);
    expect(get("/markets/slug/nope").status).toBe(404);
    expect(get("/nope").status).toBe(404);
  });

  test("version decides the ids: v2 shows 31 bytes and position ids; some v1 carry idle ones", () => {
    const { exchange, get } = builtIn();
    const all = rows(get("/markets?limit=500"));
    let idle = 0;
    for (const market of all) {
      const state = exchange.bySlug(String(market["slug"]));
      const ids = state.spec.outcomes.map(({ tokenId }) => tokenId);
      const clob = JSON.parse(String(market["clobTokenIds"])) as string[];
      if (market["version"] === "v2") {
        expect(market["positionIds"]).toEqual(ids);
        expect(clob).not.toEqual(ids);
        expect(String(market["conditionId"])).toHaveLength(64);
        expect(state.spec.conditionId.startsWith(String(market["conditionId"]))).toBe(true);
        const again = rows(get(`/markets?condition_ids=${String(market["conditionId"])}`));
        expect(again).toHaveLength(1);
      } else {
        expect(clob).toEqual(ids);
        if (market["positionIds"] !== undefined) idle++;
      }
    }
    expect(idle).toBeGreaterThan(3);
  });

  test("fees: a schedule by category, none where fees are off", () => {
    const { get } = builtIn();
    const of = (slug: string) => get(`/markets/slug/${slug}`).body as Json;
    expect(of("bitcoin-above-150k")).toMatchObject({
      feesEnabled: true,
      feeType: "crypto_fees_v2",
      feeSchedule: { rate: 0.07, exponent: 1, takerOnly: true, rebateRate: 0.2 },
    });
    expect(of("selby-strait-reopens")).toMatchObject({ feesEnabled: false, feeSchedule: null });
  });

  test("search ranks whole words in titles first and needs all words before some", () => {
    const { get } = builtIn();
    const search = (q: string) =>
      (get(`/public-search?q=${encodeURIComponent(q)}`).body as { events: Json[] }).events.map(
        ({ slug }) => slug,
      );
    expect(search("harbor league champion")[0]).toBe("harbor-league-champion");
    expect(search("bitcoin 150")[0]).toBe("bitcoin-above-150k");
    expect(search("Fenwick")).toEqual(["harbor-league-champion"]);
    expect(search("zebra")).toEqual([]);
    expect(search("")).toEqual([]);
    const page = get("/public-search?q=northmark&limit_per_type=2").body as Json;
    expect(page["events"]).toHaveLength(2);
    expect(page["pagination"]).toEqual({ hasMore: true, totalResults: 4 });
  });

  test("prices are live; a resolved window shows its result, its final price and is closed", () => {
    const { exchange, world, get } = builtIn();
    const before = get("/markets/slug/bitcoin-above-150k").body as Json;
    const { spec } = exchange.bySlug("bitcoin-above-150k");
    world.move(spec.conditionId, 5);
    const after = get("/markets/slug/bitcoin-above-150k").body as Json;
    expect(Number(after["bestBid"])).toBeCloseTo(Number(before["bestBid"]) + 0.05, 9);
    const slug = `btc-updown-5m-${Math.floor(NOW_MS / 300_000) * 300}`;
    const open = get(`/markets/slug/${slug}`).body as Json;
    expect(open["outcomes"]).toBe('["Up","Down"]');
    expect(open["closed"]).toBe(false);
    world.advance(NOW_MS + 300_000);
    const closed = get(`/markets/slug/${slug}`).body as Json;
    expect(closed).toMatchObject({ closed: true, umaResolutionStatus: "resolved" });
    expect(['["1","0"]', '["0","1"]']).toContain(closed["outcomePrices"]);
    expect(closed["closedTime"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00$/);
    const metadata = (closed["events"] as Json[])[0]?.["eventMetadata"] as Json;
    expect(Object.keys(metadata).toSorted()).toEqual(["finalPrice", "priceToBeat"]);
    expect(rows(get("/markets?closed=true"))).toHaveLength(1);
  });
});
