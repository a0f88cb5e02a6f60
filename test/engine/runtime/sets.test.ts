import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { trader } from "../support/core-desk.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standingRunners } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const raceId = `l:${standingRunners[0]?.eventId ?? ""}`;

async function setCard() {
  const quoted = await desk.engine.quoteSet(trader, "tg:q", raceId, null);
  if (!quoted.ok) throw new TypeError(JSON.stringify(quoted.error));
  return quoted.value;
}

async function setOutcome() {
  await until("the set is told", () => desk.notices().some((body) => body.kind === "set.outcome"));
  const body = desk.notices().find((one) => one.kind === "set.outcome");
  if (body?.kind !== "set.outcome") throw new TypeError("no outcome");
  return body;
}

async function venueShares(): Promise<number[]> {
  const held = await Promise.all(
    standingRunners.map(({ outcomes }) => desk.polymarket.venue.shares(outcomes[0].tokenId, "v1")),
  );
  return held.map((one) => (one.ok ? one.value : -1));
}

describe("a complete set on the paper venue", () => {
  test("is found with its profit: three legs at 0.30 are 0.90 for a dollar", async () => {
    const scan = await desk.engine.scanSets();
    const found = scan.sets.find((set) => set.setId === raceId);
    expect(found).toMatchObject({ verdict: "profitable", outcomes: 3, shares: 50_000_000 });
    expect(found?.cost).toBe(45_000_000);
    expect(found?.profit).toBe(5_000_000 - 5_000);
  });

  test("is bought in equal shares of every leg, and nothing rests behind", async () => {
    const card = await setCard();
    const outcome = await desk.engine.confirm(trader, "tg:c", card.nonce);
    expect(outcome).toMatchObject({ kind: "accepted" });
    const told = await setOutcome();
    expect(told).toMatchObject({ complete: true, shares: card.shares, cost: card.cost });
    expect(await venueShares()).toEqual([card.shares, card.shares, card.shares]);
    const open = await desk.polymarket.venue.openOrders();
    expect(open.ok && open.value).toEqual([]);
    expect(desk.engine.state.cash).toBe(dollars(1_000) - card.cost);
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(3);
  });

  test("a leg that lost its depth is bought in part, the rest is canceled, and the set is told incomplete", async () => {
    const card = await setCard();
    const [, second] = standingRunners;
    if (second === undefined) throw new TypeError("no leg");
    // Somebody else takes the leg after the check: hold the book back, so that the desk cannot know.
    await desk.fault("ws-mute", { ms: 60_000 });
    desk.venue.exchange.setBackgroundLevel(second.conditionId, "SELL", "0.3", "20");
    desk.venue.exchange.setBackgroundLevel(second.conditionId, "SELL", "0.35", "0");
    const outcome = await desk.engine.confirm(trader, "tg:c", card.nonce);
    expect(outcome).toMatchObject({ kind: "accepted" });
    const told = await setOutcome();
    expect(told).toMatchObject({ complete: false, shares: 20_000_000 });
    expect(told.legs.map((leg) => leg.filled)).toEqual([card.shares, 20_000_000, card.shares]);
    expect(told.legs.map((leg) => leg.status)).toEqual(["filled", "canceled", "filled"]);
    const open = await desk.polymarket.venue.openOrders();
    expect(open.ok && open.value).toEqual([]);
    expect(await venueShares()).toEqual([card.shares, 20_000_000, card.shares]);
  });

  test("a leg whose answer is lost is found, and the set is told only then", async () => {
    const card = await setCard();
    await desk.fault("ws-mute", { ms: 60_000 });
    await desk.fault("drop-after", { method: "POST", path: "^/order$", after: 1, times: 1 });
    await desk.engine.confirm(trader, "tg:c", card.nonce);
    const told = await setOutcome();
    expect(told).toMatchObject({ complete: true, shares: card.shares });
    expect(desk.notices().some((body) => body.kind === "order.unknown")).toBe(true);
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(3);
  });

  test("a leg that moved kills the card: nothing is sent", async () => {
    const card = await setCard();
    const [first] = standingRunners;
    if (first === undefined) throw new TypeError("no leg");
    desk.venue.exchange.setBackgroundLevel(first.conditionId, "SELL", "0.3", "0");
    const moved = () => {
      const book = desk.engine.state.live.books.get(first.conditionId);
      return book?.ladder.bestAsk === 35;
    };
    await until("the desk has seen it", moved);
    expect(await desk.engine.confirm(trader, "tg:c", card.nonce)).toMatchObject({
      kind: "refused",
      denial: { code: "price_moved" },
    });
    expect(await desk.requests("POST", /^\/order$/)).toEqual([]);
  });
});
