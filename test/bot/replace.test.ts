import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { heard, labels, type Rig, startRig, trader, until } from "./support/bot-rig.ts";
import { orderView, price } from "./support/sample-views.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  const clientOid = "oid-a";
  rig.double.placed = [
    orderView({ clientOid, shortId: "1a2b3c4d", status: "live", spend: null, limit: price(6000) }),
  ];
});
afterEach(async () => {
  await rig.stop();
});

describe("/orders with an id", () => {
  test("shows the stages of one order and its request", async () => {
    rig.emulator.send(trader, "/orders 1a2b");
    const { text } = await heard(rig, /ORDER 1a2b3c4d/);
    expect(text).toContain("After the command: decided 3 ms → committed –");
    expect(text).toMatch(/Request plan1-0 · id 0x/);
    rig.emulator.send(trader, "/orders ffff");
    await heard(rig, /There is no order with that id/);
  });
});

describe("changing the price of a resting order", () => {
  test("/replace shows a card that names the old order, and Confirm says what happens", async () => {
    rig.emulator.send(trader, "/replace 1a2b 0.61");
    const card = await heard(rig, /CONFIRM PRICE CHANGE/);
    expect(card.text).toContain("Instead of order 1a2b3c4d @ 60.0¢");
    expect(rig.double.calls).toContain("quote-replace oid-a 6100");
    rig.emulator.press(trader, card.messageId ?? 0, "Confirm 61.0¢");
    await heard(rig, /CHANGING PRICE to 61\.0¢[\s\S]*is being canceled first/);
    expect(rig.double.placed).toHaveLength(1);
  });

  test("asked again, the card is a price change again and never an order more", async () => {
    rig.emulator.send(trader, "/replace 1a2b 61c");
    const card = await heard(rig, /CONFIRM PRICE CHANGE/);
    rig.emulator.press(trader, card.messageId ?? 0, "Re-quote");
    const asked = () => rig.double.calls.filter((call) => call === "quote-replace oid-a 6100");
    await until(() => asked().length === 2);
    expect(rig.double.calls.filter((call) => call.startsWith("placed"))).toEqual([]);
  });

  test("a button of /orders offers the next prices", async () => {
    rig.emulator.send(trader, "/orders");
    const orders = await heard(rig, /ORDERS · 1 open/);
    rig.emulator.press(trader, orders.messageId ?? 0, "Price 1");
    const ask = await heard(
      rig,
      /CHANGE PRICE[^]*\nBid [^\n]* ask [^\n]*\nBook 0\.4 s old\n[^]*type \/replace 1a2b3c4d and a price/,
    );
    expect(labels(rig, ask.messageId)).toEqual(["59.0¢", "61.0¢"]);
    rig.emulator.press(trader, ask.messageId ?? 0, "59.0¢");
    await heard(rig, /CONFIRM PRICE CHANGE/);
    expect(rig.double.calls).toContain("quote-replace oid-a 5900");
  });

  test.each(["/replace", "/replace 1a2b 1.2", "/replace 1a2b 0.61 now"])(
    "%s says how it is written and sends nothing",
    async (text) => {
      rig.emulator.send(trader, text);
      await heard(rig, /Type \/replace, the order's id and the new price[\s\S]*Nothing was sent/);
      expect(rig.double.calls.filter((call) => call.startsWith("quote"))).toEqual([]);
    },
  );

  test("an end without a new order says why and what to do", async () => {
    const [order] = rig.double.placed;
    if (order === undefined) throw new Error("one order was placed");
    rig.double.happen({ kind: "replace.failed", order, denial: { code: "book_stale" } });
    await heard(rig, /PRICE NOT CHANGED · no new order was sent/);
  });
});
