import { describe, expect, test } from "vitest";
import type { Order } from "../../../src/engine/domain/order.ts";
import type { PostOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { checkTradingState } from "../../../src/engine/risk/trading-state.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain, plainRows } from "../support/markets.ts";
import { refold } from "../support/refold.ts";
import { testSettings } from "../support/settings.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("10") },
} as const;
const manual = { strategy: "manual" } as const;
const { restartQuietMs, postOnlyMs, venueProbeMs, venueProbeMaxMs } = testSettings().waits;

type NotTaken = Extract<PostOutcome, { kind: "not_taken" }>["reason"];

function answer(desk: CoreDesk, oid: string, outcome: PostOutcome): void {
  desk.run({ kind: "post.finished", clientOid: oid, outcome });
}

function notTaken(reason: NotTaken, retryAfterMs: number | null = null): PostOutcome {
  return { kind: "not_taken", reason, retryAfterMs, detail: "" };
}

/** An order at a price of its own, so that it is never the same one twice. */
function place(desk: CoreDesk, cents = 40): Order {
  desk.book(plain, plainRows);
  return desk.place({ ...resting, limit: priceOf(`0.${cents}`) });
}

/** The mode after an order that the venue answered so. */
function after(outcome: PostOutcome): CoreDesk {
  const desk = openCoreDesk();
  answer(desk, place(desk).clientOid, outcome);
  desk.drain();
  return desk;
}

function mode(desk: CoreDesk): string {
  return desk.state.control.venue.mode;
}

/** Lets time pass with a live book, answering each look with "absent" and each send as `reply` says. */
function live(desk: CoreDesk, ms: number, reply: () => PostOutcome): number {
  let sends = 0;
  const end = desk.nowMs + ms;
  while (desk.nowMs < end) {
    desk.pass(Math.min(200, end - desk.nowMs));
    desk.book(plain, plainRows);
    for (const effect of desk.drain()) {
      if (effect.kind === "order.post") {
        sends++;
        answer(desk, effect.clientOid, reply());
      } else if (effect.kind === "order.query") {
        desk.run({
          kind: "query.finished",
          clientOid: effect.clientOid,
          outcome: { kind: "absent" },
          fills: [],
        });
      }
    }
  }
  return sends;
}

function denialOf(desk: CoreDesk) {
  desk.book(plain, plainRows);
  const quoted = desk.quote({ ...resting, limit: priceOf("0.45") });
  return quoted.ok ? null : quoted.error;
}

function told(desk: CoreDesk): (readonly string[])[] {
  return desk.notices().flatMap((body) => (body.kind === "reducing" ? [body.causes] : []));
}

describe("what the venue's answers say about what it takes", () => {
  test.each<[NotTaken, string, string]>([
    ["venue_restarting", "restarting", "venue_restarting"],
    ["post_only_mode", "post_only", "venue_post_only"],
    ["venue_disabled", "disabled", "venue_disabled"],
  ])("%s: %s, and new orders are denied by that name", (reason, wanted, cause) => {
    const desk = after(notTaken(reason));
    expect(mode(desk)).toBe(wanted);
    expect(denialOf(desk)).toEqual({ code: "venue_mode", subject: cause });
    expect(told(desk)).toEqual([[cause]]);
  });

  test.each<PostOutcome>([
    notTaken("rate_limited"),
    { kind: "unknown", detail: "timeout" },
    { kind: "not_sent", detail: "refused" },
    { kind: "rejected", reason: "no_match", detail: "" },
    { kind: "duplicated" },
    { kind: "blocked", denial: { code: "busy" } },
  ])("%j says nothing about it", (outcome) => {
    expect(mode(after(outcome))).toBe("normal");
  });

  test("sales are no exception: the venue would not take them either", () => {
    const desk = after(notTaken("venue_disabled"));
    const order = { ...manual, side: "sell", postOnly: false, isRepost: true } as const;
    expect(checkTradingState(desk.state, order)).toMatchObject({ code: "venue_mode" });
  });

  test.each<PostOutcome>([
    { kind: "accepted", state: "live" },
    { kind: "accepted", state: "matched" },
    { kind: "rejected", reason: "no_match", detail: "" },
    { kind: "rejected", reason: "not_fully_filled", detail: "" },
  ])("%j proves that everything is taken again", (proof) => {
    for (const reason of ["venue_restarting", "post_only_mode", "venue_disabled"] as const) {
      const desk = openCoreDesk();
      const [first, second] = [place(desk, 40), place(desk, 41)];
      answer(desk, first.clientOid, notTaken(reason));
      answer(desk, second.clientOid, proof);
      expect(mode(desk)).toBe("normal");
      expect(told(desk)).toHaveLength(2);
    }
  });
});

describe("post-only mode", () => {
  test.each([
    [null, postOnlyMs],
    [45_000, 45_000],
  ])("retry_after of %s: over after %d ms", (retryAfterMs, lastsMs) => {
    const desk = after(notTaken("post_only_mode", retryAfterMs));
    desk.pass(lastsMs - 1);
    expect(mode(desk)).toBe("post_only");
    desk.pass(1);
    expect(mode(desk)).toBe("normal");
    expect(denialOf(desk)).toBeNull();
  });

  test("begun by a clock that was an hour ahead, it lasts no longer after the restart", () => {
    const ahead = after(notTaken("post_only_mode"));
    const desk = refold(ahead);
    desk.nowMs -= 3_600_000;
    desk.start();
    desk.pass(postOnlyMs - 1);
    expect(mode(desk)).toBe("post_only");
    desk.pass(1);
    expect(mode(desk)).toBe("normal");
  });

  test("a restart with a right clock does not prolong it", () => {
    const desk = refold(after(notTaken("post_only_mode"))).start();
    desk.pass(postOnlyMs);
    expect(mode(desk)).toBe("normal");
  });

  test("a post-only order passes, one that may take does not", () => {
    const { state } = after(notTaken("post_only_mode"));
    const order = { ...manual, side: "buy", isRepost: false } as const;
    expect(checkTradingState(state, { ...order, postOnly: true })).toBeNull();
    expect(checkTradingState(state, { ...order, postOnly: false })).toMatchObject({
      code: "venue_mode",
    });
  });
});

describe("a restart (V8)", () => {
  test("new orders wait; bytes that were not taken may be sent again within their bound", () => {
    const { state } = after(notTaken("venue_restarting"));
    const order = { ...manual, side: "buy", postOnly: false } as const;
    expect(checkTradingState(state, { ...order, isRepost: false })).not.toBeNull();
    expect(checkTradingState(state, { ...order, isRepost: true })).toBeNull();
  });

  test("425 for 90 s, post-only for two minutes, then normal: a handful of sends, nobody needed", () => {
    const desk = openCoreDesk();
    const startMs = desk.nowMs;
    const reply = (): PostOutcome => {
      const sinceMs = desk.nowMs - startMs;
      if (sinceMs < 90_000) return notTaken("venue_restarting");
      const leftMs = 210_000 - sinceMs;
      return leftMs > 0 ? notTaken("post_only_mode", leftMs) : { kind: "accepted", state: "live" };
    };
    let sends = 0;
    let accepted: Order | null = null;
    let denied = 0;
    // Somebody wants to buy every three seconds, for as long as it takes.
    for (let i = 0; i < 120 && accepted === null; i++) {
      if (denialOf(desk) === null) {
        const order = place(desk, 40 + (i % 8));
        sends++;
        answer(desk, order.clientOid, reply());
        if (desk.order(order.clientOid).status === "live") accepted = order;
      } else denied++;
      sends += live(desk, 3_000, reply);
    }
    expect(accepted).not.toBeNull();
    expect(denied).toBeGreaterThan(40);
    expect(sends).toBeLessThan(12);
    expect(mode(desk)).toBe("normal");
    expect(desk.state.halt).toBeNull();
    // A change a message: restarting, post-only (assumed, then told by the venue), normal; once per kind of change.
    const changes = told(desk).map((causes) => causes.join());
    expect(changes.length).toBeLessThan(10);
    for (let i = 1; i < changes.length; i++) expect(changes[i]).not.toBe(changes[i - 1]);
  });

  test("without another 425 it is over after a quiet while, and post-only is assumed for two minutes", () => {
    const desk = after(notTaken("venue_restarting"));
    desk.pass(restartQuietMs - 1);
    expect(mode(desk)).toBe("restarting");
    desk.pass(1);
    expect(mode(desk)).toBe("post_only");
    desk.pass(postOnlyMs);
    expect(mode(desk)).toBe("normal");
    expect(told(desk)).toEqual([["venue_restarting"], ["venue_post_only"], []]);
  });

  test("a longer Retry-After is kept to", () => {
    const desk = after(notTaken("venue_restarting", 60_000));
    desk.pass(59_999);
    expect(mode(desk)).toBe("restarting");
    desk.pass(1);
    expect(mode(desk)).toBe("post_only");
  });
});

describe("trading switched off (V9)", () => {
  test("the wait before the next try doubles up to its bound, and a taken order ends that", () => {
    const desk = openCoreDesk();
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      answer(desk, place(desk, 40 + i).clientOid, notTaken("venue_disabled"));
      const { untilMs } = desk.state.control.venue;
      waits.push((untilMs ?? 0) - desk.nowMs);
      expect(denialOf(desk)).toMatchObject({ code: "venue_mode" });
      desk.pass((untilMs ?? 0) - desk.nowMs);
      expect(mode(desk)).toBe("normal");
    }
    expect(waits).toEqual([1, 2, 4, 8, 10, 10, 10].map((times) => times * venueProbeMs));
    expect(waits.at(-1)).toBe(venueProbeMaxMs);
    answer(desk, place(desk, 47).clientOid, { kind: "accepted", state: "live" });
    expect(desk.state.control.venue.tries).toBe(0);
  });

  test("a cancel is always asked for, and one that works tells cancel-only from disabled", () => {
    const desk = openCoreDesk();
    const [rests, off] = [place(desk, 40), place(desk, 41)];
    answer(desk, rests.clientOid, { kind: "accepted", state: "live" });
    answer(desk, off.clientOid, notTaken("venue_disabled"));
    const { untilMs } = desk.state.control.venue;
    desk.drain();
    const clientOids = [rests.clientOid];
    desk.request("cancel", { do: "cancel", actor: trader, clientOids });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids });
    const failed = { kind: "failed", detail: "HTTP 503" } as const;
    desk.run({ kind: "cancel.finished", clientOids, outcome: failed });
    const nothing = { kind: "answered", canceled: [], refused: {} } as const;
    desk.run({ kind: "cancel.finished", clientOids, outcome: nothing });
    expect(mode(desk)).toBe("disabled");
    const canceled = { ...nothing, canceled: [rests.orderHash] };
    desk.run({ kind: "cancel.finished", clientOids, outcome: canceled });
    expect(desk.state.control.venue).toMatchObject({ mode: "cancel_only", untilMs });
    expect(told(desk).at(-1)).toEqual(["venue_cancel_only"]);
    expect(denialOf(desk)).toMatchObject({ code: "venue_mode", subject: "venue_cancel_only" });
  });
});

test("the mode and its end survive a restart", () => {
  const desk = after(notTaken("venue_restarting"));
  desk.pass(10_000);
  const again = refold(desk).start();
  expect(again.state.control.venue).toEqual(desk.state.control.venue);
  again.list(plain);
  expect(denialOf(again)).toMatchObject({ code: "venue_mode" });
  again.pass(restartQuietMs - 10_000);
  expect(mode(again)).toBe("post_only");
});
