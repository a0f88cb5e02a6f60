import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  heard,
  labels,
  lastSeq,
  otherTrader,
  type Rig,
  said,
  startRig,
  stranger,
  trader,
  until,
} from "./support/bot-rig.ts";
import { holding, orderView, sharesOf, usdOf } from "./support/sample-views.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  await rig.stop();
});

describe("looking", () => {
  test("/start says what it can and can never do, and how to stop it", async () => {
    rig.emulator.send(trader, "/start");
    const home = await heard(rig, /Polymarket desk/);
    expect(home.text).toMatch(/^PAPER/);
    expect(home.text).toContain(
      "Cash $1,204.11 · Positions $845.20 at bids up to 0.4 s old · Locked $60.00 · Net $2,049.31",
    );
    expect(home.text).toMatch(/never: withdraw/);
    expect(home.text).toMatch(/\/kill/);
    expect(labels(rig, home.messageId)).toContain("■ Kill");
  });

  test("/start m_… opens a market", async () => {
    const id = Buffer.from("1".padStart(64, "0"), "hex").toString("base64url");
    rig.emulator.send(trader, `/start m_${id}`);
    await heard(rig, /^PAPER · Will the Fed cut[\s\S]*Book 0\.4 s old/);
  });

  test("/help, /help buy and unknown text", async () => {
    rig.emulator.send(trader, "/help");
    expect((await heard(rig, /^HELP/)).text).toContain("45 s");
    rig.emulator.send(trader, "/help buy");
    await heard(rig, /gtd=1h/);
    rig.emulator.send(trader, "what is this");
    await heard(rig, /did not understand/);
    rig.emulator.send(trader, "/withdraw all");
    await heard(rig, /do not know that command/);
    rig.emulator.send(trader, "/constructor");
    await until(() => rig.double.answered.size === 5);
  });

  test("/status, and its Refresh edits in place", async () => {
    rig.emulator.send(trader, "/status");
    const status = await heard(rig, /STATUS/);
    expect(status.text).toContain("market ● 0.4 s · user ○ 61 s");
    expect(status.text).toContain("Data 12345 frames · 2 invalid · 3 resyncs (0.02 %)");
    expect(status.text).toContain("stale · oldest 1.5 s");
    expect(status.text).toContain("Exposure $420.00, 42% of $1,000.00");
    rig.double.viewFields = { openOrders: 3 };
    rig.emulator.press(trader, status.messageId ?? 0, "Refresh");
    const again = await heard(rig, /Orders 3 open/);
    expect(again.messageId).toBe(status.messageId);
  });

  test("a refresh that changes nothing is no error", async () => {
    rig.emulator.send(trader, "/orders");
    const orders = await heard(rig, /ORDERS · 0 open/);
    rig.emulator.press(trader, orders.messageId ?? 0, "Refresh");
    await until(() => rig.double.outbox.filter((row) => row.state === "sent").length === 2);
    expect(rig.log.filter((line) => line.level === "error")).toEqual([]);
  });

  test("/markets pages, and #n counts over the whole list", async () => {
    rig.emulator.send(trader, "/markets");
    const list = await heard(rig, /MARKETS · busiest/);
    expect(labels(rig, list.messageId)).toEqual(["1", "2", "3", "4", "5", "6", "▶"]);
    rig.emulator.press(trader, list.messageId ?? 0, "▶");
    const second = await heard(rig, /#7 Filler market 4/);
    expect(second.messageId).toBe(list.messageId);
    rig.emulator.send(trader, "#9");
    await heard(rig, /^PAPER · Filler market 6\?/);
    rig.emulator.send(trader, "/markets rain");
    await heard(rig, /MARKETS · rain/);
    rig.emulator.send(trader, "#2");
    await heard(rig, /No such market \(#2 of the last list\)/);
  });

  test("market card: quotes of both sides, what is held, buttons that say the side", async () => {
    rig.double.held = [holding()];
    rig.emulator.send(trader, "https://polymarket.com/event/x/fed-cut-december?tid=1");
    const card = await heard(rig, /^PAPER · Will the Fed cut/);
    expect(card.text).toContain("Yes 61.0¢ / 62.0¢ · No 38.0¢ / 39.0¢ · spread 1.0¢ · tick 1.0¢");
    expect(card.text).toContain("You: 210 Yes @ 47.20¢ · unrealised +$28.98");
    expect(labels(rig, card.messageId)).toEqual([
      "Buy Yes",
      "Buy No",
      "Sell",
      "$10 Yes",
      "$25 Yes",
      "$50 Yes",
      "Refresh",
    ]);
    rig.emulator.press(trader, card.messageId ?? 0, "$25 Yes");
    await heard(rig, /CONFIRM BUY/);
    rig.emulator.press(trader, card.messageId ?? 0, "Sell");
    const ask = await heard(rig, /You hold 210 shares/);
    expect(labels(rig, ask.messageId)).toEqual(["25%", "50%", "Max"]);
  });

  test("a book that is not live offers no buying", async () => {
    rig.double.bookLive = false;
    rig.emulator.send(trader, "fed-cut-december");
    const card = await heard(rig, /Book not live/);
    expect(labels(rig, card.messageId)).toEqual(["Refresh"]);
  });

  test("an event link with several markets becomes a list", async () => {
    rig.emulator.send(trader, "polymarket.com/event/fed-decision");
    await heard(rig, /#2 Will the Fed hold/);
  });
});

describe("orders and positions", () => {
  test("cancel one by its button, by id, and all only by a second press", async () => {
    rig.double.placed = [
      orderView({ clientOid: "o1", status: "live", timeInForce: "gtc", spend: null }),
      orderView({
        clientOid: "o2",
        shortId: "ffee0011",
        orderHash: "0xffee0011aa",
        status: "live",
      }),
    ];
    rig.emulator.send(trader, "/orders");
    const list = await heard(rig, /ORDERS · 2 open/);
    expect(list.text).toContain("1. BUY 40.322581 Yes @ 63.0¢ · gtc · ab12cd34");
    rig.emulator.press(trader, list.messageId ?? 0, "Cancel 1");
    await heard(rig, /CANCEL asked for 1/);
    rig.emulator.send(trader, "/cancel FFEE00");
    await until(() => rig.double.calls.includes("cancel o2"));
    rig.emulator.send(trader, "/cancel dead");
    await heard(rig, /no order with that id/);
    rig.emulator.press(trader, list.messageId ?? 0, "Cancel all");
    const ask = await heard(rig, /Cancel all 2 open orders\?/);
    expect(rig.double.calls).not.toContain("cancel o1,o2");
    rig.emulator.press(trader, ask.messageId ?? 0, "Yes, cancel all");
    await until(() => rig.double.calls.includes("cancel o1,o2"));
  });

  test("an old /cancel all cancels only what was open when it was written", async () => {
    const nowMs = rig.clock.now();
    rig.double.placed = [
      orderView({ clientOid: "before", status: "live", createdAtMs: nowMs - 600_000 }),
      orderView({ clientOid: "after", status: "live", createdAtMs: nowMs }),
    ];
    rig.emulator.send(trader, "/cancel all", { ageSeconds: 300 });
    await until(() => rig.double.calls.includes("cancel before"));
  });

  test("what is left of a sale to the last hundredth is shown in full and offers no sale", async () => {
    rig.double.held = [holding({ confirmed: sharesOf(0.003333) })];
    rig.emulator.send(trader, "/positions");
    const list = await heard(rig, /POSITIONS/);
    expect(list.text).toMatch(/0\.003333 shares[^]*too small to sell/);
    expect(labels(rig, list.messageId)).toEqual(["Refresh"]);
  });

  test("positions with a button for each part", async () => {
    rig.double.held = [
      holding(),
      holding({
        outcomeName: "No",
        outcome: 1,
        provisional: sharesOf(3),
        unrealizedUsd: usdOf(-40),
      }),
    ];
    rig.emulator.send(trader, "/positions");
    const list = await heard(rig, /POSITIONS · 2/);
    expect(list.text).toMatch(/1\. No 213 shares[\s\S]*2\. Yes 210 shares/);
    expect(list.text).toContain("unrealised -$40.00");
    expect(list.text).toContain("bid 61.0¢ (0.4 s old)");
    expect(labels(rig, list.messageId)).toContain("2: Sell 50%");
    rig.emulator.press(trader, list.messageId ?? 0, "2: Sell 50%");
    await heard(rig, /CONFIRM SELL/);
  });
});

describe("arbitrage", () => {
  test("ranked, refused in words, executed after a card", async () => {
    rig.emulator.send(trader, "/arb");
    const list = await heard(rig, /ARB · 1 profitable/);
    expect(list.text).toMatch(
      /1\. Set s-good[\s\S]*2\. Set s-convert[\s\S]*needs_convert[\s\S]*3\. Set s-fee[\s\S]*fees eat[\s\S]*4\. Set s-refused[\s\S]*augmented/,
    );
    rig.emulator.press(trader, list.messageId ?? 0, "2 Details");
    const refused = await heard(rig, /SET · Set s-convert/);
    expect(labels(rig, refused.messageId)).toEqual(["Back"]);
    rig.emulator.press(trader, list.messageId ?? 0, "1 Details");
    const details = await heard(rig, /SET · Set s-good/);
    rig.emulator.press(trader, details.messageId ?? 0, /Execute/);
    const card = await heard(rig, /CONFIRM SET/);
    expect(details.text).toContain("oldest book 0.3 s old");
    expect(card.text).toContain("Oldest book 0.3 s old");
    expect(card.text).toContain("Pays $100.00 whatever wins · profit +$1.50");
    expect(card.text).toContain("Max loss $66.00");
    rig.emulator.press(trader, card.messageId ?? 0, /Confirm/);
    await heard(rig, /SENT/);
  });
});

describe("the edges of the chat", () => {
  test("a key is deleted, warned about and kept nowhere", async () => {
    const key = "ab".repeat(32);
    rig.emulator.send(trader, key);
    await heard(rig, /looked like a private key/);
    await until(() => rig.emulator.events.some((event) => event.kind === "delete"));
    expect(rig.double.received.size).toBe(0);
    expect(JSON.stringify(rig.log)).not.toContain(key);
  });

  test("an unknown or foreign button is told at once and does nothing", async () => {
    rig.emulator.send(trader, "/status");
    const status = await heard(rig, /STATUS/);
    for (const data of [
      "v1:ok:0000000000000000",
      "v0:ok:1",
      "x",
      "v1:ok:0000000000000000000000000000000000000000000000000000000",
    ]) {
      const seq = lastSeq(rig);
      rig.emulator.press(trader, status.messageId ?? 0, { data });
      await heard(rig, /unknown or too old/, trader, seq);
    }
    await until(() => rig.double.pendingCommands().length === 0);
    expect(rig.double.calls).toEqual([]);
  });

  test("the command menu is there for traders and for nobody else", async () => {
    await until(() => rig.emulator.commands(trader).length > 5);
    await until(() => JSON.stringify(rig.emulator.commands(otherTrader)).includes("kill"));
    expect(rig.emulator.commands()).toEqual([]);
    expect(rig.emulator.commands(stranger)).toEqual([]);
  });

  test("no call uses a parse mode, and titles stay text", async () => {
    rig.double.markets = rig.double.markets.map((market) => ({
      ...market,
      question: `<a href="x">&*_[b]\u202e${market.question}`,
    }));
    rig.emulator.send(trader, "/markets");
    const list = await heard(rig, /MARKETS/);
    expect(list.text).toContain('<a href="x">&*_[b]Will the Fed');
    expect(JSON.stringify(rig.emulator.calls)).not.toContain("parse_mode");
    expect(said(rig)).not.toContain("\u202e");
  });
});
