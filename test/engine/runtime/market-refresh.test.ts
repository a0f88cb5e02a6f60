import { afterEach, describe, expect, test } from "vitest";
import { type DeskOver, type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing } from "../support/standing-world.ts";

const { conditionId } = standing;
const refresh = { watchedIntervalMs: 100, resolutionLookMs: 20, lookTtlMs: 60_000, maxWatched: 50 };

let desk: LiveDesk;
async function open(over: DeskOver = {}): Promise<void> {
  desk = await openLiveDesk({ autoRedeem: false, ...over });
}
afterEach(async () => desk.close());

const held = () => desk.engine.holdings().find((one) => one.conditionId === conditionId);
const settled = () => desk.notices().filter((one) => one.kind === "market.settled");

async function hold(): Promise<void> {
  await desk.place({ conditionId, outcome: 0, amount: { unit: "usd", value: dollars(5) } });
  await until("the shares", () => (held()?.confirmed ?? 0) > 0);
}

describe("a held market that is resolved", () => {
  test("without a word on the stream is settled by the regular refresh", async () => {
    await open();
    await hold();
    // Nothing more comes on the stream: the message is lost.
    await desk.engine.deps.marketData.close();
    desk.venue.exchange.resolve(conditionId, 0);
    await until("the settlement", () => settled().length === 1);
    expect(held()).toBeUndefined();
  });

  test("is settled only when Gamma names the winner, and soon after", async () => {
    await open({ catalog: { refresh: { ...refresh, watchedIntervalMs: 3_600_000 } } });
    await hold();
    await desk.fault("status", { path: "^/gamma/markets", times: 30, code: 500 });
    desk.venue.exchange.resolve(conditionId, 0);
    await until("the market's end", () => desk.engine.state.live.resolutions.has(conditionId));
    await until(
      "Gamma to be asked",
      async () => (await desk.requests("GET", /^\/gamma\/markets/)).length > 3,
    );
    expect([settled().length, held()?.confirmed === 0]).toEqual([0, false]);
    await desk.clearFaults();
    await until("the settlement", () => settled().length === 1);
    expect(desk.engine.state.live.resolutions.size).toBe(0);
  });
});

describe("terms that were edited", () => {
  test("are told once, however the market is asked for: what the crawl brought before is not believed again", async () => {
    const crawl = {
      pageEvents: 50,
      maxPages: 10,
      pagePauseMs: 0,
      wholeIntervalMs: 3_600_000,
      newestIntervalMs: 3_600_000,
      backOffFirstMs: 10,
      backOffMaxMs: 100,
    };
    await open({ catalog: { crawl } });
    const { slug } = standing;
    await until("the crawl", () => desk.logged.some((line) => line.event === "catalog.crawled"));
    await hold();
    const body = JSON.stringify({ description: "Pays on Friday." });
    await fetch(`${desk.baseUrl}/paper/market/${slug}/rules`, { method: "POST", body });
    const told = () => desk.notices().filter((one) => one.kind === "rules.edited");
    await until("the notice", () => told().length > 0);
    const { ruleHash } = told()[0] ?? {};
    for (const ref of [
      { by: "slug", value: slug },
      { by: "words", value: "question 1" },
    ] as const) {
      await desk.engine.findMarkets(ref, 5);
      await desk.engine.searchMarkets("question", 5, true);
      expect(desk.engine.state.markets.get(conditionId)?.ruleHash).toBe(ruleHash);
    }
    expect(told()).toHaveLength(1);
  });
});

describe("what is read again", () => {
  test("is what is held and what was looked at, and nothing for a desk without both", async () => {
    await open();
    const reads = async () => (await desk.requests("GET", /^\/gamma\/markets$/)).length;
    expect([desk.engine.catalog.wanted(), await reads()]).toEqual([[], 0]);
    await desk.engine.market(conditionId);
    expect(desk.engine.catalog.wanted()).toEqual([{ conditionId, why: "look" }]);
    await until("a read", async () => (await reads()) > 2);
  });
});
