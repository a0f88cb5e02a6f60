import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutMessage } from "../../../src/engine/api/outbox.ts";
import { foldLedger } from "../../../src/engine/runtime/ledger-writer.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { createState } from "../../../src/engine/state/engine-state.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing, standingTaxed } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const resting = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

const message: OutMessage = {
  key: "c:tg:1:0",
  chatId: 7,
  priority: "answer",
  text: "done",
  entities: [],
  keyboard: [],
  editMessageId: null,
  editKey: null,
  replyToMessageId: null,
  silent: false,
};

/** A buy, a resting order, a command and its answer, a cancel: some of everything. */
async function liveALittle(): Promise<void> {
  const { engine } = desk;
  const command = { commandId: "tg:1", actor: trader, text: "/buy", messageId: 1, sentAtMs: 1 };
  await engine.receive({ ...command, kind: "message" });
  await engine.receive({ ...command, commandId: "tg:2", kind: "message" });
  const bought = await desk.place({ conditionId: standingTaxed.conditionId });
  const { clientOid } = await desk.place(resting);
  await until("bought", () => desk.order(bought.clientOid).status === "filled");
  await until("rests", () => desk.order(clientOid).status === "live");
  await engine.answer("tg:1", "executed", "", [message]);
  await until("confirmed", () =>
    [...engine.state.fills.values()].every((fill) => fill.status === "confirmed"),
  );
}

describe("the ledger on the disk (P9)", () => {
  test("folds into the lived state, byte for byte", async () => {
    await liveALittle();
    const { engine, ledger } = desk;
    await until("everything is durable", () => engine.ledger.durableSeq === engine.state.seq);
    await until("a fold of a quiet moment", async () => {
      const { seq } = engine.state;
      const folded = createState();
      expect(await foldLedger(ledger, folded)).toBe(folded.seq + 1);
      // A fact that came during the fold makes it a fold of another moment.
      if (folded.seq !== seq || engine.state.seq !== seq) return false;
      expect(canonicalState(folded)).toBe(canonicalState(engine.state));
      return true;
    });
  });

  test("a restart goes on where the last run stood: orders, positions, cash, commands, messages", async () => {
    await liveALittle();
    const before = desk.engine.state;
    const orders = [...before.orders.values()];
    const positions = [...before.positions.values()];
    desk = await desk.restart();
    const { state } = desk.engine;
    expect([...state.orders.values()]).toEqual(orders);
    expect([...state.positions.values()]).toEqual(positions);
    expect(state.cash).toBe(before.cash);
    expect(desk.engine.pendingCommands().map((one) => one.commandId)).toEqual(["tg:2"]);
    expect(desk.engine.dueMessages(Date.now()).map((one) => one.key)).toEqual(["c:tg:1:0"]);
    const again = await desk.engine.receive({
      commandId: "tg:1",
      actor: trader,
      text: "/buy",
      kind: "message",
      messageId: 1,
      sentAtMs: 1,
    });
    expect(again).toBe("duplicate");
    expect(await desk.requests("POST", /^\/order$/)).toHaveLength(2);
  });

  test("what was filled while the desk was down is found at the start, once", async () => {
    const { clientOid } = await desk.place({ ...resting, limit: priceOf("0.50") });
    await until("rests", () => desk.order(clientOid).status === "live");
    await desk.engine.stop();
    await desk.polymarket.close();
    desk.venue.exchange.crowdTrade(standing.conditionId, "SELL", "0.5", "20");
    desk = await desk.restart();
    await until("found", () => desk.order(clientOid).status === "filled");
    expect(desk.engine.state.fills.size).toBe(1);
    expect(desk.engine.state.cash).toBe(990_000_000);
  });

  test("a message is due only once its fact is on the disk", async () => {
    const { engine } = desk;
    const kept = engine.enqueue([message]);
    expect(engine.dueMessages(Date.now())).toEqual([]);
    await kept;
    expect(engine.dueMessages(Date.now()).map((one) => one.key)).toEqual([message.key]);
  });
});

test("with a row missing from its middle the desk does not start: it never trades on half a past", async () => {
  await desk.place(resting);
  await desk.engine.stop();
  const file = new Database(desk.ledgerFile);
  expect(file.prepare("DELETE FROM ledger WHERE seq = 3").run().changes).toBe(1);
  file.close();
  await expect(desk.restart()).rejects.toThrow(/missing/);
});
