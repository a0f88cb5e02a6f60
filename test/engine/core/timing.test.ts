import { expect, test } from "vitest";
import { openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { foldedState } from "../support/refold.ts";
import { fillOf } from "../support/venue-reports.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const outcome = { kind: "accepted", state: "live" } as const;

test("an order keeps when each stage was reached after its command, and the fold has the same", () => {
  const desk = openCoreDesk();
  const { nonce } = desk.card(resting);
  const { nowMs } = desk;
  const command = { commandId: "tg:9", actor: trader, text: "", messageId: 1, sentAtMs: nowMs };
  desk.request("receive", { do: "receive", command: { ...command, kind: "press" } });
  desk.nowMs += 12;
  const accepted = desk.confirm(nonce, trader, "tg:9");
  const clientOid = accepted.kind === "accepted" ? (accepted.orders[0]?.clientOid ?? "") : "";
  const { planId } = desk.order(clientOid);
  const requestId = `${planId.slice(0, 12)}-0`;
  const none = { committedMs: null, sentMs: null, acknowledgedMs: null, filledMs: null };
  expect(desk.order(clientOid).timing).toEqual({ requestId, decidedMs: 12, ...none });
  const timing = { committedMs: 1.5, sentMs: 2.25, acknowledgedMs: 40 };
  desk.run({ kind: "post.finished", clientOid, outcome, timing });
  desk.nowMs += 100;
  for (const tradeId of ["a", "b"]) {
    const fill = fillOf(desk.order(clientOid), tradeId, 5_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.nowMs += 1_000;
  }
  const all = { committedMs: 13.5, sentMs: 14.25, acknowledgedMs: 52, filledMs: 112 };
  expect(desk.order(clientOid).timing).toEqual({ requestId, decidedMs: 12, ...all });
  expect(foldedState(desk).orders.get(clientOid)?.timing).toEqual(desk.order(clientOid).timing);
});

test("a request that the gate stopped was never sent; the one that got through later is", () => {
  const desk = openCoreDesk();
  const { clientOid } = desk.place(resting);
  const first = { committedMs: 1, sentMs: null, acknowledgedMs: 2 };
  const restarting = {
    kind: "not_taken",
    reason: "venue_restarting",
    retryAfterMs: null,
    detail: "",
  } as const;
  desk.run({ kind: "post.finished", clientOid, outcome: restarting, timing: first });
  expect(desk.order(clientOid).timing).toMatchObject({ sentMs: null, acknowledgedMs: 2 });
  const second = { committedMs: 900, sentMs: 901, acknowledgedMs: 950 };
  desk.run({ kind: "post.finished", clientOid, outcome, timing: second });
  expect(desk.order(clientOid).timing).toMatchObject({
    committedMs: 1,
    sentMs: 901,
    acknowledgedMs: 950,
  });
});
