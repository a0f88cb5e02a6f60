import { describe, expect, test } from "vitest";
import type { QueryOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { exposureOf, freeCash } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain, plainRows } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const { waits } = testSettings();

function lost(): { readonly desk: CoreDesk; readonly oid: string } {
  const desk = openCoreDesk();
  const oid = desk.place(resting).clientOid;
  posted(desk, oid, "unknown");
  desk.drain();
  return { desk, oid };
}

function posted(desk: CoreDesk, oid: string, kind: "unknown" | "not_sent" | "restarting") {
  const outcome =
    kind === "restarting"
      ? ({ kind: "not_taken", reason: "venue_restarting", retryAfterMs: null, detail: "" } as const)
      : { kind, detail: "test" };
  desk.run({ kind: "post.finished", clientOid: oid, outcome });
}

function answered(desk: CoreDesk, oid: string, outcome: QueryOutcome, fills: [] | null = []) {
  desk.run({ kind: "query.finished", clientOid: oid, outcome, fills });
}

/** Ticks every half second and answers each query that is asked; how many were. */
function answering(desk: CoreDesk, oid: string, ms: number, outcome: QueryOutcome): number {
  let queries = 0;
  const end = desk.nowMs + ms;
  while (desk.nowMs < end) {
    desk.nowMs += 500;
    desk.run({ kind: "tick" });
    for (const effect of desk.drain()) {
      expect(effect.kind).not.toBe("order.post");
      if (effect.kind === "account.read") desk.read(effect.purpose);
      if (effect.kind !== "order.query") continue;
      queries++;
      answered(desk, oid, outcome);
    }
  }
  return queries;
}

describe("an order whose answer never came", () => {
  test("keeps its reservation until it is proven absent: after the quarantine and several clean reads", () => {
    const { desk, oid } = lost();
    const queries = answering(desk, oid, waits.quarantineMs - 1_000, { kind: "absent" });
    expect(queries).toBeGreaterThan(10);
    expect(desk.order(oid).status).toBe("unknown");
    expect(exposureOf(desk.state).locked).toBe(8_000_000);
    expect(freeCash(desk.state)).toBe(dollars(992));
    answering(desk, oid, 10_000, { kind: "absent" });
    expect(desk.order(oid)).toMatchObject({
      status: "rejected",
      rejectReason: "not_found_after_quarantine",
    });
    expect(exposureOf(desk.state).locked).toBe(0);
  });

  test.each([
    ["ahead", 3_600_000],
    ["behind", -3_600_000],
  ])(
    "a start whose clock is an hour %s neither ends the quarantine nor keeps it for ever",
    (_, offMs) => {
      const { desk, oid } = lost();
      answering(desk, oid, 10_000, { kind: "absent" });
      const next = refold(desk);
      next.nowMs += offMs;
      next.start();
      answering(next, oid, waits.quarantineMs - 1_000, { kind: "absent" });
      expect(next.order(oid).status).toBe("unknown");
      expect(next.notices().map((body) => body.kind)).toContain("order.unknown");
      answering(next, oid, 10_000, { kind: "absent" });
      expect(next.order(oid).status).toBe("rejected");
    },
  );

  test("a clock that is set forward adds nothing to the quarantine (P3)", () => {
    const { desk, oid } = lost();
    answering(desk, oid, waits.quarantineMs - 5_000, { kind: "absent" });
    desk.nowMs += 3_600_000;
    desk.run({ kind: "clock.followed", byMs: 3_600_000 });
    answering(desk, oid, waits.quarantineMs - 1_000, { kind: "absent" });
    expect(desk.order(oid).status).toBe("unknown");
    expect(exposureOf(desk.state).locked).toBe(8_000_000);
    answering(desk, oid, 10_000, { kind: "absent" });
    expect(desk.order(oid).status).toBe("rejected");
  });

  test("an answer that slept with the process says what was there before, and ends nothing (P3)", () => {
    const { desk, oid } = lost();
    answering(desk, oid, waits.quarantineMs - 10_000, { kind: "absent" });
    while (!desk.drain().some((effect) => effect.kind === "order.query")) {
      desk.nowMs += 500;
      desk.run({ kind: "tick" });
    }
    desk.nowMs += 60_000;
    answered(desk, oid, { kind: "absent" });
    expect(desk.order(oid).status).toBe("unknown");
    answering(desk, oid, 10_000, { kind: "absent" });
    expect(desk.order(oid).status).toBe("rejected");
  });

  test("time alone is no proof: without enough clean reads it stays unknown (P3)", () => {
    const { desk, oid } = lost();
    desk.pass(10 * waits.quarantineMs);
    for (let read = 1; read < waits.quarantineCleanReads; read++) {
      answered(desk, oid, { kind: "absent" });
      expect(desk.order(oid).status).toBe("unknown");
    }
    answered(desk, oid, { kind: "absent" });
    expect(desk.order(oid).status).toBe("rejected");
  });

  test.each<readonly [string, QueryOutcome, [] | null]>([
    ["a read that failed", { kind: "failed", detail: "500" }, []],
    ["an absence without its trades", { kind: "absent" }, null],
  ])("%s proves nothing, however often", (_, outcome, fills) => {
    const { desk, oid } = lost();
    desk.pass(10 * waits.quarantineMs);
    for (let i = 0; i < 20; i++) answered(desk, oid, outcome, fills);
    expect(desk.order(oid)).toMatchObject({ status: "unknown", cleanAbsences: 0 });
    expect(exposureOf(desk.state).locked).toBe(8_000_000);
  });

  test("found live: it rests, and an absence after that starts a quarantine of its own", () => {
    const { desk, oid } = lost();
    desk.pass(waits.quarantineMs);
    answered(desk, oid, { kind: "absent" });
    answered(desk, oid, { kind: "absent" });
    answered(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "live") });
    expect(desk.order(oid)).toMatchObject({ status: "live", unknownSinceMs: null });
    answered(desk, oid, { kind: "absent" });
    answered(desk, oid, { kind: "absent" });
    expect(desk.order(oid)).toMatchObject({ status: "unknown", unknownSinceMs: desk.nowMs });
  });

  test("booked after it was given up: it counts again at once, is told, and is canceled (N7, P3, P13)", () => {
    const { desk, oid } = lost();
    answering(desk, oid, waits.quarantineMs + 10_000, { kind: "absent" });
    expect(desk.order(oid).status).toBe("rejected");
    expect(exposureOf(desk.state).locked).toBe(0);
    desk.drain();
    desk.run({
      kind: "account",
      event: { kind: "order.reported", order: reportOf(desk.order(oid), "live") },
    });
    expect(desk.order(oid)).toMatchObject({ status: "live", rejectReason: null });
    expect(exposureOf(desk.state).locked).toBe(8_000_000);
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [oid] });
    const results = [...desk.state.notices.values()].flatMap(({ body }) =>
      body.kind === "order.outcome" ? [body.result] : [],
    );
    expect(results).toEqual(["rejected", "resting"]);
    // The same report again changes nothing, and its end is an end like any other.
    answered(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "live") });
    answered(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "ended") });
    expect(desk.order(oid).status).toBe("canceled");
    expect(exposureOf(desk.state).locked).toBe(0);
    expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
  });

  test("found filled: its trades are booked and it ends (V2, V17)", () => {
    const { desk, oid } = lost();
    const order = desk.order(oid);
    desk.run({
      kind: "query.finished",
      clientOid: oid,
      // The venue forgets filled orders: the trades are the proof that it was booked.
      outcome: { kind: "absent" },
      fills: [fillOf(order, "t", 20_000_000)],
    });
    expect(desk.order(oid)).toMatchObject({ status: "filled", filled: 20_000_000 });
    expect(desk.state.cash).toBe(dollars(992));
  });

  test("an absence that is older than a fill does not end an order that rests", () => {
    const { desk, oid } = lost();
    const fill = fillOf(desk.order(oid), "t", 5_000_000);
    const absent = {
      kind: "query.finished",
      clientOid: oid,
      outcome: { kind: "absent" },
      fills: [fill],
    } as const;
    desk.run(absent);
    expect(desk.order(oid)).toMatchObject({ status: "partially_filled", venueDone: false });
    // It is looked for again, and only several clean answers in a row end it.
    desk.drain();
    desk.pass(1_000, 100);
    expect(desk.drain()).toContainEqual({ kind: "order.query", clientOid: oid });
    desk.run(absent);
    expect(desk.order(oid).venueDone).toBe(false);
    desk.run(absent);
    expect(desk.order(oid)).toMatchObject({ status: "canceled", filled: 5_000_000 });
  });

  test("its fill on the stream ends the doubt", () => {
    const { desk, oid } = lost();
    const fill = fillOf(desk.order(oid), "t", 5_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    expect(desk.order(oid)).toMatchObject({ status: "partially_filled", unknownSinceMs: null });
  });

  test("the open orders of a periodic read end the doubt; its absence there asks for a look", () => {
    const { desk, oid } = lost();
    desk.nowMs += 1_000;
    desk.read("periodic");
    expect(desk.drain()).toContainEqual({ kind: "order.query", clientOid: oid });
    expect(desk.order(oid).status).toBe("unknown");
    desk.read("periodic", { orders: [reportOf(desk.order(oid), "live")] });
    expect(desk.order(oid).status).toBe("live");
  });

  test("is told at once, and again when it lasts (P10)", () => {
    const { desk, oid } = lost();
    const told = () => desk.notices().filter((body) => body.kind === "order.unknown").length;
    expect(told()).toBe(1);
    answering(desk, oid, waits.settleAlarmMs - 5_000, { kind: "failed", detail: "" });
    expect(told()).toBe(1);
    answering(desk, oid, 10_000, { kind: "failed", detail: "" });
    expect(told()).toBe(2);
  });

  test("queries back off and one is under way at a time (P11)", () => {
    const { desk, oid } = lost();
    desk.pass(60_000, 100);
    const asked = desk.drain().filter((effect) => effect.kind === "order.query");
    // Nobody answered the first one.
    expect(asked).toHaveLength(1);
    answered(desk, oid, { kind: "failed", detail: "" });
    const queries = answering(desk, oid, 60_000, { kind: "failed", detail: "" });
    expect(queries).toBeLessThanOrEqual(60_000 / (waits.queryBackoffMs.at(-1) ?? 1) + 4);
  });

  test("after a restart what was in flight is unknown, asked for at once, and never sent again", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    desk.drain();
    desk.run({ kind: "run.start" });
    desk.run({ kind: "tick" });
    expect(desk.order(clientOid).status).toBe("unknown");
    expect(desk.drain().map((effect) => effect.kind)).toEqual(["account.read", "order.query"]);
    answered(desk, clientOid, { kind: "absent" });
    desk.pass(20_000, 500);
    expect(desk.drain().some((effect) => effect.kind === "order.post")).toBe(false);
  });
});

describe("an order that was certainly not taken", () => {
  function untaken(kind: "not_sent" | "restarting") {
    const desk = openCoreDesk();
    const oid = desk.place(resting).clientOid;
    desk.drain();
    posted(desk, oid, kind);
    return { desk, oid };
  }
  const posts = (desk: CoreDesk) =>
    desk.drain().filter((effect) => effect.kind === "order.post").length;

  test.each(["not_sent", "restarting"] as const)(
    "%s: one query first, then the same order again, and only that one",
    (kind) => {
      const { desk, oid } = untaken(kind);
      expect(desk.drain()).toEqual([]);
      desk.pass(600);
      expect(desk.drain()).toEqual([{ kind: "order.query", clientOid: oid }]);
      const before = desk.order(oid);
      answered(desk, oid, { kind: "absent" });
      expect(desk.drain()).toEqual([{ kind: "order.post", clientOid: oid }]);
      expect(desk.order(oid)).toEqual(before);
      expect(desk.state.orders.size).toBe(1);
    },
  );

  test("Retry-After is a floor for the query that comes before the repost", () => {
    const desk = openCoreDesk();
    const oid = desk.place(resting).clientOid;
    const outcome = {
      kind: "not_taken",
      reason: "rate_limited",
      retryAfterMs: 7_000,
      detail: "",
    } as const;
    desk.run({ kind: "post.finished", clientOid: oid, outcome });
    desk.drain();
    desk.pass(6_900, 100);
    expect(desk.drain()).toEqual([]);
    desk.pass(200, 100);
    expect(desk.drain()).toEqual([{ kind: "order.query", clientOid: oid }]);
  });

  test("found after all: nothing is sent again", () => {
    const { desk, oid } = untaken("not_sent");
    answered(desk, oid, { kind: "found", order: reportOf(desk.order(oid), "live") });
    expect(posts(desk)).toBe(0);
    expect(desk.order(oid).status).toBe("live");
  });

  test("the price bound is judged anew on the fresh book: a jump ends it instead of sending it", () => {
    const { desk, oid } = untaken("restarting");
    // Far below the buy's limit now: it would match at once, ten ticks and more beyond the best ask.
    desk.book(plain, { bids: [["0.10", "500"]], asks: [["0.12", "500"]] });
    answered(desk, oid, { kind: "absent" });
    expect(posts(desk)).toBe(0);
    expect(desk.order(oid)).toMatchObject({ status: "rejected", rejectReason: "not_sent" });
    expect(exposureOf(desk.state).locked).toBe(0);
  });

  test("on an old book it waits for a fresh one, which is asked for, and is sent then", () => {
    const { desk, oid } = untaken("restarting");
    desk.nowMs += 6_000;
    answered(desk, oid, { kind: "absent" });
    const { conditionId } = plain;
    expect(desk.drain()).toContainEqual(
      expect.objectContaining({ kind: "book.resync", conditionId, reason: "order_recheck" }),
    );
    expect(desk.order(oid).status).toBe("in_flight");
    desk.book(plain, plainRows);
    answered(desk, oid, { kind: "absent" });
    expect(desk.drain()).toContainEqual({ kind: "order.post", clientOid: oid });
  });

  test("a tick that changed meanwhile ends it (V23)", () => {
    const { desk, oid } = untaken("not_sent");
    desk.list({ ...plain, tickSize: priceOf("0.1") });
    const coarse = { bids: [["0.4", "500"]], asks: [["0.6", "500"]] } as const;
    desk.book({ ...plain, tickSize: priceOf("0.1") }, coarse);
    answered(desk, oid, { kind: "absent" });
    expect(posts(desk)).toBe(0);
  });

  test("never after its deadline: it is given up and its money is free", () => {
    const { desk, oid } = untaken("not_sent");
    desk.nowMs += waits.orderDeadlineMs;
    answered(desk, oid, { kind: "absent" });
    expect(posts(desk)).toBe(0);
    expect(desk.order(oid)).toMatchObject({ status: "rejected", rejectReason: "not_sent" });
    expect(exposureOf(desk.state).locked).toBe(0);
  });

  test("never after a cancel was asked for", () => {
    const { desk, oid } = untaken("not_sent");
    desk.request("cancel", { do: "cancel", actor: { userId: 7, chatId: 7 }, clientOids: [oid] });
    answered(desk, oid, { kind: "absent" });
    expect(posts(desk)).toBe(0);
  });

  test("never after a kill", () => {
    const { desk, oid } = untaken("restarting");
    desk.kill();
    answered(desk, oid, { kind: "absent" });
    expect(posts(desk)).toBe(0);
  });

  test("no storm: at most three more sends while the venue restarts (V8)", () => {
    const { desk, oid } = untaken("restarting");
    let sends = 0;
    for (let i = 0; i < 40; i++) {
      desk.pass(300);
      for (const effect of desk.drain()) {
        if (effect.kind === "order.query") answered(desk, oid, { kind: "absent" });
      }
      for (const effect of desk.drain()) {
        if (effect.kind !== "order.post") continue;
        sends++;
        posted(desk, oid, "restarting");
      }
    }
    expect(sends).toBeLessThanOrEqual(3);
    expect(desk.order(oid).status).toBe("rejected");
  });

  test("an unknown answer to the second send is unknown: no third one", () => {
    const { desk, oid } = untaken("not_sent");
    answered(desk, oid, { kind: "absent" });
    posted(desk, oid, "unknown");
    desk.drain();
    answering(desk, oid, waits.quarantineMs / 2, { kind: "absent" });
    expect(desk.order(oid).status).toBe("unknown");
  });
});
