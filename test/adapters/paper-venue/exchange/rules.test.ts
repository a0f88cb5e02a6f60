import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Desk, RawOrder, Trader } from "./venue-support.ts";
import {
  get,
  marketSpec,
  micro,
  newTrader,
  openDesk,
  plainBook,
  postRaw,
  privateCall,
  rawOrder,
} from "./venue-support.ts";

const yes = marketSpec().outcomes[0].tokenId;
const shut = marketSpec({
  conditionId: `0x${"c2".repeat(32)}`,
  slug: "shut",
  acceptingOrders: false,
  outcomes: [
    { tokenId: "333", name: "Yes" },
    { tokenId: "444", name: "No" },
  ],
});

let desk: Desk;
let trader: Trader;

beforeAll(async () => {
  desk = await openDesk({
    list: (venue) => {
      venue.exchange.addMarket(marketSpec(), plainBook);
      venue.exchange.addMarket(shut, plainBook);
    },
  });
  trader = await newTrader(desk);
});
afterAll(async () => {
  await desk.close();
});

/** BUY `shares` at `price` as a limit order. */
function buy(price: number, shares: number, over: Partial<RawOrder> = {}): RawOrder {
  return {
    tokenId: yes,
    side: "BUY",
    makerAmount: micro(price * shares),
    takerAmount: micro(shares),
    ...over,
  };
}

function secondsFromNow(seconds: number): string {
  return String(Math.floor(Date.now() / 1000) + seconds);
}

const zero = `0x${"00".repeat(20)}`;

const refusals: readonly [string, RawOrder, number, RegExp][] = [
  [
    "off the tick",
    buy(0.405, 10),
    400,
    /^order 0x\w{64} is invalid\. Price \(0\.405\) breaks minimum tick size rule: 0\.01$/,
  ],
  ["price above one minus a tick", buy(1, 10), 400, /breaks minimum tick size rule/],
  [
    "too small",
    buy(0.4, 4.99),
    400,
    /^order 0x\w{64} is invalid\. Size \(4\.99\) lower than the minimum: 5$/,
  ],
  [
    "no funds",
    buy(0.4, 3000),
    400,
    /^not enough balance \/ allowance: .*balance: 1000000000, sum of active orders: 0, .*order amount: 1200000000$/,
  ],
  [
    "nothing to sell",
    { tokenId: yes, side: "SELL", makerAmount: micro(10), takerAmount: micro(5) },
    400,
    /^not enough balance \/ allowance: .*balance: 0,/,
  ],
  [
    "post-only that crosses",
    buy(0.52, 10, { postOnly: true }),
    400,
    /^invalid post-only order: order crosses book$/,
  ],
  [
    "marketable below a dollar",
    {
      tokenId: yes,
      side: "BUY",
      makerAmount: micro(0.99),
      takerAmount: micro(1.9038),
      orderType: "FAK",
    },
    400,
    /^invalid amount for a marketable BUY order \(\$0\.99\), min size: \$1$/,
  ],
  [
    "market buy of a fraction of a cent",
    {
      tokenId: yes,
      side: "BUY",
      makerAmount: "10001000",
      takerAmount: micro(19.2326),
      orderType: "FAK",
    },
    400,
    /^invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals$/,
  ],
  [
    "market buy of too fine shares",
    {
      tokenId: yes,
      side: "BUY",
      makerAmount: micro(10),
      takerAmount: "19230769",
      orderType: "FOK",
    },
    400,
    /^invalid amounts, the market buy orders/,
  ],
  [
    "market sell of too fine shares",
    {
      tokenId: yes,
      side: "SELL",
      makerAmount: "10001000",
      takerAmount: micro(5),
      orderType: "FAK",
    },
    400,
    /^invalid amounts, the market sell orders maker amount/,
  ],
  [
    "GTC with an expiration",
    buy(0.4, 10, { expiration: secondsFromNow(600) }),
    400,
    /^invalid expiration$/,
  ],
  ["GTD without one", buy(0.4, 10, { orderType: "GTD" }), 400, /^invalid expiration$/],
  [
    "GTD too near",
    buy(0.4, 10, { orderType: "GTD", expiration: secondsFromNow(50) }),
    400,
    /^invalid expiration$/,
  ],
  [
    "another owner",
    buy(0.4, 10, { owner: "somebody" }),
    400,
    /^the order owner has to be the owner of the API KEY$/,
  ],
  [
    "another signer",
    buy(0.4, 10, { signer: zero }),
    400,
    /^the order signer address has to be the address of the API KEY$/,
  ],
  [
    "another maker",
    buy(0.4, 10, { maker: zero }),
    400,
    /^maker address not allowed, please use the deposit wallet flow$/,
  ],
  ["the old domain", buy(0.4, 10, { version: "1" }), 400, /^order_version_mismatch$/],
  [
    "the neg-risk contract",
    buy(0.4, 10, { exchange: "0xe2222d279d744050d28e00520010520000310F59" }),
    400,
    /^invalid signature$/,
  ],
  [
    "an unknown token",
    buy(0.4, 10, { tokenId: "999" }),
    404,
    /^No orderbook exists for the requested token id$/,
  ],
  [
    "a market that takes no orders",
    buy(0.4, 10, { tokenId: "333" }),
    400,
    /^the market is not yet ready to process new orders$/,
  ],
  ["an unknown order type", buy(0.4, 10, { orderType: "IOC" }), 400, /^Invalid order payload$/],
  [
    "FOK larger than the book",
    {
      tokenId: yes,
      side: "BUY",
      makerAmount: micro(200),
      takerAmount: micro(377.3584),
      orderType: "FOK",
    },
    400,
    /^order couldn't be fully filled\. FOK orders are fully filled or killed\.$/,
  ],
  [
    "FAK without a match",
    { tokenId: yes, side: "BUY", makerAmount: micro(20), takerAmount: micro(40), orderType: "FAK" },
    400,
    /^no orders found to match with FAK order\. FAK orders are partially filled or killed if no match is found\.$/,
  ],
];

describe("refusals carry the documented status and text", () => {
  test.each(refusals)("%s", async (_name, order, status, text) => {
    const answer = await postRaw(desk, trader, order);
    expect(answer.status).toBe(status);
    expect((answer.body as { error: string }).error).toMatch(text);
    const { body } = await get(
      desk,
      "/balance-allowance?asset_type=COLLATERAL",
      trader.wallet.address,
    );
    expect(body).toMatchObject({ balance: "1000000000" });
  });

  test("the same bytes again are Duplicated: after resting, and after a kill", async () => {
    const kill: RawOrder = { ...buy(0.4, 10), orderType: "FAK" };
    for (const order of [buy(0.4, 10), kill]) {
      const { body, id } = await rawOrder(trader, order);
      const first = await privateCall(desk, trader, ["POST", "/order", body]);
      expect(first.body).toMatchObject({ orderID: id });
      const second = await privateCall(desk, trader, ["POST", "/order", body]);
      expect(second).toMatchObject({
        status: 400,
        body: { error: `order ${id} is invalid. Duplicated.` },
      });
    }
    const open = await trader.client.getOpenOrders();
    expect(open).toHaveLength(1);
    await trader.client.cancelAll();
  });

  test("open buys reserve cash, so that the second of two large ones is refused", async () => {
    expect(await postRaw(desk, trader, buy(0.4, 2000))).toMatchObject({ status: 200 });
    const second = await postRaw(desk, trader, buy(0.4, 501));
    expect((second.body as { error: string }).error).toContain("sum of active orders: 800000000");
    await trader.client.cancelAll();
  });

  test("malformed bodies", async () => {
    const { body } = await rawOrder(trader, buy(0.4, 10));
    const broken = JSON.parse(body) as { order: { salt: unknown } };
    broken.order.salt = "1234";
    const sent = [JSON.stringify(broken), "{}", "[]", "null"];
    for (const text of sent) {
      const answer = await privateCall(desk, trader, ["POST", "/order", text]);
      expect(answer).toMatchObject({ status: 400, body: { error: "Invalid order payload" } });
    }
    const cut = await privateCall(desk, trader, ["POST", "/order", body.slice(0, 40)]);
    expect(cut.status).toBe(400);
  });
});

describe("credentials", () => {
  const path = "/data/orders";

  test("the exact body, method and path are signed, and time matters", async () => {
    expect((await privateCall(desk, trader, ["GET", path])).status).toBe(200);
    const stale = await privateCall(desk, trader, ["GET", path, "", Date.now() - 60_000]);
    expect(stale).toMatchObject({ status: 401, body: { error: "Unauthorized/Invalid api key" } });
    const forged = { ...trader, creds: { ...trader.creds, secret: "AAAA" } };
    expect((await privateCall(desk, forged, ["GET", path])).status).toBe(401);
    const swapped = { ...trader, creds: { ...trader.creds, passphrase: "x" } };
    expect((await privateCall(desk, swapped, ["GET", path])).status).toBe(401);
    const stranger = { ...trader, wallet: (await newTrader(desk)).wallet };
    expect((await privateCall(desk, stranger, ["GET", path])).status).toBe(401);
    expect((await get(desk, path)).status).toBe(401);
    expect((await get(desk, path, zero)).status).toBe(401);
  });

  test("L1 signatures are checked", async () => {
    const answer = await fetch(`${desk.url}/auth/derive-api-key`, {
      headers: {
        POLY_ADDRESS: trader.wallet.address,
        POLY_SIGNATURE: `0x${"11".repeat(65)}`,
        POLY_TIMESTAMP: String(Math.floor(Date.now() / 1000)),
        POLY_NONCE: "0",
      },
    });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toEqual({ error: "Invalid L1 Request headers" });
  });

  test("nobody reads or cancels another's order", async () => {
    const placed = await postRaw(desk, trader, buy(0.3, 10));
    const { orderID } = placed.body as { orderID: string };
    const other = await newTrader(desk);
    expect((await privateCall(desk, other, ["GET", `/data/order/${orderID}`])).status).toBe(404);
    const cancel = await privateCall(desk, other, [
      "DELETE",
      "/order",
      JSON.stringify({ orderID }),
    ]);
    expect(cancel.body).toEqual({ canceled: [], not_canceled: { [orderID]: "Order not found" } });
    await trader.client.cancelAll();
  });

  test("unknown paths are 404 JSON, oversized bodies 413", async () => {
    expect(await get(desk, "/nowhere")).toEqual({ status: 404, body: { error: "not found" } });
    const answer = await fetch(`${desk.url}/books`, {
      method: "POST",
      body: "x".repeat(1_100_000),
    });
    expect(answer.status).toBe(413);
  });
});
