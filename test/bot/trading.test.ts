import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  heard,
  labels,
  lastSeq,
  otherTrader,
  press,
  type Rig,
  said,
  startRig,
  stranger,
  trader,
  until,
} from "./support/bot-rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  await rig.stop();
});

const confirms = () => rig.double.calls.filter((call) => call.startsWith("placed")).length;

describe("buying from chat", () => {
  test("list, buy, confirm, receipt: the happy path", async () => {
    rig.emulator.send(trader, "/markets");
    await heard(rig, /#1 Will the Fed cut/);
    rig.emulator.send(trader, "/buy #1 yes $25");
    const card = await heard(rig, /CONFIRM BUY/);
    expect(card.text).toMatch(/^PAPER/);
    expect(card.text).toContain("Spend $25.00 → 40.322581 Yes shares");
    expect(card.text).toContain("Fee $0.57035");
    expect(card.text).toContain("Max loss $25.57035 · pays $40.322581 if Yes");
    expect(card.text).toMatch(
      /Limit 63\.0¢ · average 62\.00¢ · worst 62\.0¢ · best 62\.0¢ · slippage 0\.00%/,
    );
    expect(labels(rig, card.messageId)).toEqual([
      "Cancel",
      "Confirm $25.00",
      "- $5",
      "+ $5",
      "Re-quote",
    ]);
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    const sent = await heard(rig, /SENT/);
    expect(sent.messageId).toBe(card.messageId);
    expect(labels(rig, card.messageId)).toEqual([]);
    const order = rig.double.placed[0];
    if (order === undefined) expect.fail("no order was placed");
    rig.double.fill(order, trader);
    const receipt = await heard(rig, /FILLED BUY/);
    expect(receipt.text).toContain("40.322581 Yes @ 62.00¢ average = $25.00 · fee $0.57035");
    expect(receipt.messageId).not.toBe(card.messageId);
    await heard(rig, /DONE · receipt below/);
  });

  test("two taps place one order; the second is told at once and nothing else is sent", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    const query = rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    rig.emulator.pressAgain(query);
    rig.emulator.pressAgain(query);
    await heard(rig, /Already used/);
    await heard(rig, /SENT/);
    await until(() => rig.double.pendingCommands().length === 0);
    expect(confirms()).toBe(1);
    expect(said(rig)).not.toMatch(/REFUSED/);
  });

  test("an expired card is edited once and its press sends nothing", async () => {
    rig.double.cardTtlMs = 50;
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    const confirmButton = rig.emulator
      .history(trader)
      .flatMap((one) => one.reply_markup?.inline_keyboard.flat() ?? [])
      .find((button) => button.text.startsWith("Confirm"));
    await heard(rig, /Expired, nothing was sent/);
    expect(labels(rig, card.messageId)).toEqual(["Re-quote"]);
    rig.emulator.press(trader, card.messageId ?? 0, { data: confirmButton?.callback_data ?? "" });
    await until(() => rig.double.calls.some((call) => call.startsWith("confirm")));
    await until(() => rig.double.pendingCommands().length === 0);
    expect(confirms()).toBe(0);
    const toast = () => rig.emulator.events.find((event) => event.kind === "callback_answer");
    await until(() => toast() !== undefined);
    expect(toast()?.text).toMatch(/Expired, nothing was sent/);
    expect(toast()?.alert).toBe(true);
    rig.double.cardTtlMs = 45_000;
    const seq = lastSeq(rig);
    rig.emulator.press(trader, card.messageId ?? 0, "Re-quote");
    const again = await heard(rig, /CONFIRM BUY/, trader, seq);
    expect(again.messageId).toBe(card.messageId);
  });

  test("a moved price gives a new card, and the old one dies", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    rig.double.priceMoved = true;
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    const fresh = await heard(rig, /^Price moved: nothing was sent/);
    expect(fresh.messageId).not.toBe(card.messageId);
    await heard(rig, /^Price moved, nothing was sent/);
    expect(confirms()).toBe(0);
    rig.double.priceMoved = false;
    rig.emulator.press(trader, fresh.messageId ?? 0, /Confirm/);
    await heard(rig, /SENT/);
    expect(confirms()).toBe(1);
  });

  test("cancel on the card, then nothing can be confirmed", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    rig.emulator.press(trader, card.messageId ?? 0, "Cancel");
    await heard(rig, /Canceled, nothing was sent/);
    expect(labels(rig, card.messageId)).toEqual([]);
  });

  test("a stale Cancel does not claim that a sent order was not sent", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    const cancel = rig.emulator
      .history(trader)
      .flatMap((one) => one.reply_markup?.inline_keyboard.flat() ?? [])
      .find((button) => button.text === "Cancel");
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    await heard(rig, /SENT/);
    rig.emulator.press(trader, card.messageId ?? 0, { data: cancel?.callback_data ?? "" });
    await heard(rig, /already used/i);
    expect(said(rig)).not.toMatch(/Canceled, nothing was sent/);
  });

  test("steps of $5 replace the card in place", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    rig.emulator.press(trader, card.messageId ?? 0, "+ $5");
    const more = await heard(rig, /Spend \$30\.00/);
    expect(more.messageId).toBe(card.messageId);
    rig.emulator.press(trader, card.messageId ?? 0, "- $5");
    await heard(rig, /Spend \$25\.00/, trader, more.seq);
  });

  test("a press of somebody else's card does nothing", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await heard(rig, /CONFIRM BUY/);
    const nonce = [...rig.double.cards.keys()][0] ?? "";
    rig.emulator.send(otherTrader, "/status");
    const status = await heard(rig, /STATUS/, otherTrader);
    rig.emulator.press(otherTrader, status.messageId ?? 0, { data: `v1:ok:${nonce}` });
    await heard(rig, /not yours/, otherTrader);
    await until(() => rig.double.pendingCommands().length === 0);
    expect(confirms()).toBe(0);
  });

  test("no button of somebody else's message does anything", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    const card = await heard(rig, /CONFIRM BUY/);
    rig.emulator.send(otherTrader, "/status");
    const status = await heard(rig, /STATUS/, otherTrader);
    for (const button of card.buttons.flat()) {
      const seq = lastSeq(rig);
      rig.emulator.press(otherTrader, status.messageId ?? 0, { data: button.callback_data ?? "" });
      await heard(rig, /not yours/, otherTrader, seq);
    }
    await until(() => rig.double.pendingCommands().length === 0);
    expect(rig.double.calls).toEqual([expect.stringMatching(/^quote/)]);
  });

  test("below the desk's smallest order it is refused with the reason", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes $0.50");
    const refusal = await heard(rig, /REFUSED/);
    expect(refusal.text).toMatch(/at least \$1\.00, this one is \$0\.50/);
    expect(refusal.text.split("\n")).toHaveLength(4);
    expect(rig.double.calls).toEqual([]);
  });

  test("bad amounts are refused and nothing is guessed", async () => {
    for (const bad of ["0", "-5", "1e9", "NaN", "٢٥", "$"]) {
      const seq = lastSeq(rig);
      rig.emulator.send(trader, `/buy fed-cut-december yes ${bad}`);
      await heard(rig, /cannot read the amount/, trader, seq);
    }
    expect(rig.double.calls).toEqual([]);
  });

  test("several markets become buttons, and the pressed one goes on", async () => {
    rig.emulator.send(trader, '/buy "fed december" yes $25');
    const ask = await heard(rig, /2 markets fit/);
    rig.emulator.press(trader, ask.messageId ?? 0, "1");
    await heard(rig, /CONFIRM BUY/);
  });

  test("guided: market, outcome and amount are asked for", async () => {
    rig.emulator.send(trader, "/buy");
    await heard(rig, /Which market/);
    rig.emulator.send(trader, "rain london");
    const outcome = await heard(rig, /Book 0\.4 s old\nWhich outcome/);
    rig.emulator.press(trader, outcome.messageId ?? 0, /^Yes/);
    const amount = await heard(rig, /Bid [^\n]* ask [^\n]*\nBook 0\.4 s old[^]*How much/);
    expect(labels(rig, amount.messageId)).toEqual(["$10", "$25", "$50", "$100"]);
    rig.emulator.send(trader, "40sh");
    await heard(rig, /CONFIRM BUY/);
  });

  test("guided by typing alone: the numbers are those of the list on the screen", async () => {
    rig.emulator.send(trader, "/markets");
    await heard(rig, /#1 Will the Fed cut/);
    rig.emulator.send(trader, "/markets rain london");
    await heard(rig, /#1 [^]*rain/i);
    rig.emulator.send(trader, "/buy");
    await heard(rig, /Which market[^]*1 Will the Fed cut/);
    rig.emulator.send(trader, "99");
    await heard(rig, /No such market \(#99 of the last list\)/);
    rig.emulator.send(trader, "1");
    await heard(rig, /Will the Fed cut[^]*Which outcome/);
    rig.emulator.send(trader, "maybe");
    await heard(rig, /There is no outcome "maybe"/);
    rig.emulator.send(trader, "yes");
    await heard(rig, /How much/);
    rig.emulator.send(trader, "25");
    const card = await heard(rig, /CONFIRM BUY/);
    expect(card.text).toMatch(/Yes · Will the Fed cut/);
  });

  test("/cancel ends the question for an outcome too", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december");
    await heard(rig, /Which outcome/);
    rig.emulator.send(trader, "/cancel");
    await heard(rig, /Ended\. Nothing was sent/);
  });

  test("a number below a list opens its market, and without a list it is just text", async () => {
    rig.emulator.send(trader, "1");
    await heard(rig, /did not understand/);
    rig.emulator.send(trader, "/markets");
    await heard(rig, /#1 Will the Fed cut/);
    rig.emulator.send(trader, "1");
    await heard(rig, /Will the Fed cut[^]*Depth/);
  });

  test("a link to a market that is not known is refused, never taken for a similar one", async () => {
    rig.emulator.send(trader, "/buy https://polymarket.com/event/rain-london?tid=1 yes $25");
    await heard(rig, /No such market \(rain-london\)/);
    rig.emulator.send(trader, "https://polymarket.com/event/rain-london");
    await heard(rig, /No such market \(rain-london\)/);
    expect(rig.double.calls).toEqual([]);
  });

  test("an outcome that was named before its market is kept", async () => {
    rig.emulator.send(trader, "/buy yes $25");
    await heard(rig, /Which market/);
    rig.emulator.send(trader, "rain london");
    await heard(rig, /CONFIRM BUY/);
  });

  test("/cancel ends a guided trade, and text is then just text", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes");
    await heard(rig, /How much/);
    rig.emulator.send(trader, "/cancel");
    await heard(rig, /Ended\. Nothing was sent/);
    rig.emulator.send(trader, "25");
    await heard(rig, /did not understand/);
    expect(rig.double.calls).toEqual([]);
  });

  test("a bare number for a sale is asked about", async () => {
    rig.emulator.send(trader, "/sell fed-cut-december yes 25");
    const ask = await heard(rig, /25 shares, or \$25\.00/);
    rig.emulator.press(trader, ask.messageId ?? 0, "25 shares");
    const card = await heard(rig, /CONFIRM SELL/);
    expect(card.text).toContain("before the fee");
  });

  test("an unknown market is refused in three lines", async () => {
    rig.emulator.send(trader, '/buy "no such thing" yes $25');
    const refusal = await heard(rig, /REFUSED/);
    expect(refusal.text).toMatch(/No such market \(no such thing\)/);
  });
});

describe("who may", () => {
  test("a stranger gets silence and one line in the log", async () => {
    rig.emulator.send(stranger, "/buy fed-cut-december yes 25");
    rig.emulator.send(stranger, "/kill");
    rig.emulator.send(stranger, "/start");
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
    await until(() => rig.emulator.pendingUpdates === 0);
    expect(said(rig, stranger)).toBe("");
    expect(rig.double.received.size).toBe(1);
    expect(rig.double.calls).toEqual([]);
    expect(rig.log.filter((line) => /stranger/.test(line.message))).toHaveLength(1);
  });

  test("a trader in a group gets silence too", async () => {
    rig.emulator.send(trader, "/kill", { chatType: "group" });
    rig.emulator.send(trader, "/status");
    await heard(rig, /STATUS/);
    expect(rig.double.calls).toEqual([]);
  });
});

describe("old messages", () => {
  test("do not trade, but kill", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25", { ageSeconds: 120 });
    await heard(rig, /Too old, nothing was sent/);
    expect(rig.double.calls).toEqual([]);
    rig.emulator.send(trader, "/kill", { ageSeconds: 3600 });
    await heard(rig, /KILL ON/);
    expect(rig.double.isKilled).toBe(true);
  });
});

describe("safety", () => {
  test("kill answers with the number of orders, tells the others, and refuses from then on", async () => {
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await press(rig, /CONFIRM BUY/, /Confirm/);
    await heard(rig, /SENT/);
    rig.emulator.send(trader, "/KILL@pitboss_local_bot too hot");
    const ack = await heard(rig, /KILL ON/);
    expect(ack.text).toMatch(
      /^PAPER · KILL ON .* · cancelling 1 order · strategies stopped · positions kept/,
    );
    expect(ack.text).toContain("Reason: too hot");
    await heard(rig, /KILL ON/, otherTrader);
    const calls = rig.double.calls;
    expect(calls.indexOf("gate closed")).toBeLessThan(
      calls.findIndex((one) => one.startsWith("kill")),
    );
    rig.emulator.send(trader, "/buy fed-cut-december yes 25");
    await heard(rig, /kill switch is on/);
    const acks = rig.emulator.events.filter(
      (one) => one.chatId === trader && /KILL ON/.test(one.text),
    );
    expect(acks.filter((one) => one.dir === "out" && one.kind === "message")).toHaveLength(1);
  });

  test("resume takes two steps, and the second not at once", async () => {
    rig.emulator.send(trader, "kill");
    await heard(rig, /KILL ON/);
    rig.emulator.send(trader, "/resume");
    const ask = await heard(rig, /RESUME trading\?/);
    rig.emulator.press(trader, ask.messageId ?? 0, "Resume trading");
    await heard(rig, /Too soon/);
    expect(rig.double.isKilled).toBe(true);
    rig.clock.offsetMs += 6_000;
    rig.emulator.press(trader, ask.messageId ?? 0, "Resume trading");
    await heard(rig, /TRADING ON/);
    expect(rig.double.isKilled).toBe(false);
  });
});
