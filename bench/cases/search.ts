import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createPolymarket } from "../../src/adapters/polymarket/create-polymarket.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { systemEntropy } from "../../src/adapters/system/entropy.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import { wordsOf } from "../../src/engine/lib/words.ts";
import type { ListedMarket } from "../../src/engine/protocol/venue-report.ts";
import { CatalogCrawl } from "../../src/engine/runtime/catalog-crawl.ts";
import { MarketDirectory } from "../../src/engine/runtime/market-directory.ts";
import { usualSearch } from "../baseline/usual-search.ts";
import {
  type Aim,
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  durationText,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { openLocalVenue } from "../support/local-venue.ts";
import { keep, race, timeEach } from "../support/race.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** The catalog: a crawl of 50,000 markets off the paper venue, and searches over them beside a filter over all. */
export const searchCase: BenchCase = { name: "search", run };

const marketCount = 50_000;
const shown = 60;
const pageEvents = 50;
const answerMs = 50;
const nsPerMs = 1e6;

/** What people type; the last two meet most of the markets and none of them. */
const queries: readonly (readonly [string, string, number])[] = [
  ["two words", "corvale treaty", 200],
  ["three words", "avery sign treaty", 200],
  ["beginnings", "harrow champ", 200],
  ["one letter", "h", 20],
  ["words of most", "will the", 20],
  ["a typing error", "brightwater chmpionship", 5],
];

async function run(context: BenchContext): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const crawled = await crawl(scratchFolder(stack, "search"), context);
  const { directory, listed } = crawled;
  const markets = listed.map((one) => one.market);
  const slug = markets[markets.length >> 1]?.slug ?? "";
  const rows: CaseResult["rows"][number][] = [];
  const ratios: Record<string, number> = {};
  let worstNs = 0;
  for (const [name, query, count] of [...queries, ["a slug", slug, 200] as const]) {
    compare(directory, markets, query);
    const timings = await race(
      [
        {
          name: "index",
          round: () => timeEach(count, () => keep(directory.search(query, shown))),
        },
        {
          name: "filter over all",
          round: () => timeEach(2, () => keep(usualSearch(markets, query, shown))),
        },
      ],
      { rounds: context.rounds, warmUps: 1 },
      (text) => context.progress(`search ${name}: ${text}`),
    );
    const compared = rowsAgainst(name, timings);
    rows.push(...compared.rows);
    ratios[`search_${name.replaceAll(" ", "_")}`] = compared.ratio;
    worstNs = Math.max(worstNs, timings[0]?.p99Ns ?? 0);
  }
  const bytes = memoryOf(listed);
  const answered: Aim = {
    what: `every search p99 <= ${answerMs} ms over ${countText(markets.length)} markets`,
    is: durationText(worstNs),
    met: worstNs <= answerMs * nsPerMs,
  };
  return {
    title: `Catalog: search over ${countText(markets.length)} markets in ${countText(directory.wordCount)} words`,
    rows,
    notes: [
      `crawl off the paper venue, without pauses: ${crawled.text}`,
      `memory of directory and index: ${bytes}`,
      "the filter also finds words inside of words; every market of the index is one of its hits",
    ],
    ratios,
    aims: [answered],
  };
}

type Crawled = {
  readonly directory: MarketDirectory;
  readonly listed: readonly ListedMarket[];
  readonly text: string;
};

async function crawl(folder: string, context: BenchContext): Promise<Crawled> {
  const venue = await openLocalVenue(folder, marketCount);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const polymarket = createPolymarket({
    urls: { clob: venue.url, gamma: `${venue.url}/gamma`, ws: venue.wsUrl },
    chainId: 137,
    privateKey: `0x${"1".repeat(64)}`,
    signatureType: 0,
    funder: null,
    log,
  });
  const directory = new MarketDirectory(10 * marketCount);
  const listed: ListedMarket[] = [];
  const settings = {
    pageEvents,
    maxPages: 100_000,
    pagePauseMs: 0,
    wholeIntervalMs: 3_600_000,
    newestIntervalMs: 3_600_000,
    backOffFirstMs: 10,
    backOffMaxMs: 1_000,
  };
  const crawler = new CatalogCrawl({
    catalog: {
      read: (ids) => polymarket.catalog.read(ids),
      page: async (request) => {
        const page = await polymarket.catalog.page(request);
        if (page.ok && !request.newestFirst) listed.push(...page.value.listed);
        return page;
      },
    },
    clock: systemClock,
    entropy: systemEntropy,
    logger: log,
    directory,
    settings,
    onListed: () => undefined,
  });
  try {
    context.progress(`search: crawl of ${marketCount} markets`);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const startedAt = performance.now();
    await crawler.whole();
    const tookMs = performance.now() - startedAt;
    delay.disable();
    demand(directory.size >= marketCount, "the crawl found every market");
    const perSecond = countText((directory.size * 1_000) / tookMs);
    const text = `${countText(directory.size)} markets on ${crawler.pages} pages of ${pageEvents} events in ${countText(tookMs)} ms, ${perSecond} a second; the loop was held up for ${durationText(delay.percentile(99))} at p99, ${durationText(delay.max)} at most`;
    return { directory, listed, text };
  } finally {
    await polymarket.close();
    await venue.close();
  }
}

/** The index finds exactly those markets that a walk through all of them finds, and the filter finds them too. */
function compare(directory: MarketDirectory, markets: readonly Market[], query: string): void {
  const found = directory.search(query, markets.length).markets.map((one) => one.conditionId);
  const words = wordsOf(query);
  const wanted = markets.filter((market) => {
    const { question, groupTitle, groupItemTitle, slug } = market;
    const own = wordsOf(`${question} ${groupTitle ?? ""} ${groupItemTitle} ${slug}`);
    return words.every((word) => own.some((one) => one.startsWith(word)));
  });
  const ids = new Set(found);
  demand(
    ids.size === wanted.length && wanted.every((one) => ids.has(one.conditionId)),
    `index and walk find the same for "${query}"`,
  );
  // The filter knows no dashes: a slug is one word for it.
  const usual = new Set(usualSearch(markets, query, markets.length).map((one) => one.conditionId));
  demand(
    found.every((id) => usual.has(id)),
    `the filter finds what the index finds for "${query}"`,
  );
}

/** Heap that a second directory of the same markets takes. */
function memoryOf(listed: readonly ListedMarket[]): string {
  // Built from text, as a page is: nothing of it is shared with what is there already.
  const texts = listed.map((one) => JSON.stringify(one));
  collect();
  const before = process.memoryUsage().heapUsed;
  const directory = new MarketDirectory(10 * marketCount);
  for (const text of texts) directory.put([JSON.parse(text) as ListedMarket], [], 1);
  directory.search("will the", 1);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  const perThousand = (bytes / directory.size) * 1_000;
  return `${(bytes / 1e6).toFixed(1)} MB, ${(perThousand / 1e6).toFixed(2)} MB per 1,000 markets`;
}

function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  gc();
}
