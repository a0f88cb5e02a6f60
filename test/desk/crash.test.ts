// kill -9 of the real service at named points of the order path, then a restart. What counts is what the venue's own
// records say: one order per intent, every trade once, and a trader who was told.
import { describe, expect, test } from "vitest";
import { DeskRig } from "./desk-rig.ts";
import { Slots } from "./slots.ts";

const allMs = 180_000;
const slots = new Slots(2);
const filledYes = /· FILLED BUY Yes/u;
const ended = /(FILLED|REJECTED|EXPIRED|CANCELED) BUY Yes/u;

const crashTest = (name: string, work: (rig: DeskRig) => Promise<void>): void => {
  test.concurrent(name, { timeout: allMs }, () =>
    slots.run(async () => {
      await using rig = await DeskRig.open();
      await work(rig);
    }),
  );
};

const card = `
/buy selby-strait-reopens yes 10sh @0.62 fak
!expect CONFIRM BUY
`;

/** The trader was told one end of one order, and the venue's books agree with it to the micro-dollar. */
async function expectOneEnd(rig: DeskRig): Promise<{ readonly filled: boolean }> {
  await rig.until("the end of the order is told", () => rig.told(ended).length > 0);
  await rig.play("/positions\n!expect POSITIONS");
  const filled = rig.told(filledYes).length;
  const trades = await rig.trades();
  const accepted = (await rig.posts()).filter((post) => post.status === 200);
  expect(rig.told(ended).length, rig.transcript()).toBe(1);
  expect(new Set(trades.map((trade) => trade.taker_order_id)).size).toBe(filled);
  expect(trades.reduce((sum, trade) => sum + Number(trade.size), 0)).toBe(filled * 10);
  expect(accepted.length).toBeLessThanOrEqual(1);
  expect(await rig.openOrders()).toEqual([]);
  expect(await rig.balance()).toBe(1_000_000_000 - filled * 6_200_000);
  await rig.play(
    filled === 1 ? "!expect 1\\. Yes 10 shares @ 62\\.00¢" : "!expect You hold nothing",
  );
  if (filled === 0) expect(rig.told(ended)[0]?.text).toMatch(/not (sent|trade|taken)|[Nn]othing/u);
  return { filled: filled === 1 };
}

describe("a crash on the way to the card: the command is answered after the restart, by one live card", () => {
  crashTest("K0: received, not kept: Telegram delivers it again", async (rig) => {
    await rig.play(`!crash K0\n/buy selby-strait-reopens yes 10sh @0.62 fak\n!restart`);
    await expectOneCardThatWorks(rig);
  });

  crashTest("K1: kept, not queued: it is picked up", async (rig) => {
    await rig.play(`!crash K1\n/buy selby-strait-reopens yes 10sh @0.62 fak\n!restart`);
    await expectOneCardThatWorks(rig);
  });

  crashTest("K2: card kept, not sent", async (rig) => {
    await rig.play(`!crash K2\n/buy selby-strait-reopens yes 10sh @0.62 fak\n!restart`);
    await expectOneCardThatWorks(rig);
  });

  crashTest(
    "K3: card sent, its message not kept: however many are shown, one order",
    async (rig) => {
      await rig.play(`!crash K3\n/buy selby-strait-reopens yes 10sh @0.62 fak\n!restart`);
      await rig.until("a card can be pressed", () => rig.told(/CONFIRM BUY/u).length > 0);
      expect(rig.pressAll(/^Confirm/u)).toBeGreaterThan(0);
      const { filled } = await expectOneEnd(rig);
      expect(filled).toBe(true);
    },
  );

  async function expectOneCardThatWorks(rig: DeskRig): Promise<void> {
    await rig.play("!expect CONFIRM BUY");
    // A second card would come with the same redelivery or pick-up; an answered question shows that both are through.
    await rig.play("/orders\n!expect No open orders");
    expect(rig.told(/CONFIRM BUY/u).length, rig.transcript()).toBe(1);
    expect(await rig.posts()).toEqual([]);
    expect(rig.pressAll(/^Confirm/u)).toBe(1);
    expect((await expectOneEnd(rig)).filled).toBe(true);
  }
});

describe("a crash around the press of Confirm: the tap may be repeated, the intent is one", () => {
  for (const point of ["K0", "K4", "K5"]) {
    crashTest(`${point}: nothing was committed: it is done once after the restart`, async (rig) => {
      await rig.play(`${card}!crash ${point}\n!press ^Confirm\n!restart\n!again`);
      expect((await expectOneEnd(rig)).filled, rig.transcript()).toBe(true);
      expect((await rig.posts()).length).toBe(1);
    });
  }

  crashTest("K1: kept: done once, or as far as its intent had come", async (rig) => {
    await rig.play(`${card}!crash K1\n!press ^Confirm\n!restart\n!again`);
    // What was kept may be taken up in the very moment of the crash, and then its intent is committed.
    const { filled } = await expectOneEnd(rig);
    expect((await rig.posts()).length, rig.transcript()).toBe(filled ? 1 : 0);
  });

  for (const point of ["K6", "K7"]) {
    crashTest(`${point}: committed, no byte sent: found absent, or sent once`, async (rig) => {
      await rig.play(`${card}!crash ${point}\n!press ^Confirm\n!restart\n!again`);
      const { filled } = await expectOneEnd(rig);
      expect((await rig.posts()).length).toBe(filled ? 1 : 0);
    });
  }

  crashTest("K9: sent, no answer: found by its hash", async (rig) => {
    await rig.play(`${card}!fault venue delay-answer method=POST path=^/order$ ms=3000`);
    await rig.play("!fault venue ws-mute ms=60000\n!crash K9\n!press ^Confirm\n!restart\n!again");
    expect((await expectOneEnd(rig)).filled).toBe(true);
    expect((await rig.posts()).length).toBe(1);
  });

  crashTest("K9: sent, and the venue takes it only after the restart", async (rig) => {
    await rig.play(`${card}!fault venue delay method=POST path=^/order$ ms=2500`);
    await rig.play("!crash K9\n!press ^Confirm\n!restart\n!again");
    await rig.until("the venue took the order", async () => (await rig.trades()).length > 0);
    await rig.until("its fill is told", () => rig.told(filledYes).length > 0);
    await rig.play("/positions\n!expect 1\\. Yes 10 shares");
    expect((await rig.trades()).length).toBe(1);
    expect((await rig.posts()).length).toBe(1);
  });

  /** Whether the stream or the answer of the post tells of the fill first is chance; these leave one of them. */
  const muteStream = "!fault venue ws-mute ms=60000\n";
  const holdAnswer = "!fault venue delay-answer method=POST path=^/order$ ms=1500\n";
  const afterSending = [
    ["K10: answer read, not kept: found by its hash, not sent again", muteStream],
    ["K11: answer kept, nobody told: told once", muteStream],
    ["K12: fill received, not kept: found by the trades, counted once", holdAnswer],
    ["K13: fill on its way to the disk: counted once", holdAnswer],
  ] as const;
  for (const [name, fault] of afterSending) {
    crashTest(name, async (rig) => {
      await rig.play(
        `${card}${fault}!crash ${name.slice(0, 3)}\n!press ^Confirm\n!restart\n!again`,
      );
      expect((await expectOneEnd(rig)).filled).toBe(true);
      expect((await rig.posts()).length).toBe(1);
    });
  }
});

const resting = `
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
`;

describe("a crash while orders rest", () => {
  crashTest("K14: cancel asked, no answer: live until proven otherwise", async (rig) => {
    await rig.play(`${resting}!crash K14\n/cancel all\n!restart`);
    await rig.play("/cancel all\n!expect CANCEL asked for");
    await rig.until("the order is gone", async () => (await rig.openOrders()).length === 0);
    await rig.until("its end is told", () => rig.told(/CANCELED BUY Yes/u).length > 0);
    await rig.play("/orders\n!expect No open orders");
    expect(rig.told(/CANCELED BUY Yes/u).length, rig.transcript()).toBe(1);
    expect((await rig.posts()).length).toBe(1);
    expect(await rig.trades()).toEqual([]);
    expect(await rig.balance()).toBe(1_000_000_000);
  });

  crashTest("K15: killed, half canceled: starts killed and goes on canceling", async (rig) => {
    await rig.play(resting);
    await rig.play(
      "/buy selby-strait-reopens no 10sh @0.20\n!expect CONFIRM\n!press ^Confirm\n!expect RESTING",
    );
    await rig.play(`${card}!crash K15\n/kill at once\n!restart`);
    await rig.until("no order is open", async () => (await rig.openOrders()).length === 0);
    await rig.until("the report is told", () => rig.told(/All settled/u).length > 0);
    // The card of before the kill is dead as well.
    expect(rig.pressAll(/^Confirm/u)).toBeLessThanOrEqual(1);
    await rig.play("/buy selby-strait-reopens yes $10\n!expect kill switch is on");
    await rig.play("/status\n!expect KILLED since .* at once");
    expect(rig.told(/KILL ON/u).length).toBeGreaterThan(0);
    expect((await rig.posts()).length).toBe(2);
    expect(await rig.trades()).toEqual([]);
    expect(await rig.balance()).toBe(1_000_000_000);
  });

  /** A resting order whose fill only a reading of the account can tell. */
  const restingThenMuted = `
    /buy selby-strait-reopens yes 10sh @0.61
    !expect CONFIRM BUY
    !press ^Confirm
    !expect RESTING BUY Yes
    /orders
    !expect ORDERS · 1 open
    !fault venue ws-mute ms=60000
  `;

  async function expectOneFill(rig: DeskRig): Promise<void> {
    await rig.until("the fill is told", () => rig.told(filledYes).length > 0);
    await rig.play("/positions\n!expect 1\\. Yes 10 shares @ 61\\.00¢");
    expect(rig.told(/· FILLED BUY Yes|· FILL BUY/u).length, rig.transcript()).toBe(1);
    expect((await rig.posts()).length).toBe(1);
    expect((await rig.trades()).length).toBe(1);
    expect(await rig.balance()).toBe(1_000_000_000 - 6_100_000);
  }

  crashTest("K17: in the middle of a correction: not applied twice", async (rig) => {
    await rig.play(`${restingThenMuted}!crash K17\n!market selby-strait-reopens move -4`);
    await rig.until("the venue matched it", async () => (await rig.trades()).length > 0);
    await rig.play("!restart");
    await expectOneFill(rig);
  });

  crashTest(
    "a fill that happens while the service is down is counted and told once",
    async (rig) => {
      await rig.play(`${restingThenMuted}!crash now\n!market selby-strait-reopens move -4`);
      await rig.until("the venue matched it", async () => (await rig.trades()).length > 0);
      await rig.play("!restart");
      await expectOneFill(rig);
    },
  );
});
