import { afterEach, beforeEach, expect, test } from "vitest";
import { type LiveDesk, openLiveDesk } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { listStandingWindow, standingWindow } from "../support/standing-world.ts";

const { conditionId, slug } = standingWindow;

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

test("coin, start, end and price to beat of a window come from the catalog to the market and to the card", async () => {
  listStandingWindow(desk.venue.exchange, 64_123.45);
  const found = await desk.engine.findMarkets({ by: "slug", value: slug }, 1);
  expect(found).toMatchObject({ ok: true, value: [{ conditionId }] });
  const startMs = Date.parse(standingWindow.eventStartTime ?? "");
  const window = { coin: "btc", startMs, endMs: startMs + 300_000, strike: 64_123_450_000 };
  expect(await desk.engine.market(conditionId)).toMatchObject({ ok: true, value: { window } });
  const card = await desk.card({ conditionId, amount: { unit: "usd", value: dollars(5) } });
  expect(card.window).toEqual(window);
});
