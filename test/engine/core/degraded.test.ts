import { describe, expect, test } from "vitest";
import type { DegradedCause } from "../../../src/engine/domain/reasons.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain, plainRows, taxed } from "../support/markets.ts";
import { dollars } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const taking = { amount: { unit: "usd", value: dollars(10) } } as const;
const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const selling = { side: "sell", amount: { unit: "shares", value: sharesOf("5") } } as const;

/** A desk that holds shares, so that it can sell. */
function openWithShares(): CoreDesk {
  const desk = openCoreDesk();
  const order = desk.place(taking);
  const at = priceOf("0.50");
  const fill = fillOf(order, "t1", sharesOf("20"), { status: "confirmed", at });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  desk.run({
    kind: "query.finished",
    clientOid: order.clientOid,
    outcome: { kind: "found", order: reportOf(order, "matched", sharesOf("20")) },
    fills: [fill],
  });
  desk.pass(2_000);
  desk.book(plain, plainRows);
  desk.drain();
  return desk;
}

/** What the desk says to a buy that trades at once, a buy that rests, and a sale. */
function verdicts(desk: CoreDesk): (string | null)[] {
  return [taking, resting, selling].map((request) => {
    const quoted = desk.quote(request);
    return quoted.ok ? null : `${quoted.error.code} ${quoted.error.subject ?? ""}`.trim();
  });
}

const told = (desk: CoreDesk, cause: DegradedCause) =>
  desk.notices().flatMap((body) => {
    const isIt = body.kind === "degraded" || body.kind === "degraded.over";
    return isIt && body.cause === cause ? [body.kind] : [];
  });

describe("what is wrong around the engine", () => {
  test("a venue that does not hear our heartbeat: nothing new rests, and the account is read again", () => {
    const desk = openWithShares();
    desk.run({ kind: "heartbeat.changed", detail: "no answer" });
    expect(desk.drain()).toContainEqual(expect.objectContaining({ kind: "account.read" }));
    expect(verdicts(desk)).toEqual([null, "degraded heartbeat", null]);
    desk.run({ kind: "heartbeat.changed", detail: null });
    expect(desk.drain()).toContainEqual(expect.objectContaining({ kind: "account.read" }));
    expect(verdicts(desk)).toEqual([null, null, null]);
  });

  test.each([
    [999, []],
    [1_001, ["clock_warn"]],
    [-1_001, ["clock_warn"]],
    [2_000, ["clock_warn"]],
    [2_001, ["clock"]],
    [-2_001, ["clock"]],
    [null, ["clock"]],
  ])("a clock that is off by %s ms is in state %j (C1)", (offsetMs, states) => {
    const desk = openWithShares();
    desk.run({ kind: "clock.measured", offsetMs });
    expect([...desk.state.live.degraded.keys()]).toEqual(states);
    const refused = states.includes("clock") ? "degraded clock" : null;
    expect(verdicts(desk)).toEqual([refused, refused, refused]);
    desk.run({ kind: "clock.measured", offsetMs: 0 });
    expect(desk.state.live.degraded.size).toBe(0);
  });
});

describe("time that was lost (C3, C4)", () => {
  test("asks first for the books that money is in: requests take turns, and hundreds may wait", () => {
    const desk = openCoreDesk();
    desk.place({ conditionId: taxed.conditionId, limit: priceOf("0.30"), timeInForce: "gtc" });
    desk.drain();
    expect([...desk.state.live.books.keys()]).toEqual([plain.conditionId, taxed.conditionId]);
    desk.run({ kind: "time.jumped", detail: "the process did not run for 12000 ms" });
    const asked = desk.drain().filter((effect) => effect.kind === "book.resync");
    expect(asked.map(({ conditionId }) => conditionId)).toEqual([
      taxed.conditionId,
      plain.conditionId,
    ]);
  });

  test("ends every card and the trust in every book, and trades only after the account was read", () => {
    const desk = openWithShares();
    const card = desk.card(taking);
    desk.run({ kind: "time.jumped", detail: "the process did not run for 12000 ms" });
    const effects = desk.drain();
    expect(effects).toContainEqual(expect.objectContaining({ purpose: "stall" }));
    expect(effects).toContainEqual(
      expect.objectContaining({
        kind: "book.resync",
        conditionId: plain.conditionId,
        reason: "stalled",
      }),
    );
    expect(desk.confirm(card.nonce)).toMatchObject({ denial: { code: "card_expired" } });
    expect(desk.quote(taking)).toMatchObject({ ok: false });
    desk.book(plain, plainRows);
    expect(verdicts(desk)).toEqual(Array.from({ length: 3 }, () => "degraded stalled"));
    // A reading that was under way before says nothing of what was missed, and a failed one says nothing at all.
    desk.read("periodic", { cash: dollars(990) });
    desk.read("stall", { cash: dollars(990), orders: null });
    expect(verdicts(desk)[0]).toBe("degraded stalled");
    desk.pass(1_000);
    expect(desk.drain()).toContainEqual(expect.objectContaining({ purpose: "stall" }));
    desk.read("stall", { cash: dollars(990) });
    expect(verdicts(desk)).toEqual([null, null, null]);
    expect(told(desk, "stalled")).toEqual(["degraded", "degraded.over"]);
  });
});
