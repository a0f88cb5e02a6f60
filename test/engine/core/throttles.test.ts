import { describe, expect, test } from "vitest";
import type { Order } from "../../../src/engine/domain/order.ts";
import { checkTradingState } from "../../../src/engine/risk/trading-state.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain, plainRows, taxed } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { type SettingsOver, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const sh = (text: string) => ({ unit: "shares", value: sharesOf(text) }) as const;

function openDesk(risk: SettingsOver["risk"]): CoreDesk {
  return openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0, ...risk } }));
}

/** One order of ten shares that trades whole in `parts` trades. */
function trade(desk: CoreDesk, request: Parameters<CoreDesk["place"]>[0] = {}, parts = 1): Order {
  desk.book(plain, plainRows);
  desk.book(taxed, plainRows);
  const order = desk.place({ limit: priceOf("0.52"), amount: sh("10"), ...request });
  for (let part = 0; part < parts; part++) {
    const fill = fillOf(order, `${order.clientOid}:${part}`, 10_000_000 / parts, {
      status: "confirmed",
    });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  }
  const report = reportOf(order, "matched", 10_000_000);
  desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
  return order;
}

function answer(desk: CoreDesk, request: Parameters<CoreDesk["quote"]>[0]): string {
  desk.book(plain, plainRows);
  desk.book(taxed, plainRows);
  const quoted = desk.quote({ limit: priceOf("0.52"), amount: sh("10"), ...request });
  return quoted.ok ? "yes" : quoted.error.code;
}

/** The desk after a restart; its commands get ids that the last run did not use. */
function restarted(desk: CoreDesk): CoreDesk {
  const again = refold(desk).start();
  for (const market of [plain, taxed]) again.list(market);
  for (let i = 0; i < 200; i++) again.run({ kind: "tick" });
  return again;
}

function lockedNotices(desk: CoreDesk) {
  return desk.notices().filter((body) => body.kind === "strategy.locked");
}

function resume(desk: CoreDesk): void {
  const asked = desk.request("ask-resume", { do: "ask-resume", actor: trader, commandId: "r" });
  if (!asked.value.ok) throw new TypeError("nothing to resume");
  const { nonce, readyAtMs } = asked.value.value;
  desk.nowMs = readyAtMs;
  const done = desk.request("confirm-resume", { do: "confirm-resume", actor: trader, nonce });
  expect(done.value.ok).toBe(true);
  desk.nowMs += 1;
}

describe("repeated executions (RTS 6 Art. 15)", () => {
  const three = { repeatMaxExecutions: 3, repeatWindowMs: 60_000 };
  const sale = { side: "sell", limit: priceOf("0.48") } as const;

  test("the third of its kind stops that strategy on that side, in its own step, once", () => {
    const desk = openDesk(three);
    trade(desk);
    trade(desk);
    expect(answer(desk, {})).toBe("yes");
    const from = desk.facts.length;
    trade(desk);
    const kinds = desk.facts.slice(from).map(({ fact }) => fact.kind);
    const at = kinds.indexOf("strategy.locked");
    expect(kinds.slice(at - 1, at + 2)).toEqual([
      "fill.recorded",
      "strategy.locked",
      "notice.raised",
    ]);
    expect(answer(desk, {})).toBe("repeated_execution");
    expect(answer(desk, { conditionId: taxed.conditionId })).toBe("repeated_execution");
    expect(answer(desk, sale)).toBe("yes");
    expect(lockedNotices(desk)).toEqual([
      {
        kind: "strategy.locked",
        strategy: "manual",
        side: "buy",
        question: plain.question,
        executions: 3,
        windowMs: 60_000,
      },
    ]);
  });

  test("an order that was approved before is not sent any more, another strategy's is", () => {
    const desk = openDesk(three);
    for (let i = 0; i < 3; i++) trade(desk);
    const order = { side: "buy", postOnly: false, isRepost: true } as const;
    expect(checkTradingState(desk.state, { ...order, strategy: "manual" })).toEqual({
      code: "repeated_execution",
      subject: "manual buy",
    });
    expect(checkTradingState(desk.state, { ...order, strategy: "dutch" })).toBeNull();
  });

  test("fills of orders that were on their way already are booked and tell it no second time", () => {
    const desk = openDesk(three);
    const orders = Array.from({ length: 5 }, () =>
      desk.place({ limit: priceOf("0.52"), amount: sh("10") }),
    );
    for (const order of orders) {
      const fill = fillOf(order, order.clientOid, 10_000_000);
      desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    }
    expect(desk.state.fills.size).toBe(5);
    expect(lockedNotices(desk)).toHaveLength(1);
  });

  test("several trades of one order are one execution; other tokens, sides and fruitless orders count apart", () => {
    const desk = openDesk(three);
    trade(desk, {}, 5);
    trade(desk);
    trade(desk, { conditionId: taxed.conditionId });
    trade(desk, { outcome: 1 });
    trade(desk, sale);
    const fruitless = desk.place({ limit: priceOf("0.40"), amount: sh("10") });
    desk.run({
      kind: "post.finished",
      clientOid: fruitless.clientOid,
      outcome: { kind: "accepted", state: "live" },
    });
    expect(desk.state.control.locks.size).toBe(0);
    trade(desk);
    expect([...desk.state.control.locks.keys()]).toEqual(["manual buy"]);
  });

  test.each([
    [59_999, "repeated_execution"],
    [60_000, "yes"],
  ])("the third one %d ms after the first: %s", (laterMs, expected) => {
    const desk = openDesk(three);
    trade(desk);
    trade(desk);
    desk.nowMs += laterMs;
    trade(desk);
    expect(answer(desk, {})).toBe(expected);
  });

  test("what was counted and what was stopped survive a restart; only a resume lets it go on", () => {
    const desk = openDesk(three);
    trade(desk);
    trade(desk);
    const counted = restarted(desk);
    trade(counted);
    expect(answer(counted, {})).toBe("repeated_execution");
    const stopped = restarted(counted);
    stopped.pass(120_000, 1_000);
    expect(answer(stopped, {})).toBe("repeated_execution");
    resume(stopped);
    expect(answer(stopped, {})).toBe("yes");
  });

  test("a resume counts anew from there", () => {
    const desk = openDesk(three);
    for (let i = 0; i < 3; i++) trade(desk);
    resume(desk);
    trade(desk);
    trade(desk);
    expect(desk.state.control.locks.size).toBe(0);
    trade(desk);
    expect(desk.state.control.locks.size).toBe(1);
    expect(lockedNotices(desk)).toHaveLength(2);
  });
});

describe("the rate of requests about orders", () => {
  const resting = { limit: priceOf("0.40"), amount: sh("5") } as const;

  test.each([
    [2, "yes"],
    [3, "message_rate"],
  ])("after %d of 3 requests within the window the next order: %s", (sent, expected) => {
    const desk = openDesk({ messageRateMax: 3, messageRateWindowMs: 10_000 });
    for (let i = 0; i < sent; i++) desk.place(resting);
    expect(answer(desk, resting)).toBe(expected);
  });

  test.each([
    [false, "yes"],
    [true, "message_rate"],
  ])("a send, a look and (%s) a cancel under a limit of three: %s", (cancels, expected) => {
    const desk = openDesk({ messageRateMax: 3, messageRateWindowMs: 10_000 });
    const { clientOid } = desk.place(resting);
    const outcome = { kind: "accepted", state: "live" } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
    const clientOids = [clientOid];
    if (cancels) desk.request("cancel", { do: "cancel", actor: trader, clientOids });
    expect(answer(desk, resting)).toBe(expected);
  });

  test("looks and cancels are never refused; a kill is not either", () => {
    const desk = openDesk({ messageRateMax: 2, messageRateWindowMs: 10_000 });
    const { clientOid } = desk.place(resting);
    const outcome = { kind: "accepted", state: "live" } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
    expect(answer(desk, resting)).toBe("message_rate");
    desk.drain();
    for (let i = 0; i < 5; i++) {
      desk.request("cancel", { do: "cancel", actor: trader, clientOids: [clientOid] });
      expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [clientOid] });
    }
    desk.kill();
    expect(desk.drain().map((effect) => effect.kind)).toEqual(
      expect.arrayContaining(["order.cancel", "orders.cancel-all"]),
    );
  });

  test("a thousand signals within a second: as many orders leave as the limit says, and room comes back", () => {
    const desk = openDesk({
      messageRateMax: 25,
      messageRateWindowMs: 10_000,
      maxExposurePerOutcomeUsd: testSettings().risk.maxDailyVolumeUsd,
      maxExposurePerMarketUsd: testSettings().risk.maxDailyVolumeUsd,
    });
    let placed = 0;
    for (let i = 0; i < 1_000; i++) {
      desk.nowMs += 1;
      if (answer(desk, resting) !== "yes") continue;
      desk.place(resting);
      placed++;
    }
    expect(placed).toBe(25);
    expect(desk.effects.filter((effect) => effect.kind === "order.post")).toHaveLength(25);
    expect(desk.state.live.requestedAtMs.length).toBeLessThanOrEqual(25);
    desk.nowMs += 10_000;
    expect(answer(desk, resting)).toBe("yes");
  });
});
