import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Desk, Trader } from "./venue-support.ts";
import {
  control,
  get,
  marketSpec,
  micro,
  newTrader,
  openDesk,
  plainBook,
  postRaw,
  privateCall,
  until,
} from "./venue-support.ts";

const { conditionId } = marketSpec();
const yes = marketSpec().outcomes[0].tokenId;
const no = marketSpec().outcomes[1].tokenId;
const emptyBook = { bids: [], asks: [], lastTradePrice: "" };

let desk: Desk;
let alice: Trader;
let bob: Trader;

async function open(spec = marketSpec(), book = emptyBook as typeof plainBook): Promise<void> {
  desk = await openDesk({ list: (venue) => venue.exchange.addMarket(spec, book) });
  alice = await newTrader(desk);
  bob = await newTrader(desk);
}

beforeEach(() => open());
afterEach(async () => {
  await desk.close();
});

type Placed = { readonly orderID: string; readonly status: string; readonly error?: string };

async function limit(
  trader: Trader,
  side: "BUY" | "SELL",
  tokenId: string,
  price: number,
  shares: number,
): Promise<Placed> {
  const cash = micro(price * shares);
  const size = micro(shares);
  const amounts =
    side === "BUY"
      ? { makerAmount: cash, takerAmount: size }
      : { makerAmount: size, takerAmount: cash };
  return (await postRaw(desk, trader, { tokenId, side, ...amounts })).body as Placed;
}

async function balance(trader: Trader, token?: string): Promise<string> {
  const asset = token === undefined ? "COLLATERAL" : `CONDITIONAL&token_id=${token}`;
  const path = `/balance-allowance?asset_type=${asset}`;
  return ((await get(desk, path, trader.wallet.address)).body as { balance: string }).balance;
}

async function split(trader: Trader, shares: string): Promise<void> {
  const body = JSON.stringify({ action: "split", condition_id: conditionId, shares });
  expect((await privateCall(desk, trader, ["POST", "/paper/positions", body])).status).toBe(200);
}

describe("complementary matching", () => {
  test("BUY YES meets BUY NO: a pair is minted at prices that add up to one", async () => {
    expect(await limit(alice, "BUY", no, 0.4, 10)).toMatchObject({ status: "live" });
    expect(await limit(bob, "BUY", yes, 0.65, 10)).toMatchObject({
      status: "matched",
      makingAmount: "6",
      takingAmount: "10",
    });
    expect([await balance(alice), await balance(bob)]).toEqual(["996000000", "994000000"]);
    expect([await balance(alice, no), await balance(bob, yes)]).toEqual(["10000000", "10000000"]);
    const [seen] = await alice.client.getTrades();
    expect(seen).toMatchObject({
      trader_side: "MAKER",
      side: "BUY",
      asset_id: yes,
      price: "0.6",
      maker_orders: [
        { asset_id: no, side: "BUY", price: "0.4", matched_amount: "10", outcome: "No" },
      ],
    });
  });

  test("SELL YES meets SELL NO: a pair is merged", async () => {
    await split(alice, "10");
    await split(bob, "10");
    await limit(alice, "SELL", no, 0.4, 10);
    expect(await limit(bob, "SELL", yes, 0.55, 10)).toMatchObject({
      status: "matched",
      makingAmount: "10",
      takingAmount: "6",
    });
    expect([await balance(alice), await balance(bob)]).toEqual(["994000000", "996000000"]);
    expect([await balance(alice, no), await balance(bob, yes)]).toEqual(["0", "0"]);
  });

  test("price first, then time; the taker pays the maker's price and the rest rests", async () => {
    const carol = await newTrader(desk);
    await split(alice, "20");
    await split(carol, "20");
    const late = await limit(alice, "SELL", yes, 0.6, 10);
    const first = await limit(alice, "SELL", yes, 0.5, 10);
    const second = await limit(carol, "SELL", yes, 0.5, 10);
    expect(await limit(bob, "BUY", yes, 0.55, 25)).toMatchObject({
      status: "live",
      makingAmount: "10",
      takingAmount: "20",
    });
    expect((await alice.client.getOrder(first.orderID)).status).toBe("MATCHED");
    expect((await carol.client.getOrder(second.orderID)).status).toBe("MATCHED");
    expect((await alice.client.getOrder(late.orderID)).size_matched).toBe("0");
    const book = (await get(desk, `/book?token_id=${yes}`)).body;
    expect(book).toMatchObject({
      bids: [{ price: "0.55", size: "5" }],
      asks: [{ price: "0.6", size: "10" }],
      last_trade_price: "0.500",
    });
    const [trade] = await bob.client.getTrades();
    expect(trade?.maker_orders.map((maker) => maker.order_id)).toEqual([
      first.orderID,
      second.orderID,
    ]);
  });

  test("an account never trades with itself: its resting order is canceled", async () => {
    const own = await limit(alice, "BUY", no, 0.5, 10);
    expect(await limit(alice, "BUY", yes, 0.55, 10)).toMatchObject({ status: "live" });
    expect((await alice.client.getOrder(own.orderID)).status).toBe("CANCELED");
    expect(await alice.client.getTrades()).toEqual([]);
  });
});

describe("the crowd", () => {
  test("stands before own orders of a level, and consumed size stays away until set again", async () => {
    const { exchange } = desk.venue;
    await split(alice, "10");
    exchange.setBackgroundLevel(conditionId, "SELL", "0.5", "30");
    const own = await limit(alice, "SELL", yes, 0.5, 10);
    const buy = { tokenId: yes, side: "BUY" as const, orderType: "FOK" };
    await postRaw(desk, bob, { ...buy, makerAmount: micro(16), takerAmount: micro(32) });
    expect((await alice.client.getOrder(own.orderID)).size_matched).toBe("2");
    expect((await get(desk, `/book?token_id=${yes}`)).body).toMatchObject({
      asks: [{ price: "0.5", size: "8" }],
    });
    exchange.replaceBackground(conditionId, {
      bids: [],
      asks: [{ price: "0.5", size: "30" }],
      lastTradePrice: "",
    });
    expect((await get(desk, `/book?token_id=${yes}`)).body).toMatchObject({
      asks: [{ price: "0.5", size: "8" }],
    });
    exchange.setBackgroundLevel(conditionId, "SELL", "0.5", "30");
    expect((await get(desk, `/book?token_id=${yes}`)).body).toMatchObject({
      asks: [{ price: "0.5", size: "38" }],
    });
  });

  test("hits resting orders by crowdTrade and by liquidity that crosses them", async () => {
    const { exchange } = desk.venue;
    const order = await limit(alice, "BUY", yes, 0.5, 20);
    exchange.crowdTrade(conditionId, "SELL", "0.5", "5");
    expect((await alice.client.getOrder(order.orderID)).size_matched).toBe("5");
    exchange.setBackgroundLevel(conditionId, "SELL", "0.49", "25");
    expect((await alice.client.getOrder(order.orderID)).status).toBe("MATCHED");
    expect((await get(desk, `/book?token_id=${yes}`)).body).toMatchObject({
      bids: [],
      asks: [{ price: "0.49", size: "10" }],
    });
    expect(await balance(alice)).toBe("990000000");
  });

  test("a held market ignores the world, and a script can still move it", async () => {
    const { venue } = desk;
    venue.onMove((id, ticks) => {
      const price = String(0.5 + ticks / 100);
      venue.exchange.replaceBackground(id, { ...emptyBook, bids: [{ price, size: "7" }] });
    });
    await control(desk, "/paper/market/rain-tomorrow/hold", { hold: true });
    venue.exchange.setBackgroundLevel(conditionId, "SELL", "0.9", "5");
    expect(venue.exchange.market(conditionId)).toMatchObject({ held: true, bestAsk: null });
    await control(desk, "/paper/market/rain-tomorrow/move", { ticks: -3 });
    expect(venue.exchange.market(conditionId)?.bestBid).toBe("0.47");
    await control(desk, "/paper/market/rain-tomorrow/hold", { hold: false });
    venue.exchange.setBackgroundLevel(conditionId, "SELL", "0.9", "5");
    expect(venue.exchange.market(conditionId)?.bestAsk).toBe("0.9");
  });
});

describe("fees, delays and time", () => {
  test("the taker pays rate x C x (q - C) / q, truncated: on top of a buy, out of a sale", async () => {
    await desk.close();
    await open(marketSpec({ feeRate: "0.05" }), plainBook);
    const buy = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };
    await postRaw(desk, alice, { ...buy, makerAmount: micro(31.3), takerAmount: micro(56.909) });
    // 60 shares for 31.30: 0.05 * 31.3 * 28.7 / 60 = 0.748591666...
    expect(await balance(alice)).toBe(String(1_000_000_000 - 31_300_000 - 748_590));
    await postRaw(desk, alice, {
      tokenId: yes,
      side: "SELL",
      orderType: "FAK",
      makerAmount: micro(60),
      takerAmount: micro(28.8),
    });
    // 60 shares for 28.80: 0.05 * 28.8 * 31.2 / 60 = 0.7488
    expect(await balance(alice)).toBe(
      String(1_000_000_000 - 31_300_000 - 748_590 + 28_800_000 - 748_800),
    );
  });

  test("a buy that cannot pay its fee is refused", async () => {
    await desk.close();
    await open(marketSpec({ feeRate: "0.05" }), {
      bids: [],
      asks: [{ price: "0.5", size: "5000" }],
      lastTradePrice: "",
    });
    const order = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };
    const all = await postRaw(desk, alice, {
      ...order,
      makerAmount: micro(1000),
      takerAmount: micro(2000),
    });
    expect(all.status).toBe(400);
    expect((all.body as Placed).error).toContain("order amount: 1025000000");
    expect(await balance(alice)).toBe("1000000000");
  });

  test("a taker delay answers `delayed`, cannot be canceled meanwhile, and matches afterwards", async () => {
    await desk.close();
    desk = await openDesk({
      delaySecondMs: 200,
      list: (venue) => venue.exchange.addMarket(marketSpec({ secondsDelay: 1 }), plainBook),
    });
    alice = await newTrader(desk);
    const buy = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };
    const placed = await postRaw(desk, alice, {
      ...buy,
      makerAmount: micro(26),
      takerAmount: micro(50),
    });
    expect(placed.body).toMatchObject({ status: "delayed", takingAmount: "0" });
    const { orderID } = placed.body as Placed;
    const cancel = await alice.client.cancelOrder({ orderID });
    expect(cancel).toEqual({
      canceled: [],
      not_canceled: { [orderID]: "Order is delayed and cannot be canceled" },
    });
    expect((await alice.client.getOrder(orderID)).status).toBe("DELAYED");
    await until(
      async () => (await alice.client.getOrder(orderID)).status === "MATCHED",
      "matched after the delay",
    );
    expect(await balance(alice, yes)).toBe("50000000");
  });

  test("a GTD order dies a minute before its expiration", async () => {
    let shiftMs = 0;
    await desk.close();
    desk = await openDesk({ clock: () => Date.now() + shiftMs });
    alice = await newTrader(desk);
    const expiration = String(Math.floor(Date.now() / 1000) + 300);
    const order = {
      tokenId: yes,
      side: "BUY" as const,
      makerAmount: micro(2),
      takerAmount: micro(5),
    };
    const placed = await postRaw(desk, alice, { ...order, orderType: "GTD", expiration });
    const { orderID } = placed.body as Placed;
    const status = async () =>
      ((await get(desk, `/data/order/${orderID}`, alice.wallet.address)).body as Placed).status;
    shiftMs = 238_000;
    await control(desk, "/paper/tick");
    expect(await status()).toBe("LIVE");
    shiftMs = 241_000;
    await control(desk, "/paper/tick");
    expect(await status()).toBe("CANCELED");
  });
});

describe("resolution and positions", () => {
  test("resolution cancels orders, pays winners and closes the book", async () => {
    await split(alice, "10");
    const order = await limit(alice, "SELL", yes, 0.9, 10);
    await control(desk, "/paper/market/rain-tomorrow/resolve", { winner: "Yes" });
    expect((await alice.client.getOrder(order.orderID)).status).toBe("CANCELED_MARKET_RESOLVED");
    expect(await balance(alice)).toBe("1000000000");
    expect(await balance(alice, yes)).toBe("0");
    expect((await get(desk, `/book?token_id=${yes}`)).status).toBe(404);
    const redeemed = desk.venue.state.store.activity(alice.wallet.address, 10);
    expect(redeemed.map((row) => row.type)).toEqual(["REDEEM", "REDEEM", "SPLIT"]);
  });

  test("merge gives back dollars; reserved shares are not free", async () => {
    await split(alice, "10");
    await limit(alice, "SELL", yes, 0.9, 6);
    const merge = (shares: string) =>
      privateCall(desk, alice, [
        "POST",
        "/paper/positions",
        JSON.stringify({ action: "merge", condition_id: conditionId, shares }),
      ]);
    expect((await merge("5")).status).toBe(400);
    expect((await merge("4")).status).toBe(200);
    expect(await balance(alice)).toBe("994000000");
  });

  test("convert: k NO become YES of every other market and k - 1 dollars", async () => {
    await desk.close();
    const specs = ["a1", "a2", "a3"].map((byte, i) =>
      marketSpec({
        conditionId: `0x${byte.repeat(32)}`,
        slug: `market-${byte}`,
        negRisk: true,
        negRiskMarketId: "0xfeed",
        outcomes: [
          { tokenId: `${i + 1}01`, name: "Yes" },
          { tokenId: `${i + 1}02`, name: "No" },
        ],
      }),
    );
    desk = await openDesk({
      list: (venue) => {
        for (const spec of specs) venue.exchange.addMarket(spec, emptyBook);
      },
    });
    alice = await newTrader(desk);
    const call = (body: object) =>
      privateCall(desk, alice, ["POST", "/paper/positions", JSON.stringify(body)]);
    for (const spec of specs.slice(0, 2)) {
      await call({ action: "split", condition_id: spec.conditionId, shares: "10" });
    }
    const ids = specs.slice(0, 2).map((spec) => spec.conditionId);
    const answer = await call({
      action: "convert",
      market_id: "0xfeed",
      condition_ids: ids,
      shares: "10",
    });
    expect(answer.status).toBe(200);
    expect(await balance(alice)).toBe("990000000");
    expect(await balance(alice, "102")).toBe("0");
    expect(await balance(alice, "301")).toBe("10000000");
  });
});
