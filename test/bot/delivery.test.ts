import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutMessage } from "../../src/engine/api/outbox.ts";
import {
  heard,
  otherTrader,
  type Rig,
  said,
  startRig,
  token,
  trader,
  until,
} from "./support/bot-rig.ts";
import { orderView } from "./support/sample-views.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  await rig.stop();
});

function out(key: string, fields: Partial<OutMessage> = {}): OutMessage {
  return {
    key,
    chatId: trader,
    priority: "answer",
    text: key,
    entities: [],
    keyboard: [],
    editMessageId: null,
    editKey: null,
    replyToMessageId: null,
    silent: false,
    ...fields,
  };
}

const texts = (chatId: number) =>
  rig.emulator.events
    .filter(
      (event) => event.dir === "out" && event.chatId === chatId && event.kind !== "callback_answer",
    )
    .map((event) => event.text);
const row = (key: string) => rig.double.outbox.find((one) => one.key === key);
const isSent = (key: string) => row(key)?.state === "sent";

describe("the outbox", () => {
  test("kill acks leave before answers, those before fills, confirmations and alerts", async () => {
    const priorities = ["alert", "confirmation", "fill", "answer"] as const;
    const messages = priorities.map((priority) => out(priority, { priority }));
    await rig.double.enqueue([...messages, out("k:tg:1:0")]);
    await until(() => isSent("alert"));
    expect(texts(trader)).toEqual(["k:tg:1:0", "answer", "fill", "confirmation", "alert"]);
  });

  test("429 holds the chat for as long as asked, loses nothing, and lets the kill ack go first", async () => {
    rig.emulator.fault({
      name: "too-many-requests",
      method: "sendMessage",
      chat: trader,
      retryAfterS: 30,
    });
    await rig.double.enqueue([
      out("fill 1", { priority: "fill" }),
      out("fill 2", { priority: "fill" }),
    ]);
    await until(() => (row("fill 1")?.attempts ?? 0) === 1);
    await rig.double.enqueue([out("k:tg:9:0"), out("other chat", { chatId: otherTrader })]);
    await until(() => isSent("other chat"));
    expect(texts(trader)).toEqual([]);
    rig.clock.offsetMs += 30_500;
    rig.desk.start();
    await until(() => isSent("fill 2"));
    expect(texts(trader)).toEqual(["k:tg:9:0", "fill 1", "fill 2"]);
  });

  test("a dropped connection is tried again with a wait, in order; a kill does not wait for it", async () => {
    rig.emulator.fault({ name: "drop-before", method: "sendMessage", chat: trader });
    await rig.double.enqueue([out("first"), out("second")]);
    await until(() => (row("first")?.attempts ?? 0) === 1);
    await rig.double.enqueue([out("k:tg:9:0")]);
    await until(() => isSent("k:tg:9:0"));
    await until(() => isSent("second"));
    expect(texts(trader)).toEqual(["k:tg:9:0", "first", "second"]);
  });

  test("no token in the log, whatever fails", async () => {
    rig.emulator.fault({ name: "drop-before", method: "sendMessage", times: 1 });
    rig.emulator.fault({ name: "status", method: "sendMessage", code: 500, times: 1 });
    rig.emulator.fault({ name: "garbage", method: "answerCallbackQuery", times: 1 });
    rig.emulator.fault({ name: "drop-before", method: "setMyCommands", times: 4 });
    await rig.double.enqueue([out("hello")]);
    rig.emulator.send(trader, "/status");
    await until(() => (row("hello")?.attempts ?? 0) >= 1);
    rig.clock.offsetMs += 5_000;
    rig.desk.start();
    await until(() => isSent("hello"));
    const secret = token.split(":")[1] ?? "";
    expect(JSON.stringify(rig.log) + JSON.stringify(rig.troubles)).not.toContain(secret);
  });

  test("an edit of a message that is gone is sent anew; an equal edit is a success", async () => {
    await rig.double.enqueue([out("a")]);
    await until(() => isSent("a"));
    await rig.double.enqueue([out("same", { editKey: "a", text: "a" })]);
    await until(() => isSent("same"));
    await rig.double.enqueue([out("gone", { editMessageId: 999_999, text: "sent anew" })]);
    await until(() => isSent("gone"));
    expect(texts(trader)).toEqual(["a", "sent anew"]);
  });

  test("only the newest text of a message is sent", async () => {
    await rig.double.enqueue([out("card")]);
    await until(() => isSent("card"));
    await rig.double.enqueue([
      out("edit 1", { editKey: "card" }),
      out("edit 2", { editKey: "card" }),
      out("edit 3", { editKey: "card" }),
    ]);
    await until(() => isSent("edit 3"));
    expect(texts(trader)).toEqual(["card", "edit 3"]);
  });

  test("an edit waits for the message that it edits", async () => {
    await rig.double.enqueue([
      out("the edit", { editKey: "the card", priority: "answer" }),
      out("the card", { priority: "alert" }),
    ]);
    await until(() => isSent("the edit"));
    expect(texts(trader)).toEqual(["the card", "the edit"]);
  });

  test("a blocked chat is given up and the others are told once", async () => {
    rig.emulator.setBlocked(trader, true);
    await rig.double.enqueue([out("one"), out("two")]);
    await until(() => row("one")?.state === "dead" && row("two")?.state === "dead");
    await heard(rig, /does not deliver to trader 42/, otherTrader);
    expect(rig.double.outbox.filter((one) => one.key.startsWith("d:"))).toHaveLength(1);
    rig.emulator.setBlocked(trader, false);
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
  });

  test("too long is cut with a note, bad entities become plain text", async () => {
    await rig.double.enqueue([out("long", { text: "😀".repeat(3000) })]);
    await until(() => isSent("long"));
    expect(texts(trader)[0]).toMatch(/\(cut: too long\)$/);
    expect(texts(trader)[0]).not.toContain("\ufffd");
    rig.emulator.fault({
      name: "status",
      method: "sendMessage",
      code: 400,
      description: "Bad Request: can't parse entities: unsupported",
    });
    await rig.double.enqueue([
      out("bold", { text: "bold", entities: [{ type: "bold", offset: 0, length: 4 }] }),
    ]);
    await until(() => isSent("bold"));
    expect(texts(trader)[1]).toBe("bold");
  });

  test("what Telegram refuses for good is given up and logged, and the next message goes", async () => {
    const refusal = {
      name: "status",
      method: "sendMessage",
      code: 400,
      description: "Bad Request: strange",
    } as const;
    rig.emulator.fault({ ...refusal, times: 3 });
    await rig.double.enqueue([out("bad"), out("good")]);
    await until(() => isSent("good"));
    expect(row("bad")?.state).toBe("dead");
    expect(rig.log.some((line) => /refuses a message/.test(line.message))).toBe(true);
  });
});

describe("notices", () => {
  test("reach every trader once, in order, also those of before the start", async () => {
    rig.double.happen({ kind: "feed.lost", feed: "market", sinceMs: 0 });
    rig.double.happen({ kind: "feed.back", feed: "market", afterMs: 4_200 });
    rig.double.happen({ kind: "halted", reason: "consecutive_failures", detail: "5 of 5" });
    await heard(rig, /FEED BACK · market data after 4\.2 s/, otherTrader);
    await heard(rig, /HALTED/, otherTrader);
    const halted = await heard(rig, /HALTED · too many order requests in a row/);
    expect(halted.text).toMatch(/^PAPER/);
    expect(texts(trader).map((text) => text.split(" · ")[1])).toEqual([
      "FEED LOST",
      "FEED BACK",
      "HALTED",
    ]);
    expect(texts(otherTrader)).toHaveLength(3);
    expect(rig.double.noticeCursor()).toBe(3);
  });

  test("a notice of one chat stays in that chat, and one of a former trader is told to nobody", async () => {
    rig.double.happen({ kind: "order.unknown", order: orderView() }, trader);
    rig.double.happen({ kind: "order.unknown", order: orderView() }, 777);
    const unknown = await heard(rig, /UNKNOWN · order may be live · checking/);
    expect(unknown.buttons).toEqual([]);
    await until(() => rig.double.noticeCursor() === 2);
    expect(said(rig, otherTrader)).toBe("");
  });
});

test("what cannot be written down is told to every trader past the outbox, though the ledger takes nothing", async () => {
  rig.desk.announce("LEDGER FAILED");
  await heard(rig, /LEDGER FAILED/u, trader);
  await heard(rig, /LEDGER FAILED/u, otherTrader);
});
