import { afterEach, describe, expect, test, vi } from "vitest";
import { emptyDraft, encodeAction } from "../../src/bot/actions/bot-action.ts";
import type { ReceivedCommand } from "../../src/engine/api/requests.ts";
import { heard, otherTrader, type Rig, said, startRig, trader, until } from "./support/bot-rig.ts";
import type { DeskDouble } from "./support/desk-double.ts";
import { conditionId, usdOf } from "./support/sample-views.ts";

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.stop();
  rig = null;
});

const actor = { userId: trader, chatId: trader };

function left(
  commandId: string,
  text: string,
  ageMs: number,
  fields: Partial<ReceivedCommand> = {},
): ReceivedCommand {
  return {
    commandId,
    actor,
    text,
    kind: "message",
    messageId: 1,
    sentAtMs: Date.now() - ageMs,
    ...fields,
  };
}

const request = {
  ...emptyDraft("buy"),
  conditionId: conditionId(1),
  outcome: 0 as const,
  amount: { unit: "usd" as const, value: usdOf(25) },
};

/** A card that the last run showed, and a press of its Confirm that was kept but not answered. */
function leftPress(double: DeskDouble, nonce: string, ageMs: number, ttlMs: number): void {
  const expiresAtMs = double.now() + ttlMs;
  double.cards.set(nonce, { actor, expiresAtMs, request, setId: null, used: false, dead: false });
  double.buttons.set(nonce, {
    chatId: trader,
    verb: "ok",
    action: encodeAction({ do: "confirm", expiresAtMs, request }),
  });
  const id = `tg:press:${nonce}`;
  double.received.set(id, left(id, `v1:ok:${nonce}`, ageMs, { kind: "press" }));
}

const placed = (double: DeskDouble) =>
  double.calls.filter((call) => call.startsWith("placed")).length;

describe("commands that the last run left", () => {
  test("young ones are worked on, old ones that trade are refused, a kill is honoured at any age", async () => {
    rig = await startRig((double) => {
      double.received.set("tg:1", left("tg:1", "/buy fed-cut-december yes 25", 3_600_000));
      double.received.set("tg:2", left("tg:2", "/resume", 3_600_000));
      double.received.set("tg:3", left("tg:3", "/status", 3_600_000));
      double.received.set("tg:4", left("tg:4", "/kill night", 3_600_000));
    });
    await heard(rig, /KILL ON/);
    await until(() => rig?.double.answered.size === 4);
    const { answered, calls } = rig.double;
    expect(answered.get("tg:1")).toMatchObject({ verdict: "refused", reason: "command_expired" });
    expect(answered.get("tg:2")).toMatchObject({ verdict: "refused", reason: "command_expired" });
    expect(answered.get("tg:3")).toMatchObject({ verdict: "answered" });
    expect(answered.get("tg:4")).toMatchObject({ verdict: "executed", reason: "killed" });
    expect(calls[0]).toBe("gate closed");
    expect(calls.filter((call) => call.startsWith("quote"))).toEqual([]);
    await heard(rig, /Too old, nothing was sent/);
  });

  test("a young press of Confirm is asked about and may be sent", async () => {
    rig = await startRig((double) => leftPress(double, "a".repeat(32), 5_000, 20_000));
    await heard(rig, /SENT/);
    expect(placed(rig.double)).toBe(1);
  });

  test("an old press of Confirm sends nothing, even when its card could still live", async () => {
    rig = await startRig((double) => leftPress(double, "b".repeat(32), 120_000, 600_000));
    await heard(rig, /Too old, nothing was sent/);
    expect(placed(rig.double)).toBe(0);
  });

  test("an old press that was accepted before the crash is told as what it was", async () => {
    rig = await startRig((double) => {
      leftPress(double, "c".repeat(32), 120_000, 600_000);
      const order = { planId: "p", orders: [] };
      double.outcomes.set(`tg:press:${"c".repeat(32)}`, { kind: "accepted", ...order });
    });
    await heard(rig, /SENT/);
    expect(said(rig)).not.toMatch(/Too old/);
    expect(placed(rig.double)).toBe(0);
  });
});

describe("while running", () => {
  test("a kill does not wait for a slow command of the same chat", async () => {
    rig = await startRig();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.double.onQuote = () => promise;
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await until(() => rig?.double.calls.some((call) => call.startsWith("quote")) === true);
    rig.emulator.send(trader, "/kill");
    await heard(rig, /KILL ON/);
    expect(said(rig)).not.toMatch(/CONFIRM/);
    resolve();
    await heard(rig, /kill switch is on/);
  });

  test("commands of a chat are answered in their order", async () => {
    rig = await startRig();
    const words = ["/status", "/help", "/orders", "/positions", "/markets"];
    for (const word of words) rig.emulator.send(trader, word);
    await until(() => rig?.double.answered.size === words.length);
    const order = [...rig.double.answered.keys()];
    expect(order).toEqual([...order].sort((a, b) => Number(a.slice(3)) - Number(b.slice(3))));
  });

  test("a feature that throws is answered with a reference that is also in the log", async () => {
    rig = await startRig();
    rig.double.onQuote = () =>
      Promise.reject(
        new TypeError("x is undefined, token 1000000001:TEST-TOKEN-abcdefghijklmnopqrstuvwxyz0"),
      );
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const failed = await heard(rig, /FAILED/);
    const reference = /ref ([0-9a-f]{4})/.exec(failed.text)?.[1];
    expect(failed.text).not.toContain("undefined");
    const line = rig.log.find((one) => one.fields["reference"] === reference);
    expect(line?.fields["error"]).toContain("x is undefined");
    expect(line?.fields["error"]).not.toContain("TEST-TOKEN");
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
  });

  test("a feature that hangs is answered for, and the chat goes on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true });
    try {
      rig = await startRig();
      rig.double.onQuote = () => new Promise(() => {});
      rig.emulator.send(trader, "/buy fed-cut-december yes 25");
      await until(() => rig?.double.calls.some((call) => call.startsWith("quote")) === true);
      vi.advanceTimersByTime(31_000);
      await heard(rig, /FAILED[\s\S]*its fate is told/);
      rig.emulator.send(trader, "/status");
      await heard(rig, /STATUS/);
    } finally {
      vi.useRealTimers();
    }
  });

  test("more than 200 waiting commands are refused, kills are not", async () => {
    rig = await startRig();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.double.onQuote = () => promise;
    for (let i = 0; i < 205; i++) rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await heard(rig, /Too many commands are waiting/);
    rig.emulator.send(trader, "/kill");
    await heard(rig, /KILL ON/);
    resolve();
    await until(() => rig?.double.pendingCommands().length === 0);
    const busy = [...rig.double.answered.values()].filter((one) => one.reason === "busy");
    expect(busy).toHaveLength(5);
  });

  test("a ledger that does not take a command: the trader is told, the card can be pressed again", async () => {
    rig = await startRig();
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    rig.double.onReceive = async () => "ledger_failed";
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    await heard(rig, /could not be kept/);
    expect(placed(rig.double)).toBe(0);
    rig.double.onReceive = async () => "ok";
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    await heard(rig, /SENT/);
    expect(placed(rig.double)).toBe(1);
    expect(said(rig)).not.toMatch(/Already used/);
  });

  test.each([
    ["canceled", /nothing new is sent\. The venue canceled every open order/],
    ["unconfirmed", /Open orders may still be at the venue: send \/kill again/],
  ] as const)(
    "a kill that the ledger does not take cancels all the same, and every trader is told: %s",
    async (unkept, told) => {
      rig = await startRig();
      rig.double.onReceive = async () => "ledger_failed";
      rig.double.unkeptKill = unkept;
      rig.emulator.send(trader, "/kill too hot");
      await heard(rig, told);
      await heard(rig, told, otherTrader);
      await heard(rig, /does not survive a restart/);
      expect(rig.double.calls.filter((call) => call.startsWith("kill"))).toEqual([
        expect.stringMatching(/too hot$/),
      ]);
      expect(rig.double.calls[0]).toBe("gate closed");
    },
  );

  test("a kill whose command was late but which is kept after all is told once, by its notice", async () => {
    rig = await startRig();
    rig.double.onReceive = async () => "ledger_failed";
    rig.emulator.send(trader, "/kill");
    await heard(rig, /KILL: the gate is closed and every open order is being canceled/);
    await heard(rig, /KILL ON/, otherTrader);
    expect(said(rig)).not.toMatch(/does not survive/);
  });

  test("an answer that cannot be kept is told directly and its command is not repeated", async () => {
    rig = await startRig();
    rig.double.onAnswer = () => Promise.reject(new RangeError("disk full"));
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await heard(rig, /cannot write its records/);
    rig.double.onAnswer = async () => {};
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
    expect(rig.double.calls.filter((call) => call.startsWith("quote"))).toHaveLength(1);
  });

  test("an edited message trades nothing; an edit to /kill kills", async () => {
    rig = await startRig();
    const chat = { id: trader, type: "private" as const, first_name: "Ann" };
    const from = { id: trader, is_bot: false, first_name: "Ann" };
    const edit = (id: number, text: string) => ({
      update_id: id,
      edited_message: { message_id: 5, date: 1, edit_date: 2, chat, from, text },
    });
    await rig.desk.handle(edit(9001, "/buy fed-cut-december yes 25"));
    expect(rig.double.received.size).toBe(0);
    await rig.desk.handle(edit(9002, "/kill"));
    await heard(rig, /KILL ON/);
  });

  test("the same update fifty times is one command", async () => {
    const { desk } = (rig = await startRig());
    const chat = { id: trader, type: "private" as const, first_name: "Ann" };
    const from = { id: trader, is_bot: false, first_name: "Ann" };
    const date = Math.floor(Date.now() / 1000);
    const update = {
      update_id: 9001,
      message: { message_id: 5, date, chat, from, text: "/buy fed-cut-december yes 25" },
    };
    await Promise.all(Array.from({ length: 50 }, () => desk.handle(update)));
    await heard(rig, /CONFIRM BUY/);
    expect(rig.double.calls.filter((call) => call.startsWith("quote"))).toHaveLength(1);
  });
});
