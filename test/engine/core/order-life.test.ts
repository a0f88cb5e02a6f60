import { describe, expect, test } from "vitest";
import type { OrderStatus } from "../../../src/engine/domain/order.ts";
import type { PostOutcome } from "../../../src/engine/protocol/venue-report.ts";
import { exposureOf, freeCash } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { dollars } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const reserved = 8_000_000;

function posted(outcome: PostOutcome) {
  const desk = openCoreDesk();
  const order = desk.place(resting);
  expect(desk.drain()).toEqual([{ kind: "order.post", clientOid: order.clientOid }]);
  const { effects } = desk.run({ kind: "post.finished", clientOid: order.clientOid, outcome });
  return { desk, oid: order.clientOid, effects: effects.map((effect) => effect.kind) };
}

function lastNotice(desk: CoreDesk) {
  const body = desk.notices().at(-1);
  return body?.kind === "order.outcome" ? `${body.kind} ${body.result}` : (body?.kind ?? "none");
}

type Row = readonly [PostOutcome, OrderStatus, kept: boolean, effects: string[], notice: string];

const rows: readonly Row[] = [
  [{ kind: "accepted", state: "live" }, "live", true, ["order.query"], "order.outcome resting"],
  [{ kind: "accepted", state: "matched" }, "in_flight", true, ["order.query"], "started"],
  [{ kind: "accepted", state: "delayed" }, "in_flight", true, ["order.query"], "started"],
  [{ kind: "duplicated" }, "in_flight", true, ["order.query"], "started"],
  [
    { kind: "rejected", reason: "balance", detail: "" },
    "in_flight",
    true,
    ["order.query"],
    "started",
  ],
  [
    { kind: "rejected", reason: "no_match", detail: "" },
    "in_flight",
    true,
    ["order.query"],
    "started",
  ],
  [
    { kind: "not_taken", reason: "venue_restarting", retryAfterMs: null, detail: "" },
    "in_flight",
    true,
    [],
    "reducing",
  ],
  [
    { kind: "not_taken", reason: "post_only_mode", retryAfterMs: null, detail: "" },
    "in_flight",
    true,
    ["order.query"],
    "reducing",
  ],
  [{ kind: "not_sent", detail: "refused" }, "in_flight", true, [], "started"],
  [
    { kind: "blocked", denial: { code: "killed" } },
    "rejected",
    false,
    [],
    "order.outcome rejected",
  ],
  [{ kind: "unknown", detail: "timeout" }, "unknown", true, [], "order.unknown"],
  [{ kind: "id_mismatch", got: "0x1" }, "unknown", true, [], "halted"],
];

describe("what one POST led to", () => {
  test.each(rows)("%j: %s, reservation kept %s, then %j, told %s", (...row) => {
    const [outcome, status, kept, effects, notice] = row;
    const { desk, oid, effects: asked } = posted(outcome);
    expect(desk.order(oid).status).toBe(status);
    expect(exposureOf(desk.state).locked).toBe(kept ? reserved : 0);
    expect(freeCash(desk.state)).toBe(dollars(1_000) - (kept ? reserved : 0));
    expect(asked).toEqual(effects);
    expect(lastNotice(desk)).toBe(notice);
  });

  test.each(["unauthorized", "banned"] as const)(
    "a refusal of the account itself (%s) halts trading for everybody",
    (reason) => {
      const { desk } = posted({ kind: "rejected", reason, detail: "x" });
      expect(desk.state.halt?.reason).toBe(reason);
      expect(desk.quote({})).toMatchObject({ ok: false, error: { code: "paused" } });
    },
  );

  test("another order id than ours halts at once, once, and names both", () => {
    const { desk, oid } = posted({ kind: "id_mismatch", got: "0xother" });
    expect(desk.state.halt?.reason).toBe("order_id_mismatch");
    expect(desk.state.halt?.detail).toContain(desk.order(oid).orderHash);
    expect(desk.state.halt?.detail).toContain("0xother");
    const first = desk.state.halt;
    const outcome = { kind: "id_mismatch", got: "0xthird" } as const;
    desk.run({ kind: "post.finished", clientOid: oid, outcome });
    expect(desk.state.halt).toBe(first);
  });
});

type Report = (desk: CoreDesk, oid: string) => void;

const query =
  (state: "live" | "matched" | "ended", matched: number, fills: readonly number[] | null): Report =>
  (desk, oid) => {
    const order = desk.order(oid);
    desk.run({
      kind: "query.finished",
      clientOid: oid,
      outcome: { kind: "found", order: reportOf(order, state, matched) },
      fills: fills?.map((size, i) => fillOf(order, `t${i}`, size, { isMaker: true })) ?? null,
    });
  };
const stream =
  (state: "live" | "matched" | "ended", matched: number): Report =>
  (desk, oid) => {
    const order = reportOf(desk.order(oid), state, matched);
    desk.run({ kind: "account", event: { kind: "order.reported", order } });
  };
const fill =
  (tradeId: string, size: number): Report =>
  (desk, oid) => {
    const report = fillOf(desk.order(oid), tradeId, size, { isMaker: true });
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
  };

const twenty = 20_000_000;
const live: Report = (desk, oid) => {
  const outcome = { kind: "accepted", state: "live" } as const;
  desk.run({ kind: "post.finished", clientOid: oid, outcome });
};

describe("a resting order of 20 shares at 0.40, step by step", () => {
  test.each<readonly [string, Report[], OrderStatus, number, number]>([
    ["accepted", [live], "live", 0, 8],
    ["filled in part", [live, fill("a", 5_000_000)], "partially_filled", 5_000_000, 6],
    [
      "filled in two parts",
      [live, fill("a", 5_000_000), fill("b", 15_000_000)],
      "filled",
      twenty,
      0,
    ],
    ["ended by the venue", [live, stream("ended", 0)], "canceled", 0, 0],
    [
      "ended half-filled",
      [live, fill("a", 5_000_000), stream("ended", 5_000_000)],
      "canceled",
      5_000_000,
      0,
    ],
    ["ended before its fill arrives", [live, stream("ended", 5_000_000)], "live", 0, 8],
    [
      "which then arrives",
      [live, stream("ended", 5_000_000), fill("a", 5_000_000)],
      "canceled",
      5_000_000,
      0,
    ],
    ["filled before its ack (E5)", [fill("a", 5_000_000), live], "partially_filled", 5_000_000, 6],
    ["canceled before its ack (E5)", [stream("ended", 0), live], "canceled", 0, 0],
    ["found matched by a query", [query("matched", twenty, [twenty])], "filled", twenty, 0],
    ["matched, trades unread", [query("matched", twenty, null)], "live", 0, 8],
    ["found live, unknown word", [query("live", 0, [])], "live", 0, 8],
  ])("%s", (_, reports, status, filled, lockedUsd) => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    for (const report of reports) report(desk, clientOid);
    const order = desk.order(clientOid);
    expect(order.status).toBe(status);
    expect(order.filled).toBe(filled);
    expect(exposureOf(desk.state).locked).toBe(lockedUsd * 1_000_000);
    const cost = (filled * 4) / 10;
    expect(desk.state.cash).toBe(dollars(1_000) - cost);
    expect(exposureOf(desk.state).total).toBe(lockedUsd * 1_000_000 + cost);
  });

  test("a fill after the end is booked, told, and does not reopen the order (V14, P13)", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    for (const report of [live, stream("ended", 0)]) report(desk, clientOid);
    const before = desk.notices().length;
    fill("late", 5_000_000)(desk, clientOid);
    expect(desk.order(clientOid)).toMatchObject({ status: "canceled", filled: 5_000_000 });
    expect(desk.state.positions.get("11")?.provisionalBought).toBe(5_000_000);
    expect(desk.state.cash).toBe(dollars(998));
    expect(desk.notices().slice(before)).toMatchObject([{ kind: "order.filled", size: 5_000_000 }]);
  });

  test("late answers to a POST change nothing of an order that has ended", () => {
    for (const [outcome] of rows) {
      const desk = openCoreDesk();
      const { clientOid } = desk.place(resting);
      stream("ended", 0)(desk, clientOid);
      const seq = desk.state.seq;
      desk.run({ kind: "post.finished", clientOid, outcome });
      expect(desk.order(clientOid).status).toBe("canceled");
      expect(desk.state.seq).toBe(seq);
    }
  });

  test("a lost answer does not make an order unknown that the venue has reported already", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    stream("live", 0)(desk, clientOid);
    desk.drain();
    const outcome = { kind: "unknown", detail: "timeout" } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
    expect(desk.order(clientOid).status).toBe("live");
    expect(desk.drain()).toEqual([{ kind: "order.query", clientOid }]);
    expect(desk.notices().some((body) => body.kind === "order.unknown")).toBe(false);
  });

  test("each step is told once, whatever is reported how often", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place(resting);
    for (let i = 0; i < 3; i++) {
      for (const report of [live, fill("a", 5_000_000), query("live", 5_000_000, [])]) {
        report(desk, clientOid);
      }
    }
    for (let i = 0; i < 3; i++) stream("ended", 5_000_000)(desk, clientOid);
    expect(desk.notices().map((body) => body.kind)).toEqual([
      "started",
      "order.outcome",
      "order.filled",
      "order.outcome",
    ]);
  });
});
