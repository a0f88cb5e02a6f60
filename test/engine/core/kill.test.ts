import { describe, expect, test } from "vitest";
import type { NoticeBody } from "../../../src/engine/api/notices.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const { waits, resumeWaitMs, resumeTtlMs } = testSettings();

/** Orders at three prices; the first is live, the second unknown, the third still in flight. */
function threeOpen(): { readonly desk: CoreDesk; readonly oids: [string, string, string] } {
  const desk = openCoreDesk();
  const place = (at: string) => {
    const order = desk.place({
      limit: priceOf(at),
      amount: { unit: "shares", value: sharesOf("20") },
    });
    return order.clientOid;
  };
  const oids: [string, string, string] = [place("0.40"), place("0.41"), place("0.42")];
  const [live, unknown] = oids;
  desk.run({
    kind: "post.finished",
    clientOid: live,
    outcome: { kind: "accepted", state: "live" },
  });
  desk.run({ kind: "post.finished", clientOid: unknown, outcome: { kind: "unknown", detail: "" } });
  desk.drain();
  return { desk, oids };
}

function reports(desk: CoreDesk): Extract<NoticeBody, { kind: "kill.report" }>[] {
  return desk.notices().filter((body) => body.kind === "kill.report");
}

describe("a kill (P4)", () => {
  test("asks at once for the cancel of every open order, whatever is known of it, and for all others", () => {
    const { desk, oids } = threeOpen();
    desk.kill("too fast");
    expect(desk.drain().slice(0, 3)).toMatchObject([
      { kind: "order.cancel", clientOids: oids },
      { kind: "orders.cancel-all" },
      { kind: "account.read", purpose: "kill" },
    ]);
    expect(desk.state.killed).toMatchObject({ byUserId: 7, note: "too fast", open: oids });
    expect(oids.every((oid) => desk.order(oid).cancelAskedAtMs === desk.nowMs)).toBe(true);
  });

  test("is in the ledger before anything else of its step", () => {
    const { desk } = threeOpen();
    const seq = desk.facts.length;
    desk.kill();
    expect(desk.facts[seq]?.fact.kind).toBe("trading.killed");
  });

  test("refuses every card and every confirmation from then on, and every repost", () => {
    const { desk, oids } = threeOpen();
    const { nonce } = desk.card({});
    desk.kill();
    desk.drain();
    const killed = { code: "killed" };
    expect(desk.confirm(nonce)).toEqual({ kind: "refused", denial: killed });
    expect(desk.quote({})).toEqual({ ok: false, error: killed });
    const [, , third] = oids;
    desk.run({
      kind: "post.finished",
      clientOid: third,
      outcome: { kind: "not_sent", detail: "" },
    });
    desk.pass(600);
    desk.run({
      kind: "query.finished",
      clientOid: third,
      outcome: { kind: "absent" },
      fills: [],
    });
    expect(desk.drain().some((effect) => effect.kind === "order.post")).toBe(false);
  });

  test("between signing and commit wins: what was signed is not sent", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const signed = desk.sign(nonce);
    expect(signed).toHaveLength(1);
    desk.kill();
    const request = { do: "confirm", actor: trader, commandId: "tg:1", nonce, signed } as const;
    expect(desk.request("confirm", request).value).toMatchObject({
      kind: "refused",
      denial: { code: "killed" },
    });
    expect(desk.state.orders.size).toBe(0);
  });

  test("reports the fate of each order that was open, once, as soon as all have ended", () => {
    const { desk, oids } = threeOpen();
    desk.kill();
    const [live, unknown, inFlight] = oids;
    const told = (oid: string, state: "ended" | "matched", matched: number) => {
      const order = reportOf(desk.order(oid), state, matched);
      desk.run({ kind: "account", event: { kind: "order.reported", order } });
    };
    const blocked = { kind: "blocked", denial: { code: "killed" } } as const;
    desk.run({ kind: "post.finished", clientOid: inFlight, outcome: blocked });
    told(live, "ended", 0);
    desk.pass(500);
    expect(reports(desk)).toEqual([]);
    const fill = fillOf(desk.order(unknown), "t", 20_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.pass(500);
    const [report, ...more] = reports(desk);
    expect(more).toEqual([]);
    expect(report?.settled).toBe(true);
    expect(report?.orders.map(({ order, fate }) => [order.clientOid, fate])).toEqual([
      [live, "canceled"],
      [unknown, "filled"],
      [inFlight, "was_done"],
    ]);
    desk.pass(120_000, 1_000);
    expect(reports(desk)).toHaveLength(1);
  });

  test("reports after eight seconds what is still open, and again when that is settled (V21)", () => {
    const { desk, oids } = threeOpen();
    desk.kill();
    desk.pass(8_000, 500);
    expect(reports(desk)).toHaveLength(1);
    expect(reports(desk)[0]).toMatchObject({ settled: false });
    expect(reports(desk)[0]?.orders.map(({ fate }) => fate)).toEqual([
      "still_open",
      "unknown",
      "unknown",
    ]);
    for (const oid of oids) {
      const order = reportOf(desk.order(oid), "ended");
      desk.run({ kind: "account", event: { kind: "order.reported", order } });
    }
    desk.pass(1_000);
    expect(reports(desk)).toHaveLength(2);
    expect(reports(desk)[1]).toMatchObject({ settled: true });
  });

  test("with nothing open says so by its own notice and has nothing to report", () => {
    const desk = openCoreDesk();
    desk.kill();
    desk.pass(20_000, 1_000);
    expect(desk.notices().map((body) => body.kind)).toEqual(["started", "killed"]);
  });

  test("twice is one kill: the first keeps its time and its list", () => {
    const { desk } = threeOpen();
    desk.kill("first");
    const { killed } = desk.state;
    desk.nowMs += 5_000;
    desk.kill("second");
    expect(desk.state.killed).toEqual(killed);
    expect(desk.facts.filter(({ fact }) => fact.kind === "trading.killed")).toHaveLength(1);
    expect(desk.notices().filter((body) => body.kind === "killed")).toHaveLength(1);
  });

  test("sweeps again until several clean reads over the window prove the account flat (V22)", () => {
    const desk = openCoreDesk();
    desk.kill();
    const sweeps = () =>
      desk.drain().filter((effect) => effect.kind === "orders.cancel-all").length;
    sweeps();
    const foreign = reportOf(orderOfAnotherDesk(), "live");
    desk.read("kill");
    desk.read("kill");
    // Forty seconds later an order that was in flight is booked after all: everything starts again.
    desk.pass(40_000, 1_000);
    expect(sweeps()).toBeGreaterThan(10);
    desk.read("kill", { orders: [foreign] });
    for (let i = 0; i < waits.killCleanSnapshots; i++) desk.read("kill");
    desk.pass(waits.killWindowMs - 2_000, 1_000);
    expect(sweeps()).toBeGreaterThan(20);
    desk.pass(4_000, 1_000);
    sweeps();
    desk.pass(60_000, 1_000);
    expect(sweeps()).toBe(0);
  });

  test("a clock that is set forward proves nothing: the window is watched anew", () => {
    const desk = openCoreDesk();
    desk.kill();
    for (let i = 0; i < waits.killCleanSnapshots; i++) desk.read("kill");
    desk.nowMs += 3_600_000;
    desk.run({ kind: "clock.followed", byMs: 3_600_000 });
    desk.drain();
    const sweeps = (ms: number) => {
      desk.pass(ms, 1_000);
      return desk.drain().filter((effect) => effect.kind === "orders.cancel-all").length;
    };
    expect(sweeps(waits.killWindowMs - 2_000)).toBeGreaterThan(20);
    sweeps(4_000);
    expect(sweeps(60_000)).toBe(0);
  });

  test("cancels an order whose ack came only after the first sweep", () => {
    const { desk, oids } = threeOpen();
    desk.kill();
    desk.drain();
    const [, , late] = oids;
    desk.run({
      kind: "post.finished",
      clientOid: late,
      outcome: { kind: "accepted", state: "live" },
    });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [late] });
  });

  test("survives a restart: folded, restarted and reconciled it is killed still", () => {
    const { desk } = threeOpen();
    desk.kill("stay down");
    const again = refold(desk);
    again.start();
    again.list(plain);
    expect(again.state.killed).toEqual(desk.state.killed);
    expect(again.quote({})).toMatchObject({ ok: false, error: { code: "killed" } });
    again.pass(3_000, 500);
    expect(again.drain().some((effect) => effect.kind === "orders.cancel-all")).toBe(true);
  });
});

function orderOfAnotherDesk() {
  return openCoreDesk().place({
    limit: priceOf("0.40"),
    amount: { unit: "shares", value: sharesOf("5") },
  });
}

describe("resuming takes two steps", () => {
  function offered() {
    const desk = openCoreDesk();
    desk.kill();
    const offer = desk.request("ask-resume", {
      do: "ask-resume",
      actor: trader,
      commandId: "tg:5",
    });
    if (!offer.value.ok) throw new TypeError("no offer");
    const { nonce } = offer.value.value;
    const press = (actor = trader, which = nonce) =>
      desk.request("confirm-resume", { do: "confirm-resume", actor, nonce: which }).value;
    return { desk, press };
  }

  test.each([
    [0, "resume_too_soon"],
    [resumeWaitMs - 1, "resume_too_soon"],
    [resumeWaitMs, null],
    [resumeWaitMs + resumeTtlMs - 1, null],
    [resumeWaitMs + resumeTtlMs, "card_expired"],
  ])("after %d ms: %s", (waited, code) => {
    const { desk, press } = offered();
    desk.nowMs += waited;
    const result = press();
    if (code === null) expect(result).toEqual({ ok: true, value: null });
    else expect(result).toMatchObject({ ok: false, error: { code } });
    expect(desk.state.killed === null).toBe(code === null);
  });

  test("not by somebody else, not elsewhere, not with another button, not twice", () => {
    const { desk, press } = offered();
    desk.nowMs += resumeWaitMs;
    expect(press({ userId: 8, chatId: 7 })).toMatchObject({ error: { code: "card_not_yours" } });
    expect(press({ userId: 7, chatId: 8 })).toMatchObject({ error: { code: "card_not_yours" } });
    expect(press(trader, "0".repeat(32))).toMatchObject({ error: { code: "card_unknown" } });
    expect(press().ok).toBe(true);
    expect(press()).toMatchObject({ error: { code: "not_killed" } });
    expect(desk.notices().at(-1)).toMatchObject({ kind: "resumed", byUserId: 7 });
    desk.nowMs += 1;
    expect(desk.quote({}).ok).toBe(true);
  });

  test("a kill of the killed desk takes the offer away, whoever says it", () => {
    const { desk, press } = offered();
    desk.nowMs += resumeWaitMs;
    desk.request("kill", { do: "kill", byUserId: 8, note: "stay down" });
    expect(press()).toMatchObject({ ok: false, error: { code: "card_unknown" } });
    expect(refold(desk).state.resume).toBeNull();
    expect(desk.state.killed).toMatchObject({ byUserId: trader.userId });
  });

  test("a second kill takes the offer away", () => {
    const { desk, press } = offered();
    desk.nowMs += resumeWaitMs;
    expect(press().ok).toBe(true);
    desk.kill();
    expect(press()).toMatchObject({ ok: false, error: { code: "card_unknown" } });
    expect(desk.state.killed).not.toBeNull();
  });

  test("there is nothing to resume while trading is on, and nothing before the venue was read", () => {
    const desk = openCoreDesk();
    const ask = { do: "ask-resume", actor: trader, commandId: "tg:1" } as const;
    expect(desk.request("ask-resume", ask).value).toMatchObject({ error: { code: "not_killed" } });
    desk.kill();
    desk.run({ kind: "run.start" });
    expect(desk.request("ask-resume", ask).value).toMatchObject({ error: { code: "not_ready" } });
  });

  test("a commit that came late halts until somebody opens trading again", () => {
    const desk = openCoreDesk();
    desk.run({ kind: "ledger.late", detail: "slow disk" });
    expect(desk.quote({})).toMatchObject({ error: { code: "paused", subject: "ledger_failed" } });
    const ask = { do: "ask-resume", actor: trader, commandId: "tg:1" } as const;
    expect(desk.request("ask-resume", ask).value.ok).toBe(true);
  });

  test("a live desk starts halted and opens only by this", () => {
    const desk = openCoreDesk(testSettings({ mode: "live", startHalted: true }));
    expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "paused" } });
    const ask = { do: "ask-resume", actor: trader, commandId: "tg:1" } as const;
    const offer = desk.request("ask-resume", ask).value;
    if (!offer.ok) throw new TypeError("no offer");
    desk.nowMs += resumeWaitMs;
    const { nonce } = offer.value;
    desk.request("confirm-resume", { do: "confirm-resume", actor: trader, nonce });
    expect(desk.quote({}).ok).toBe(true);
  });
});
