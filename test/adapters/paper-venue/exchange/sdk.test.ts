import { AssetType, OrderType, Side, SignatureTypeV2 } from "@polymarket/clob-client-v2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Desk, Trader } from "./venue-support.ts";
import { hex, marketSpec, newTrader, openDesk, plainBook, sdk, until } from "./venue-support.ts";

const yes = marketSpec().outcomes[0].tokenId;
const no = marketSpec().outcomes[1].tokenId;
const options = { tickSize: "0.01", negRisk: false } as const;

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(async () => {
  await desk.close();
});

async function cash(trader: Trader): Promise<string> {
  return (await trader.client.getBalanceAllowance({ asset_type: AssetType.COLLATERAL })).balance;
}

describe("the official SDK as a foreign client", () => {
  test("derives the key it created, and cannot create it twice", async () => {
    const { wallet, creds } = await newTrader(desk);
    await expect(sdk(desk, wallet).deriveApiKey()).resolves.toEqual(creds);
    await expect(sdk(desk, wallet).createApiKey()).rejects.toMatchObject({ status: 400 });
    const lenient = sdk(desk, wallet, undefined, { throwOnError: false });
    await expect(lenient.createOrDeriveApiKey()).resolves.toEqual(creds);
  });

  test("reads the public side", async () => {
    const client = sdk(desk, (await newTrader(desk)).wallet);
    const book = await client.getOrderBook(yes);
    expect(book.bids).toEqual([
      { price: "0.47", size: "200" },
      { price: "0.48", size: "100" },
    ]);
    expect(book.asks.at(-1)).toEqual({ price: "0.52", size: "50" });
    // The SDK stringifies what it got, so its hash is right only when the members come in the venue's order.
    expect(await client.getOrderBookHash({ ...book, hash: "" })).toBe(book.hash);
    const mirror = await client.getOrderBook(no);
    expect(mirror.bids.at(-1)).toEqual({ price: "0.48", size: "50" });
    expect(await client.getTickSize(yes)).toBe("0.01");
    expect(await client.getNegRisk(yes)).toBe(false);
    expect(await client.getMidpoint(yes)).toEqual({ mid: "0.5" });
    expect(await client.getSpread(yes)).toEqual({ spread: "0.04" });
    expect(await client.getPrice(yes, "BUY")).toEqual({ price: "0.48" });
    expect(await client.getPrices([{ token_id: yes, side: Side.SELL }])).toEqual({
      [yes]: { SELL: "0.52" },
    });
    expect(await client.getOrderBooks([{ token_id: yes, side: Side.BUY }])).toHaveLength(1);
    expect(await client.getLastTradePrice(yes)).toEqual({ price: "0.500", side: "" });
    expect(await client.getServerTime()).toBeGreaterThan(1_700_000_000);
    expect(await client.getVersion()).toBe(2);
    expect(await client.getOk()).toBe("OK");
    const info = await client.getClobMarketInfo(marketSpec().conditionId);
    expect(info.t.map((token) => token?.t)).toEqual([yes, no]);
  });

  test("rests, reads, sees and cancels a GTC order", async () => {
    const { client, creds } = await newTrader(desk);
    const placed = await client.createAndPostOrder(
      { tokenID: yes, price: 0.4, size: 10, side: Side.BUY },
      options,
    );
    expect(placed).toMatchObject({ success: true, errorMsg: "", status: "live", takingAmount: "" });
    const open = await client.getOpenOrders();
    expect(open).toMatchObject([
      { id: placed.orderID, status: "LIVE", owner: creds.key, price: "0.4", original_size: "10" },
    ]);
    expect((await client.getOrderBook(yes)).bids[0]).toEqual({ price: "0.4", size: "10" });
    expect(await client.cancelOrder({ orderID: placed.orderID })).toEqual({
      canceled: [placed.orderID],
      not_canceled: {},
    });
    expect(await client.getOrder(placed.orderID)).toMatchObject({ status: "CANCELED" });
    expect(await client.getOpenOrders()).toEqual([]);
  });

  test("spends exact dollars with FAK and FOK, sells shares, and sees its trades settle", async () => {
    desk.venue.exchange.replaceBackground(marketSpec().conditionId, { ...plainBook, asks: [] });
    desk.venue.exchange.replaceBackground(marketSpec().conditionId, plainBook);
    const trader = await newTrader(desk);
    const { client } = trader;
    const bought = await client.createAndPostMarketOrder(
      { tokenID: yes, amount: 31.3, side: Side.BUY, price: 0.55 },
      options,
      OrderType.FAK,
    );
    // 50 at 0.52 cost 26; the other 5.30 buy 10 at 0.53: more shares than 31.30 / 0.55.
    expect(bought).toMatchObject({ status: "matched", makingAmount: "31.3", takingAmount: "60" });
    expect(await cash(trader)).toBe("968700000");
    const [trade] = await until(async () => {
      const trades = await client.getTrades();
      return trades[0]?.status === "CONFIRMED" ? trades : null;
    }, "trade confirmed");
    expect(trade).toMatchObject({
      taker_order_id: bought.orderID,
      trader_side: "TAKER",
      size: "60",
      side: "BUY",
      maker_orders: [
        { matched_amount: "50", price: "0.52", asset_id: yes, side: "SELL" },
        { matched_amount: "10", price: "0.53", asset_id: yes, side: "SELL" },
      ],
    });
    expect(trade?.transaction_hash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(await client.getOrder(bought.orderID)).toMatchObject({
      status: "MATCHED",
      associate_trades: [trade?.id],
    });
    const sold = await client.createAndPostMarketOrder(
      { tokenID: yes, amount: 60, side: Side.SELL, price: 0.48 },
      options,
      OrderType.FOK,
    );
    expect(sold).toMatchObject({ status: "matched", makingAmount: "60", takingAmount: "28.8" });
    expect(await cash(trader)).toBe("997500000");
  });

  test("batches fifteen, cancels by ids, market and all", async () => {
    const { client } = await newTrader(desk);
    const signed = await Promise.all(
      Array.from({ length: 15 }, async (_, i) => ({
        order: await client.createOrder(
          { tokenID: i % 2 === 0 ? yes : no, price: 0.1 + i / 100, size: 5, side: Side.BUY },
          { ...options, version: 2 },
        ),
        orderType: OrderType.GTC as const,
      })),
    );
    const placed = (await client.postOrders(signed)) as { orderID: string; status: string }[];
    expect(placed.map((leg) => leg.status)).toEqual(Array(15).fill("live"));
    const ids = placed.map((leg) => leg.orderID);
    const some = await client.cancelOrders([ids[0] ?? "", ids[1] ?? "", hex("ee")]);
    expect(some).toEqual({
      canceled: ids.slice(0, 2),
      not_canceled: { [hex("ee")]: "Order not found" },
    });
    const byMarket = (await client.cancelMarketOrders({ asset_id: yes })) as { canceled: string[] };
    expect(byMarket.canceled).toHaveLength(7);
    const all = (await client.cancelAll()) as { canceled: string[] };
    expect(all.canceled).toHaveLength(6);
    const again = await client
      .postOrders([...signed, ...signed.slice(0, 1)])
      .catch((e: unknown) => e);
    expect(again).toMatchObject({
      status: 400,
      message: "Too many orders in payload: 16, max allowed: 15",
    });
  });

  test("heartbeats: chained ids, the expected one on a stale beat, and orders die in silence", async () => {
    const quick = await openDesk({ heartbeatTimeoutMs: 300 });
    try {
      const { client } = await newTrader(quick);
      const first = await client.postHeartbeat();
      const second = await client.postHeartbeat(first.heartbeat_id);
      expect(second.heartbeat_id).not.toBe(first.heartbeat_id);
      const stale = await client.postHeartbeat("stale").catch((e: unknown) => e);
      expect(stale).toMatchObject({ status: 400 });
      expect(JSON.stringify(stale)).toContain(second.heartbeat_id);
      const { orderID } = await client.createAndPostOrder(
        { tokenID: yes, price: 0.4, size: 10, side: Side.BUY },
        options,
      );
      await until(
        async () => (await client.getOrder(orderID)).status === "CANCELED",
        "orders canceled in silence",
      );
    } finally {
      await quick.close();
    }
  });
});

describe("the official SDK on other domains", () => {
  test.each([
    ["neg-risk", { negRisk: true }, { negRisk: true }, undefined],
    ["version 2 market", { version: "v2" as const }, { negRisk: false, version: 3 as const }, 3],
  ])("%s orders verify, others do not", async (_name, over, order, version) => {
    const other = await openDesk({
      list: (venue) => venue.exchange.addMarket(marketSpec(over), plainBook),
    });
    try {
      const { client } = await newTrader(other);
      const user = { tokenID: yes, price: 0.4, size: 10, side: Side.BUY };
      const right = await client.createOrder(user, { tickSize: "0.01", version: 2, ...order });
      expect(await client.postOrder(right)).toMatchObject({ status: "live" });
      const wrong = await client.createOrder(user, {
        tickSize: "0.01",
        negRisk: false,
        version: 2,
      });
      await expect(client.postOrder(wrong)).rejects.toMatchObject({
        status: 400,
        message: version === 3 ? "order_version_mismatch" : "invalid signature",
      });
    } finally {
      await other.close();
    }
  });

  test.each([
    SignatureTypeV2.POLY_PROXY,
    SignatureTypeV2.POLY_GNOSIS_SAFE,
    SignatureTypeV2.POLY_1271,
  ])("signature type %i: a wallet trades on its owner's account", async (type) => {
    const funder = `0x${String(type).repeat(40)}`;
    const { client, wallet } = await newTrader(desk, {
      signatureType: type,
      funderAddress: funder,
    });
    const user = { tokenID: yes, price: 0.3, size: 5, side: Side.BUY };
    const placed = await client.createAndPostOrder(user, options);
    expect(placed).toMatchObject({ status: "live" });
    expect(await client.getOpenOrders()).toMatchObject([{ maker_address: funder }]);
    const thief = await newTrader(desk, { signatureType: type, funderAddress: funder });
    await expect(thief.client.createAndPostOrder(user, options)).rejects.toMatchObject({
      message: "the order signer address has to be the address of the API KEY",
    });
    expect(wallet.address).not.toBe(thief.wallet.address);
    await client.cancelAll();
  });
});
