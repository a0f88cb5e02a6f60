import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MarketSpec } from "../../../src/adapters/paper-venue/types.ts";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { systemEntropy } from "../../../src/adapters/system/entropy.ts";
import type { CatalogPort } from "../../../src/engine/ports/catalog.ts";
import { CatalogCrawl, type CrawlSettings } from "../../../src/engine/runtime/catalog-crawl.ts";
import { MarketDirectory } from "../../../src/engine/runtime/market-directory.ts";
import {
  collectingLog,
  openPaperDesk,
  type PaperDesk,
} from "../../adapters/polymarket/paper-desk.ts";
import { standing } from "../support/standing-world.ts";

const settings: CrawlSettings = {
  pageEvents: 3,
  maxPages: 1_000,
  pagePauseMs: 0,
  wholeIntervalMs: 3_600_000,
  newestIntervalMs: 3_600_000,
  backOffFirstMs: 2,
  backOffMaxMs: 10,
};

let desk: PaperDesk;
let polymarket: Polymarket;
let serial = 0;

beforeAll(async () => {
  desk = await openPaperDesk();
  polymarket = desk.connect();
});
afterAll(async () => desk.close());

/** A new event with one market; its id stands anywhere among those that there are. */
function open(eventId: number): string {
  const n = ++serial;
  const conditionId = `0x${String(n).padStart(64, "e")}`;
  const spec: MarketSpec = {
    ...standing,
    conditionId,
    gammaId: String(8_000_000 + n),
    slug: `moving-${n}`,
    question: `Moving ${n}?`,
    eventId: String(eventId),
    outcomes: [
      { tokenId: `7${n}0`, name: "Yes" },
      { tokenId: `7${n}1`, name: "No" },
    ],
  };
  const { exchange } = desk.venue;
  exchange.addEvent({
    id: spec.eventId,
    slug: spec.slug,
    title: spec.question,
    description: "",
    negRisk: false,
    negRiskAugmented: false,
    negRiskMarketId: null,
    endDate: spec.endDate,
    tags: [],
    conditionIds: [conditionId],
    metadata: null,
  });
  exchange.addMarket(spec, { bids: [], asks: [], lastTradePrice: "" });
  return conditionId;
}

const openNow = () =>
  desk.venue.exchange
    .markets()
    .filter(({ resolved, spec }) => resolved === null && !spec.closed)
    .map(({ spec }) => spec.conditionId);

function crawlOver(catalog: Pick<CatalogPort, "page" | "read">, over: Partial<CrawlSettings> = {}) {
  const directory = new MarketDirectory(10_000);
  const { log, lines } = collectingLog();
  const crawl = new CatalogCrawl({
    catalog,
    clock: systemClock,
    entropy: systemEntropy,
    logger: log,
    directory,
    settings: { ...settings, ...over },
    onListed: () => undefined,
  });
  return { crawl, directory, lines };
}

test("whoever keeps the catalog is told each page, and when a whole crawl has begun and ended", async () => {
  const told: string[] = [];
  const listed = new Set<string>();
  const crawl = new CatalogCrawl({
    catalog: polymarket.catalog,
    clock: systemClock,
    entropy: systemEntropy,
    logger: collectingLog().log,
    directory: new MarketDirectory(10_000),
    settings,
    onListed: () => undefined,
    catalogSink: {
      listed: (markets, _groups, atMs) => {
        for (const { conditionId } of markets) listed.add(conditionId);
        told.push(`page at ${typeof atMs}`);
      },
      crawled: (sinceMs, atMs) => {
        told.push(`whole ${sinceMs <= atMs && crawl.wholeAtMs === atMs}`);
      },
    },
  });
  await crawl.whole();
  expect(listed).toEqual(new Set(openNow()));
  expect(told.filter((line) => line.startsWith("page")).length).toBe(crawl.pages);
  expect(told.at(-1)).toBe("whole true");
});

describe("a whole crawl", () => {
  const change = fc.record({
    /** Places of new events, between and behind those that there are. */
    opened: fc.array(fc.integer({ min: 1, max: 9_000_000 }), { maxLength: 2 }),
    /** Which of the markets that are open then is closed. */
    closed: fc.array(fc.nat(), { maxLength: 2 }),
  });

  test("over a universe that moves between its pages loses none that stays and takes none twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), async (changes) => {
        const moves = [...changes];
        const always = new Set(openNow());
        const before = new Set(always);
        const taken: string[] = [];
        const { crawl, directory } = crawlOver({
          read: (ids) => polymarket.catalog.read(ids),
          async page(request) {
            const page = await polymarket.catalog.page(request);
            const listed = page.ok && !request.newestFirst ? page.value.listed : [];
            taken.push(...listed.map(({ market }) => market.conditionId));
            const { opened = [], closed = [] } = moves.shift() ?? {};
            for (const place of opened) if (fresh(place)) open(place);
            for (const pick of closed) {
              const now = openNow().filter((id) => id.startsWith("0xe"));
              const conditionId = now[pick % Math.max(1, now.length)];
              if (conditionId === undefined) continue;
              desk.venue.exchange.resolve(conditionId, 0);
              always.delete(conditionId);
            }
            return page;
          },
        });
        await crawl.whole();
        expect(crawl.wholeAtMs).not.toBeNull();
        expect(new Set(taken).size).toBe(taken.length);
        for (const id of always) expect(directory.has(id), id).toBe(true);
        // What was closed during this crawl is gone with the next one, and nothing else is.
        const settled = openNow();
        await crawl.whole();
        expect(directory.size).toBe(settled.length);
        for (const id of settled) expect(directory.has(id), id).toBe(true);
        expect(before.size).toBeGreaterThan(0);
      }),
      { numRuns: 15 },
    );
  }, 120_000);

  const fresh = (place: number) =>
    !desk.venue.exchange.events().some(({ id }) => id === String(place));

  test("goes on behind pages that failed, and begins anew where its place is refused", async () => {
    await desk.fault("status", { path: "^/gamma/events/keyset", times: 2, code: 429 });
    const first = crawlOver(polymarket.catalog);
    await first.crawl.whole();
    expect([first.crawl.failures, first.directory.size]).toEqual([2, openNow().length]);
    let asked = 0;
    const second = crawlOver({
      read: (ids) => polymarket.catalog.read(ids),
      page: (request) =>
        polymarket.catalog.page(++asked === 3 ? { ...request, cursor: "!" } : request),
    });
    await second.crawl.whole();
    expect(second.directory.size).toBe(openNow().length);
  });

  test("that is cut off by its bound judges nothing, and says so (P11)", async () => {
    const { crawl, directory, lines } = crawlOver(polymarket.catalog, { maxPages: 2 });
    directory.put([], [], 0);
    await crawl.whole();
    expect([crawl.wholeAtMs, lines.at(-1)?.event]).toEqual([null, "catalog.crawl-cut"]);
    expect(directory.size).toBeGreaterThan(0);
  });
});

describe("between two whole crawls", () => {
  test("the newest events and announced markets of older events are found; what is known ends the look", async () => {
    let pages = 0;
    const { crawl, directory } = crawlOver({
      read: (ids) => polymarket.catalog.read(ids),
      page(request) {
        pages++;
        return polymarket.catalog.page(request);
      },
    });
    await crawl.whole();
    const newest = open(30_000_000_000);
    const old = open(2);
    crawl.announce(old);
    pages = 0;
    await crawl.newest();
    expect([directory.has(newest), directory.has(old)]).toEqual([true, true]);
    expect(pages).toBe(2);
  });
});

describe("a running crawl", () => {
  test("that breaks begins anew, and says so", async () => {
    let asked = 0;
    const { crawl, directory, lines } = crawlOver({
      read: (ids) => polymarket.catalog.read(ids),
      page(request) {
        if (++asked === 2) throw new TypeError("a defect");
        return polymarket.catalog.page(request);
      },
    });
    crawl.start();
    const deadline = performance.now() + 20_000;
    while (crawl.wholeAtMs === null) {
      if (performance.now() > deadline) throw new TypeError("never crawled");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    crawl.stop();
    expect(directory.size).toBe(openNow().length);
    expect(lines.map((line) => line.event)).toContain("catalog.crawl-broken");
  });

  test("starts by itself, comes again, and ends when it is stopped", async () => {
    const { crawl, directory } = crawlOver(polymarket.catalog, { wholeIntervalMs: 1 });
    crawl.start();
    const deadline = performance.now() + 20_000;
    while (directory.size < openNow().length || crawl.pages < 40) {
      if (performance.now() > deadline) throw new TypeError("never crawled twice");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    crawl.stop();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const { pages } = crawl;
    await polymarket.catalog.page({ newestFirst: false, cursor: null, events: 1 });
    await polymarket.catalog.page({ newestFirst: false, cursor: null, events: 1 });
    expect(crawl.pages - pages).toBeLessThanOrEqual(1);
  });
});
