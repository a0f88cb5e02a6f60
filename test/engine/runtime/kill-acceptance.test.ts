// The kill under everything at once: 200 orders rest, a thousand updates wait, three presses of Confirm wait beside it, the
// disk takes two seconds for a commit, and the market floods the loop.
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBot, type TelegramDesk } from "../../../src/bot/bot.ts";
import { type BotApiEmulator, startEmulator } from "../../../src/bot/local/emulator.ts";
import { startPolling } from "../../../src/bot/transport/polling.ts";
import type { Transport } from "../../../src/bot/transport/trouble.ts";
import type { OrderFate } from "../../../src/engine/api/notices.ts";
import type { DurableLog } from "../../../src/engine/ports/durable-log.ts";
import { token } from "../../bot/support/bot-rig.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing } from "../support/standing-world.ts";

const allMs = 180_000;
const restingOrders = 200;
const queuedUpdates = 1_000;
const slowDiskMs = 2_000;
const fast = { perSecond: 100_000, burst: 100_000 };

let desk: LiveDesk;
let emulator: BotApiEmulator;
let bot: TelegramDesk;
let transport: Transport;
let diskMs = 0;

/** The real file behind a disk that takes its time; rows still become durable in order. */
function slowDisk(log: DurableLog): DurableLog {
  let last: Promise<unknown> = Promise.resolve();
  return {
    append(records) {
      const waited = diskMs === 0 ? last : Promise.all([last, pause(diskMs)]);
      const done = waited.then(() => log.append(records));
      last = done.catch(() => undefined);
      return done;
    },
    read: (fromSeq, limit) => log.read(fromSeq, limit),
    lastSeq: () => log.lastSeq(),
    close: () => log.close(),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

beforeEach(async () => {
  diskMs = 0;
  desk = await openLiveDesk({
    risk: {
      maxOpenOrders: 1_000,
      duplicateWindowMs: 0,
      maxExposurePerOutcomeUsd: dollars(900),
      maxExposurePerMarketUsd: dollars(900),
    },
    // As in production: two hundred orders that are looked at every few milliseconds would be a flood of their own.
    waits: { queryBackoffMs: [500, 1_000, 2_000], reconcileIntervalMs: 5_000 },
    rateLimits: { orders: fast, cancels: fast, killCancels: fast },
    ledgerCommitMaxMs: 60_000,
    wrapLog: slowDisk,
  });
  emulator = await startEmulator({ token });
  emulator.addUser(trader.userId, "Ann");
  const quiet = () => undefined;
  bot = createBot({
    api: desk.engine,
    log: { info: quiet, warn: quiet, error: quiet },
    whitelist: [trader.userId],
    minOrderUsd: 1,
    confirmTtlSeconds: 45,
    token,
    apiRoot: emulator.apiRoot,
    now: () => desk.engine.deps.clock.nowMs(),
    randomHex: (bytes) => desk.engine.deps.entropy.hex(bytes),
    mode: "paper",
  });
  bot.start();
  transport = startPolling(bot, { onTrouble: quiet });
});
afterEach(async () => {
  diskMs = 0;
  await transport.stop();
  await bot.stop();
  await emulator.close();
  await desk.close();
});

/** A slow disk makes every step of a kill take its two seconds. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 90_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new TypeError(`never happened: ${what}`);
    await pause(100);
  }
}

/** Orders whose first byte our side let go. */
const sent = () =>
  desk.logged.filter((line) => line.event === "order.posted" && line["passed"] === true).length;

/** Orders that the venue received since a moment, among the requests that it still remembers. */
async function receivedSince(atMs: number): Promise<number> {
  const rows = await desk.requests("POST", /^\/order$/);
  return rows.filter((row) => row.atMs >= atMs).length;
}

async function placeMany(): Promise<void> {
  for (let n = 0; n < restingOrders; n++) {
    // The last ones stand first in the queue of the best price, where the crowd reaches them.
    const limit = priceOf(n < restingOrders - 10 ? "0.30" : "0.49");
    const amount = { unit: "shares", value: sharesOf("5") } as const;
    await desk.place({ conditionId: standing.conditionId, limit, amount });
  }
  await until(
    "all rest",
    () => desk.engine.orders().filter((one) => one.status === "live").length === restingOrders,
  );
}

/** Cards that wait for their press, by their messages. */
async function cards(count: number): Promise<number[]> {
  for (let n = 0; n < count; n++) {
    emulator.send(trader.userId, `/buy ${standing.slug} yes 5sh @0.3${n}`);
  }
  const shown = () =>
    emulator.events.filter((event) => event.dir === "out" && /CONFIRM BUY/u.test(event.text));
  await until("the cards are shown", () => shown().length >= count);
  return shown().map((event) => event.messageId ?? 0);
}

async function fatesByTheVenue(orders: readonly OrderFate[]): Promise<Map<string, string>> {
  const fates = new Map<string, string>();
  for (const { order } of orders) {
    const found = await desk.polymarket.venue.queryOrder(order.orderHash);
    if (found.kind !== "found") fates.set(order.orderHash, found.kind);
    else if (found.order.state === "matched") fates.set(order.orderHash, "filled");
    else fates.set(order.orderHash, found.order.state === "ended" ? "canceled" : found.order.state);
  }
  return fates;
}

test(
  "closes the gate before anything else, the venue sees no order after it, and each fate is the venue's own (P4, 5.6)",
  async () => {
    await placeMany();
    const messages = await cards(3);
    await transport.stop();
    for (let n = 0; n < 40; n++) emulator.send(trader.userId, `hello ${n}`);
    for (const id of messages) emulator.press(trader.userId, id, /^Confirm/u);
    emulator.send(trader.userId, "/kill enough");
    for (let n = 0; n < queuedUpdates - 44; n++) emulator.send(trader.userId, `hello again ${n}`);
    diskMs = slowDiskMs;
    const flood = setInterval(() => {
      for (let n = 0; n < 4; n++) {
        desk.venue.exchange.setBackgroundLevel(
          standing.conditionId,
          "BUY",
          "0.20",
          String(1_000 + n),
        );
      }
    }, 20);
    // Half of what stands at the best price fills while the kill is on its way.
    desk.venue.exchange.crowdTrade(standing.conditionId, "SELL", "0.49", "25");
    const closeGate = desk.engine.closeGate.bind(desk.engine);
    let closedAtMs = Number.POSITIVE_INFINITY;
    desk.engine.closeGate = () => {
      closeGate();
      closedAtMs = Math.min(closedAtMs, Date.now());
    };
    transport = startPolling(bot, { onTrouble: () => undefined });
    await until("the gate is closed", () => desk.engine.gateClosed);
    const settled = () =>
      desk.notices().find((body) => body.kind === "kill.report" && body.settled);
    await eventually("every fate is told, on the slow disk", async () => {
      expect(await receivedSince(closedAtMs)).toBe(0);
      return settled() !== undefined;
    });
    clearInterval(flood);
    diskMs = 0;
    const report = settled();
    if (report?.kind !== "kill.report") throw new TypeError("no report");
    const open = report.orders.map(({ order }) => order.orderHash);
    const all = desk.engine.orders().map((order) => order.orderHash);
    // Those that filled before the kill was worked on are not in its report; every other one is.
    expect(open.length).toBeGreaterThanOrEqual(restingOrders - 5);
    expect(open.every((hash) => all.includes(hash))).toBe(true);
    const byVenue = await fatesByTheVenue(report.orders);
    const ours = new Map(report.orders.map(({ order, fate }) => [order.orderHash, fate]));
    expect(ours).toEqual(byVenue);
    expect(await receivedSince(closedAtMs)).toBe(0);
    expect(sent()).toBe(restingOrders);
    const left = await desk.polymarket.venue.openOrders();
    expect(left.ok && left.value).toEqual([]);
    expect(desk.engine.view().trading.state).toBe("killed");
  },
  allMs,
);
