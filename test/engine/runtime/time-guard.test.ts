import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import type { Clock } from "../../../src/engine/ports/system.ts";
import type { VenuePort } from "../../../src/engine/ports/venue.ts";
import { steadyClock } from "../../../src/engine/runtime/steady-clock.ts";
import { TimeGuard } from "../../../src/engine/runtime/time-guard.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type DeskOver, type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

const hourMs = 3_600_000;
const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

/** The machine's clocks, with a wall clock that a test steps. */
class SteppedClock implements Clock {
  wallMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.wallMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  after(delayMs: number, callback: () => void): () => void {
    return systemClock.after(delayMs, callback);
  }
}

let desk: LiveDesk;
afterEach(async () => desk.close());

const degraded = () => [...desk.engine.state.live.degraded.keys()];
const posts = async () => (await desk.requests("POST", /^\/order$/)).length;

async function open(over: DeskOver): Promise<void> {
  desk = await openLiveDesk({ waits: { reconcileIntervalMs: 60_000 }, ...over });
  await until("the first book", () => desk.engine.state.live.books.size > 0);
}

/** Blocks the loop of this process for real. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe("a main loop that was blocked (C4)", () => {
  test("is noticed on return: cards are over, nothing is sent before the account was read", async () => {
    await open({ stallMs: 150 });
    const { nonce } = await desk.card(resting);
    await desk.fault("status", { method: "GET", path: "^/data/orders$", code: 503, times: 999 });
    block(400);
    await until("noticed", () => degraded().includes("stalled"));
    const confirmed = await desk.engine.confirm(trader, "tg:1", nonce);
    expect(confirmed).toMatchObject({ kind: "refused", denial: { code: "card_expired" } });
    expect(await posts()).toBe(0);
    await desk.clearFaults();
    await until("read again", () => !degraded().includes("stalled"));
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
  });

  test("stops an order that was committed before and whose first byte is not out", async () => {
    await open({ stallMs: 150 });
    const { nonce } = await desk.card(resting);
    await desk.fault("status", { method: "GET", path: "^/data/orders$", code: 503, times: 999 });
    let blocked = false;
    const stop = desk.engine.onChange(() => {
      if (desk.engine.view().inFlightOrders === 0 || blocked) return;
      blocked = true;
      desk.engine.stepper.run({ kind: "time.jumped", detail: "test" }, "test");
    });
    const outcome = await desk.engine.confirm(trader, "tg:1", nonce);
    stop();
    expect(outcome.kind).toBe("accepted");
    await until("given up", () => desk.engine.view().openOrders === 0);
    expect(await posts()).toBe(0);
  });
});

describe("a wall clock that steps by an hour (C1)", () => {
  test.each([
    ["forward", hourMs],
    ["back", -hourMs],
  ])(
    "%s: the engine's time goes on, everything is read again, trading goes on",
    async (_, byMs) => {
      const clock = new SteppedClock();
      await open({ clock });
      const before = desk.engine.view().atMs;
      clock.wallMs = byMs;
      await until("noticed", () => desk.notices().some((body) => body.kind === "degraded"));
      expect(Math.abs(desk.engine.view().atMs - before)).toBeLessThan(60_000);
      await until("read again", () => degraded().length === 0);
      const { clientOid } = await desk.place(resting);
      await until("it rests", () => desk.order(clientOid).status === "live");
      await desk.engine.cancelOrders(trader, "tg:2", [clientOid]);
      await until("canceled", () => desk.order(clientOid).status === "canceled");
    },
  );
});

describe("a clock that is not the venue's", () => {
  test("refuses orders from the connection on, and takes them again once it is right", async () => {
    await open({ clockCheckMs: 100 });
    const body = Math.floor(Date.now() / 1000) + 10;
    await desk.fault("status", { method: "GET", path: "^/time$", code: 200, body, times: 9999 });
    desk = await desk.restart();
    expect(degraded()).toEqual(["clock"]);
    expect(desk.engine.view().warnings.join()).toMatch(/the clock is \d+ ms behind the venue's/u);
    const request = { ...resting, outcome: 0, side: "buy", timeInForce: null } as const;
    const quoted = await desk.engine.quoteTrade(trader, "tg:1", {
      ...request,
      goodForMs: null,
      slippagePpm: null,
    });
    expect(quoted).toMatchObject({ ok: false, error: { code: "degraded", subject: "clock" } });
    await desk.clearFaults();
    await until("right again", () => degraded().length === 0);
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
  });
});

describe("a suspended machine (C3)", () => {
  test("the engine's time follows the machine's when the venue agrees with it, and never goes back", async () => {
    await open({});
    let wallMs = 1_800_000_000_000;
    let monotonicMs = 5_000;
    let venueAheadMs = 0;
    const clock = steadyClock({
      nowMs: () => wallMs,
      monotonicMs: () => monotonicMs,
      after: () => () => undefined,
    });
    const inputs: EngineInput[] = [];
    const venue = {
      readTime: () =>
        Promise.resolve({ ok: true, value: { venueMs: wallMs + venueAheadMs, roundTripMs: 4 } }),
    } as unknown as VenuePort;
    const guard = new TimeGuard({
      clock,
      venue,
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      stallMs: 3_000,
      checkMs: 30_000,
      isConnected: () => true,
      dispatch: (input) => inputs.push(input),
    });
    const pass = async (wall: number, monotonic: number) => {
      wallMs += wall;
      monotonicMs += monotonic;
      guard.tick();
      await Promise.resolve();
      await Promise.resolve();
    };
    await pass(200, 200);
    expect(inputs).toEqual([]);
    await pass(300_000, 200);
    expect(inputs.map((input) => input.kind)).toEqual([
      "time.jumped",
      "clock.followed",
      "clock.measured",
    ]);
    expect(inputs.at(-1)).toEqual({ kind: "clock.measured", offsetMs: 0 });
    expect(clock.nowMs()).toBe(wallMs);
    // Set back by an hour, wrongly by the venue's word: time goes on as it was, and is right.
    venueAheadMs = hourMs;
    await pass(-hourMs + 200, 200);
    expect(inputs.at(-1)).toMatchObject({ kind: "clock.measured", offsetMs: 0 });
    // Set back by two hours, rightly by the venue's word: ours cannot go back, so orders are refused.
    venueAheadMs = 0;
    await pass(-2 * hourMs + 200, 200);
    expect(inputs.at(-1)).toMatchObject({ offsetMs: -3 * hourMs });
  });
});
