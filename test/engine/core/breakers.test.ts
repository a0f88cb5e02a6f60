import { describe, expect, test } from "vitest";
import type { PostOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { tradingState } from "../../../src/engine/risk/trading-state.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { marketOf, plain, plainRows, taxed } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { type SettingsOver, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const accepted: PostOutcome = { kind: "accepted", state: "live" };
const unknown: PostOutcome = { kind: "unknown", detail: "timeout" };
const notSent: PostOutcome = { kind: "not_sent", detail: "refused" };
const refused: PostOutcome = { kind: "rejected", reason: "invalid_signature", detail: "" };

function openDesk(risk: SettingsOver["risk"]): CoreDesk {
  return openCoreDesk(testSettings({ risk: { duplicateWindowMs: 0, ...risk } }));
}

/** One order, and what its sending led to. */
function send(desk: CoreDesk, outcome: PostOutcome, durationMs: number | null = 5): void {
  desk.book(plain, plainRows);
  const amount = { unit: "shares", value: sharesOf("5") } as const;
  const { clientOid } = desk.place({ limit: priceOf("0.40"), amount });
  desk.run({ kind: "post.finished", clientOid, outcome, durationMs });
}

function quote(desk: CoreDesk): string {
  desk.book(plain, plainRows);
  const quoted = desk.quote({});
  return quoted.ok ? "yes" : `${quoted.error.code} ${quoted.error.subject ?? ""}`.trim();
}

/** The same desk after a restart, reconciled. */
function restarted(desk: CoreDesk): CoreDesk {
  const again = refold(desk);
  again.start();
  again.list(plain);
  // Its commands get ids that the last run did not use.
  for (let i = 0; i < 200; i++) again.run({ kind: "tick" });
  return again;
}

function resume(desk: CoreDesk): void {
  const asked = desk.request("ask-resume", { do: "ask-resume", actor: trader, commandId: "r" });
  if (!asked.value.ok) throw new TypeError("nothing to resume");
  const { nonce, readyAtMs } = asked.value.value;
  desk.nowMs = readyAtMs;
  desk.request("confirm-resume", { do: "confirm-resume", actor: trader, nonce });
}

describe("sends in a row without an answer (N1, N2)", () => {
  const three = { breakerFailuresInRow: 3 };

  test.each([[[unknown, unknown, unknown]], [[notSent, unknown, notSent]]])(
    "%j halt in the step of the last one, before anybody is told",
    (outcomes) => {
      const desk = openDesk(three);
      for (const outcome of outcomes.slice(0, 2)) send(desk, outcome);
      expect(tradingState(desk.state).state).toBe("active");
      const from = desk.facts.length;
      send(desk, outcomes[2] ?? unknown);
      expect(tradingState(desk.state)).toEqual({ state: "halted", reason: "consecutive_failures" });
      const kinds = desk.facts.slice(from).map(({ fact }) => fact.kind);
      const at = kinds.indexOf("breaker.counted");
      expect(kinds.slice(at, at + 3)).toEqual([
        "breaker.counted",
        "trading.halted",
        "notice.raised",
      ]);
      expect(quote(desk)).toBe("paused consecutive_failures");
    },
  );

  test.each<PostOutcome>([
    accepted,
    refused,
    { kind: "duplicated" },
    { kind: "not_taken", reason: "rate_limited", retryAfterMs: null, detail: "" },
  ])("%j is an answer: the count starts anew", (answer) => {
    const desk = openDesk(three);
    for (const outcome of [unknown, unknown, answer, unknown, unknown]) send(desk, outcome);
    expect(desk.state.halt).toBeNull();
    send(desk, unknown);
    expect(desk.state.halt?.reason).toBe("consecutive_failures");
  });

  test("an order that our own gate stopped is no failure and no answer", () => {
    const desk = openDesk(three);
    const blocked: PostOutcome = { kind: "blocked", denial: { code: "busy" } };
    for (const outcome of [unknown, blocked, unknown, blocked]) send(desk, outcome);
    expect(desk.state.halt).toBeNull();
    send(desk, unknown);
    expect(desk.state.halt).not.toBeNull();
  });

  test("a restart between them forgets none, and a resume forgets them all", () => {
    const desk = openDesk(three);
    send(desk, unknown);
    send(desk, unknown);
    const again = restarted(desk);
    send(again, unknown);
    expect(again.state.halt?.reason).toBe("consecutive_failures");
    resume(again);
    send(again, unknown);
    send(again, unknown);
    expect(again.state.halt).toBeNull();
    send(again, unknown);
    expect(again.state.halt).not.toBeNull();
  });
});

describe("a burst of refusals", () => {
  test("counts across a restart, within its minute", () => {
    const desk = openDesk({ breakerRejectsPerMinute: 3 });
    send(desk, refused);
    desk.nowMs += 59_999;
    send(desk, refused);
    const soon = restarted(desk);
    send(soon, refused);
    expect(soon.state.halt?.reason).toBe("reject_burst");
    const late = restarted(desk);
    late.nowMs += 1;
    send(late, refused);
    expect(late.state.halt).toBeNull();
  });
});

describe("late answers", () => {
  const limits = { breakerSlowAckMs: 800, breakerSlowAcks: 3, breakerSlowWindowMs: 30_000 };

  test.each([
    [800, "active"],
    [801, "reducing"],
  ])("three answers after %d ms: %s", (durationMs, state) => {
    const desk = openDesk(limits);
    for (let i = 0; i < 3; i++) send(desk, i === 1 ? refused : accepted, durationMs);
    expect(tradingState(desk.state).state).toBe(state);
  });

  test("only sales from the last of them on, until the window has passed without another", () => {
    const desk = openDesk(limits);
    for (let i = 0; i < 3; i++) send(desk, accepted, 900);
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["slow_acks"] });
    expect(quote(desk)).toBe("reducing slow_acks");
    const again = restarted(desk);
    expect(tradingState(again.state)).toEqual({ state: "reducing", causes: ["slow_acks"] });
    again.pass(29_999);
    expect(tradingState(again.state).state).toBe("reducing");
    again.pass(1);
    expect(tradingState(again.state).state).toBe("active");
    expect(quote(again)).toBe("yes");
  });

  test("no answer at all is another breaker's matter, and an order that never left has no time", () => {
    const desk = openDesk(limits);
    for (let i = 0; i < 5; i++)
      send(desk, i % 2 === 0 ? unknown : accepted, i % 2 === 0 ? 5_000 : null);
    expect(tradingState(desk.state).state).toBe("active");
  });
});

describe("prices that come no more", () => {
  const { feedLostAfterMs } = testSettings().waits;
  const lost = (conditionIds: readonly string[]) =>
    ({
      kind: "market",
      event: { kind: "link.lost", feed: "market", detail: "x", conditionIds },
    }) as const;

  test("the link is down for longer than a moment: only sales, until it is back", () => {
    const desk = openDesk({});
    desk.run(lost([]));
    desk.pass(feedLostAfterMs - 1);
    expect(tradingState(desk.state).state).toBe("active");
    desk.pass(1);
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["feed_stale"] });
    desk.run({ kind: "market", event: { kind: "link.up", feed: "market", epoch: 2 } });
    desk.pass(200);
    expect(tradingState(desk.state).state).toBe("active");
  });

  /** Holds shares of the plain market and rests in the taxed one. */
  function withMoney(): CoreDesk {
    const desk = openDesk({});
    const amount = { unit: "shares", value: sharesOf("20") } as const;
    const order = desk.place({ limit: priceOf("0.52"), amount });
    const fill = fillOf(order, "t", 20_000_000, { status: "confirmed" });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    const report = reportOf(order, "matched", 20_000_000);
    desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
    const { conditionId } = taxed;
    const rests = desk.place({ conditionId, limit: priceOf("0.40"), amount });
    desk.run({ kind: "post.finished", clientOid: rests.clientOid, outcome: accepted });
    desk.list(marketOf(9));
    desk.pass(200);
    return desk;
  }

  /** A crossed snapshot: the book is not believed until the next one. */
  function lose(desk: CoreDesk, market: typeof plain): void {
    desk.book(market, { bids: [["0.60", "10"]], asks: [["0.50", "10"]] });
  }

  test("every book with money in it is lost, though others live: only sales, until one is back", () => {
    const desk = withMoney();
    lose(desk, plain);
    desk.pass(feedLostAfterMs + 1_000, 1_000);
    expect(tradingState(desk.state).state).toBe("active");
    lose(desk, taxed);
    desk.pass(feedLostAfterMs + 1_000, 1_000);
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["feed_stale"] });
    desk.book(taxed, plainRows);
    desk.pass(200);
    expect(tradingState(desk.state).state).toBe("active");
  });

  test("books without money in them, and markets that ended, are no loss", () => {
    const idle = openDesk({});
    for (const market of [plain, taxed]) lose(idle, market);
    idle.pass(feedLostAfterMs * 3, 1_000);
    expect(tradingState(idle.state).state).toBe("active");
    const desk = withMoney();
    for (const market of [plain, taxed]) {
      lose(desk, market);
      const ended = { ...market, tradable: false };
      desk.run({ kind: "catalog.read", answer: { markets: [ended], groups: [] } });
    }
    desk.pass(feedLostAfterMs * 3, 1_000);
    expect(tradingState(desk.state).state).toBe("active");
  });
});
