import { afterEach, describe, expect, test } from "vitest";
import { TamperingProxy } from "../../adapters/polymarket/tampering-proxy.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type DeskOver, type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing, standingRunners, standingTaxed } from "../support/standing-world.ts";

const { conditionId } = standing;
const [runner, otherRunner] = standingRunners;
/** How long a look counts: until a test has seen its end, or for good. */
const briefMs = 3_000;
const lastingMs = 3_600_000;

let desk: LiveDesk;
let proxy: TamperingProxy;

/** A desk on the venue's own sockets, with a note of what it asks for on them, once the scan of the start is followed. */
async function open(lookTtlMs: number, over: DeskOver = {}): Promise<void> {
  const refresh = { watchedIntervalMs: 60_000, resolutionLookMs: 20, lookTtlMs, maxWatched: 50 };
  desk = await openLiveDesk({ ...over, catalog: { refresh, ...over.catalog } }, async (port) => {
    proxy = new TamperingProxy(`ws://127.0.0.1:${port}/ws`);
    return { ws: await proxy.listen() };
  });
  await until("the scan", () => followed().length > 0);
}

/** The same, once the scan is old. */
async function openIdle(over: DeskOver = {}): Promise<void> {
  await open(briefMs, over);
  await until("nothing is followed", () => followed().length === 0);
}
afterEach(async () => {
  await desk.close();
  await proxy.close();
});

const followed = () => [...desk.engine.state.live.books.keys()];
const subscribedAtFeed = () => desk.polymarket.marketData.counters().watched;

type Asked = { readonly operation?: string; readonly assets_ids: readonly string[] };

/** Tokens that the desk holds by what it asked the venue for, all connections together. */
function heldByFrames(): Set<string> {
  const held = new Set<string>();
  for (const text of proxy.asked) {
    const { operation, assets_ids } = JSON.parse(text) as Asked;
    for (const id of assets_ids) {
      if (operation === "unsubscribe") held.delete(id);
      else held.add(id);
    }
  }
  return held;
}

const tokenOf = (market: typeof standing | undefined) => market?.outcomes[0].tokenId ?? "";
const resting = {
  conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

describe("what is subscribed", () => {
  test("is what is wanted: a look for its time, an order while it rests, shares for good", async () => {
    await openIdle();
    await until("no subscription", () => heldByFrames().size === 0);
    await desk.engine.market(standingTaxed.conditionId);
    const asked = proxy.asked.at(-1) ?? "";
    expect((JSON.parse(asked) as Asked).assets_ids).toEqual([tokenOf(standingTaxed)]);
    const order = await desk.place(resting);
    await until("the look is old", () => !followed().includes(standingTaxed.conditionId));
    expect(followed()).toEqual([conditionId]);
    await until("the frame", () => !heldByFrames().has(tokenOf(standingTaxed)));
    await desk.engine.cancelOrders(trader, "c1", [order.clientOid]);
    await until("nothing is followed", () => followed().length === 0);
    await until("no subscription", () => heldByFrames().size === 0);
    expect(subscribedAtFeed()).toBe(0);
    expect(desk.engine.state.live.trails.size).toBe(0);

    await desk.place({ conditionId, amount: { unit: "usd", value: dollars(5) } });
    await until("the shares", () => (desk.engine.holdings()[0]?.confirmed ?? 0) > 0);
    // Another look begins and ends meanwhile: two rounds of the comparison at least.
    await desk.engine.market(standingTaxed.conditionId);
    await until("the look is old", () => !followed().includes(standingTaxed.conditionId));
    expect(followed()).toEqual([conditionId]);
    await until("one subscription", () => [...heldByFrames()].join() === tokenOf(standing));
  });

  test("after a restart is what money is in, from the start", async () => {
    await openIdle();
    await desk.place(resting);
    desk = await desk.restart();
    await until("the order's book", () => followed().includes(conditionId));
    await until("it is live", () => {
      return desk.engine.state.live.books.get(conditionId)?.status === "live";
    });
  });

  test("of a strategy that names a market is followed once the market is known", async () => {
    const { conditionId: id, slug } = standingTaxed;
    const strategyMarkets = [{ conditionId: id, slug }];
    await open(briefMs, { catalog: { strategyMarkets } });
    await until("the other looks are old", () => followed().join() === id);
    expect(desk.engine.state.live.books.get(id)?.status).toBe("live");
  });

  test("over the bound is the most wanted: money is never left for a look, and the desk says so (P11)", async () => {
    await open(lastingMs, { maxBooks: 2 });
    await desk.place(resting);
    await desk.place({ ...resting, conditionId: standingTaxed.conditionId });
    expect(followed()).toEqual([conditionId, standingTaxed.conditionId]);
    const card = await desk.engine.market(runner?.conditionId ?? "");
    // Nobody's money is in it: there is no room for it, and no price of it is shown.
    expect(card).toMatchObject({ ok: true, value: { ageMs: null, bestBid: null } });
    expect(followed()).toEqual([conditionId, standingTaxed.conditionId]);
    // The look and what is left of the scan.
    expect(desk.engine.warnings()).toContain("3 markets are not followed: at most 2 are");
  });

  test("is the newest look where looks alone fill the bound, and it is served by the stream", async () => {
    await open(lastingMs, { maxBooks: 1, feedLimits: { maxMarkets: 1 } });
    await desk.engine.market(runner?.conditionId ?? "");
    await desk.engine.market(otherRunner?.conditionId ?? "");
    expect(followed()).toEqual([otherRunner?.conditionId]);
    await until("one subscription", () => [...heldByFrames()].join() === tokenOf(otherRunner));
    expect(desk.engine.state.live.books.get(otherRunner?.conditionId ?? "")?.status).toBe("live");
  });

  test("a market that was called resolved and is not comes back with a fresh book", async () => {
    await open(lastingMs);
    await desk.engine.market(conditionId);
    const tokenId = tokenOf(standing);
    const heard = { event_type: "market_resolved", market: conditionId, timestamp: "1" };
    proxy.inject(JSON.stringify({ ...heard, assets_ids: [tokenId], winning_asset_id: tokenId }));
    await until("the end", () => !followed().includes(conditionId));
    await until("its subscription ends", () => !heldByFrames().has(tokenId));
    // Gamma goes on calling it open for ten minutes.
    desk.engine.state.live.resolutions.set(conditionId, 0);
    desk.engine.catalog.readSoon(conditionId);
    await until("the doubt ends", () => !desk.engine.state.live.resolutions.has(conditionId));
    const shown = await desk.engine.market(conditionId);
    expect(shown).toMatchObject({ ok: true, value: { tradable: true, bestBid: 4_800 } });
  });
});
