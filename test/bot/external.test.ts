import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { renderNotice } from "../../src/bot/render/notice.ts";
import type { ExternalOrderView } from "../../src/engine/api/views.ts";
import { heard, type Rig, startRig, trader, until } from "./support/bot-rig.ts";
import { conditionId, holding, orderView, price, sharesOf, usdOf } from "./support/sample-views.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  await rig.stop();
});

const foreign: ExternalOrderView = {
  orderHash: `0xfeedbeef${"0".repeat(56)}`,
  shortId: "feedbeef",
  conditionId: conditionId(3),
  question: "Will it rain in London tomorrow?",
  outcomeName: "Yes",
  side: "buy",
  price: price(4000),
  size: sharesOf(50),
  matched: sharesOf(0),
  reservedUsd: usdOf(20),
  firstSeenAtMs: 0,
};

describe("orders and trades of others on the account", () => {
  test("/orders shows them apart, with how to end them", async () => {
    rig.double.external = [foreign];
    rig.emulator.send(trader, "/orders");
    const { text } = await heard(rig, /ORDERS · 0 open/);
    expect(text).toContain("External · 1 not placed by this desk");
    expect(text).toContain("BUY 50 Yes @ 40.0¢ · locks $20.00 · feedbeef");
    expect(text).toContain("/cancel and an id ends one of them");
  });

  test("/cancel with its id asks for that one; a beginning that fits two asks for more", async () => {
    rig.double.external = [foreign];
    rig.double.placed = [orderView({ shortId: "feed0001", orderHash: "0xfeed0001" })];
    rig.emulator.send(trader, "/cancel feed");
    await heard(rig, /2 orders begin with that\. Nothing was canceled/);
    rig.emulator.send(trader, "/cancel FEEDBEEF");
    await heard(rig, /CANCEL asked for 1 external order/);
    expect(rig.double.calls).toContain(`cancel-external ${foreign.orderHash}`);
  });

  test("each is told to every trader with what to do", async () => {
    rig.double.happen({ kind: "external.order", order: foreign });
    const { text } = await heard(rig, /EXTERNAL ORDER · not placed by this desk/);
    expect(text).toContain("If it is not yours: /kill, then revoke the API key.");
    rig.double.happen({
      kind: "external.fill",
      what: "filled",
      question: foreign.question,
      outcomeName: "Yes",
      side: "buy",
      size: sharesOf(50),
      money: usdOf(20),
    });
    await heard(rig, /EXTERNAL TRADE · not made by this desk\nBUY 50 Yes @ 40\.00¢ = \$20\.00/);
  });

  test("/positions says what came from outside; a kill report names the orders of others", async () => {
    rig.double.held = [holding({ external: sharesOf(12) })];
    rig.emulator.send(trader, "/positions");
    await heard(rig, /12 bought outside this desk \(external\), counted here/);
    const external = [{ order: foreign, fate: "gone" as const }];
    rig.double.happen({ kind: "kill.report", orders: [], external, calls: [], settled: true });
    await heard(rig, /feedbeef external BUY 50 Yes @ 40\.0¢: gone from the book/);
    await until(() => rig.double.notices.length > 0);
  });

  test("a kill report names each order's fate", () => {
    const { text } = renderNotice("paper", {
      noticeId: 1,
      atMs: 0,
      chatId: null,
      body: {
        kind: "kill.report",
        settled: false,
        external: [],
        calls: [],
        orders: [
          { order: orderView(), fate: "canceled" },
          { order: orderView({ shortId: "00000002" }), fate: "unknown" },
        ],
      },
    });
    expect(text).toContain("KILL REPORT · 1/2 canceled · 1 NOT YET SETTLED");
    expect(text).toContain("00000002");
    expect(text).toContain("another report follows");
  });
});

describe("what differs from the venue", () => {
  test("a corrected position and trades that only one copy has are told in plain words", async () => {
    rig.double.happen({
      kind: "position.corrected",
      correctionId: "c1",
      question: foreign.question,
      outcomeName: "Yes",
      from: sharesOf(20),
      to: sharesOf(15),
    });
    await heard(rig, /POSITION CORRECTED[\s\S]*Yes: 20 shares here, 15 there/);
    const copies = { notOnStream: 1, notListed: 0, tradeId: "t-17" };
    rig.double.happen({ kind: "copies.disagree", ...copies });
    await heard(rig, /TRADES DIFFER[\s\S]*Only in the list: 1 · only on the stream: 0[\s\S]*t-17/);
  });

  test("/positions marks dust, shares from nowhere, and what can be sold now", async () => {
    rig.double.held = [
      holding({ confirmed: sharesOf(3), dust: true, sellable: sharesOf(1) }),
      holding({ unexplained: sharesOf(5) }),
    ];
    rig.emulator.send(trader, "/positions");
    const { text } = await heard(rig, /POSITIONS · 2/);
    expect(text).toContain("dust: below the venue's smallest resting order");
    expect(text).toContain("1 can be sold now");
    expect(text).toContain("5 more at the venue, not bought here: this desk does not sell them");
  });
});
