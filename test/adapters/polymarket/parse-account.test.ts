import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fillStatusOf,
  parseTrade,
  parseVenueOrder,
} from "../../../src/adapters/polymarket/parse-account.ts";
import { parseUserFrame } from "../../../src/adapters/polymarket/parse-user-frame.ts";
import { recordedJson, recordedNames, recordedText, skipped } from "./recorded-data.ts";

const self = { apiKey: "our-key", funder: "0xAbCd000000000000000000000000000000000001" };
const yes = "111";
const no = "222";
const taker = {
  event_type: "trade",
  id: "trade-1",
  taker_order_id: "0x0a",
  market: `0x${"ab".repeat(32)}`,
  asset_id: yes,
  side: "BUY",
  size: "10",
  price: "0.45",
  status: "MATCHED",
  match_time: "1725868885",
  owner: "our-key",
  maker_address: self.funder,
  trader_side: "TAKER",
};
const maker = {
  order_id: "0x0b",
  owner: "someone",
  maker_address: "0x02",
  matched_amount: "4",
  price: "0.4",
  asset_id: yes,
  side: "SELL",
};
const minted = {
  ...maker,
  order_id: "0x0c",
  matched_amount: "6",
  price: "0.55",
  asset_id: no,
  side: "BUY",
};

const fillsOf = (fields: Record<string, unknown>) => {
  const fills = parseTrade(fields, self);
  return fills.ok ? fills.value : fills.error;
};

describe("our part of a trade", () => {
  test("as the taker it is the trade; the money is what each maker's price says", () => {
    expect(fillsOf({ ...taker, maker_orders: [maker, minted] })).toEqual([
      {
        tradeId: "trade-1",
        orderHash: "0x0a",
        tokenId: yes,
        side: "buy",
        size: 10_000_000,
        // 4 at 0.40, and 6 minted against a buyer of the other token at 0.55, which is 0.45 for us.
        money: 1_600_000 + 2_700_000,
        isMaker: false,
        status: "provisional",
        atMs: 1_725_868_885_000,
        conditionId: taker.market,
      },
    ]);
  });

  test("each maker's part is rounded against us: up for a buy, down for a sale", () => {
    const odd = { ...maker, matched_amount: "3.333333", price: "0.333" };
    const part = { ...taker, size: "6.666666", maker_orders: [odd, odd] };
    expect(fillsOf(part)).toMatchObject([{ money: 2 * 1_110_000 }]);
    const sale = { ...part, side: "SELL" };
    expect(fillsOf(sale)).toMatchObject([{ side: "sell", money: 2 * 1_109_999 }]);
  });

  test("entries that do not add up to the size fall back to the trade's own price", () => {
    expect(fillsOf({ ...taker, maker_orders: [maker] })).toMatchObject([{ money: 4_500_000 }]);
    expect(fillsOf({ ...taker, maker_orders: [maker, minted, minted] })).toMatchObject([
      { money: 4_500_000 },
    ]);
    expect(fillsOf(taker)).toMatchObject([{ money: 4_500_000 }]);
  });

  const asMaker = { ...taker, owner: "someone", maker_address: "0x03", trader_side: "MAKER" };
  test("as a maker it is our own entries, all of them, with their own token, side and size", () => {
    const ours = { ...minted, owner: "our-key" };
    const byAddress = { ...maker, maker_address: self.funder.toLowerCase() };
    const fills = fillsOf({
      ...asMaker,
      maker_orders: [{ ...maker, order_id: "0x0d" }, ours, byAddress],
    });
    expect(fills).toMatchObject([
      {
        orderHash: "0x0c",
        tokenId: no,
        side: "buy",
        size: 6_000_000,
        money: 3_300_000,
        isMaker: true,
      },
      {
        orderHash: "0x0b",
        tokenId: yes,
        side: "sell",
        size: 4_000_000,
        money: 1_600_000,
        isMaker: true,
      },
    ]);
  });

  test("a maker's trade never books the taker's shares, and one without an entry of ours is counted", () => {
    expect(fillsOf({ ...asMaker, maker_orders: [maker, minted] })).toBe("not_ours");
    expect(fillsOf({ ...asMaker, maker_orders: [] })).toBe("not_ours");
  });

  test("an entry without a side takes it from the taker's", () => {
    const { side: _side, ...silent } = { ...maker, owner: "our-key" };
    expect(fillsOf({ ...asMaker, maker_orders: [silent] })).toMatchObject([{ side: "sell" }]);
    expect(fillsOf({ ...asMaker, maker_orders: [{ ...silent, asset_id: no }] })).toMatchObject([
      { side: "buy" },
    ]);
  });

  test("without trader_side the owner of the taker's order decides", () => {
    const { trader_side: _role, ...silent } = { ...taker, maker_orders: [maker] };
    expect(fillsOf(silent)).toMatchObject([{ orderHash: "0x0a" }]);
    const theirs = { ...silent, owner: "x", maker_address: "0x03" };
    expect(fillsOf({ ...theirs, maker_orders: [{ ...maker, owner: "our-key" }] })).toMatchObject([
      { orderHash: "0x0b", isMaker: true },
    ]);
  });

  test.each([
    ["MATCHED", "provisional"],
    ["MATCHED_NOT_BROADCASTED", "provisional"],
    ["MINED", "provisional"],
    ["RETRYING", "provisional"],
    ["TRADE_STATUS_MINED", "provisional"],
    ["a word nobody knows", "provisional"],
    [undefined, "provisional"],
    ["CONFIRMED", "confirmed"],
    ["TRADE_STATUS_CONFIRMED", "confirmed"],
    ["FAILED", "failed"],
    ["TRADE_STATUS_FAILED", "failed"],
  ])("status %s is %s", (word, status) => expect(fillStatusOf(word)).toBe(status));
});

const order = {
  event_type: "order",
  id: "0xAB",
  market: `0x${"ab".repeat(32)}`,
  asset_id: yes,
  side: "BUY",
  price: "0.513",
  original_size: "5",
  size_matched: "0",
  status: "LIVE",
  type: "PLACEMENT",
  order_type: "GTC",
};

describe("orders", () => {
  test.each([
    ["LIVE", {}, "live"],
    ["ORDER_STATUS_LIVE", {}, "live"],
    ["UNMATCHED", {}, "live"],
    ["a word nobody knows", {}, "live"],
    ["DELAYED", {}, "delayed"],
    ["MATCHED", { size_matched: "5" }, "matched"],
    ["MATCHED", { size_matched: "2" }, "live"],
    ["MATCHED", { size_matched: "2", order_type: "FAK" }, "matched"],
    ["CANCELED", {}, "ended"],
    ["ORDER_STATUS_CANCELED", {}, "ended"],
    ["CANCELED_MARKET_RESOLVED", {}, "ended"],
    ["CANCELED_order couldn't be fully filled. FOK orders are ...", { size_matched: "" }, "ended"],
    ["INVALID", {}, "ended"],
    ["LIVE", { type: "CANCELLATION" }, "ended"],
  ])("status %s with %j is %s", (status, part, state) => {
    const parsed = parseVenueOrder({ ...order, status, ...part });
    expect(parsed).toMatchObject({ ok: true, value: { orderHash: "0xab", state } });
  });

  test.each([
    [{ id: 7 }, "bad_shape"],
    [{ market: null }, "bad_market"],
    [{ asset_id: 111 }, "bad_token"],
    [{ side: "" }, "bad_side"],
    [{ original_size: "" }, "bad_size"],
    [{ size_matched: "-1" }, "bad_size"],
  ])("%j is refused as %s", (part, error) => {
    expect(parseVenueOrder({ ...order, ...part })).toEqual({ ok: false, error });
  });
});

describe("frames of the user channel", () => {
  test("objects, arrays, envelopes and keep-alive texts", () => {
    const events = (value: unknown) => parseUserFrame(JSON.stringify(value), self).events;
    expect(events([order, [{ data: taker }]]).map((event) => event.kind)).toEqual([
      "order.reported",
      "fill.reported",
    ]);
    expect(parseUserFrame("PONG", self)).toEqual({ events: [], refused: [] });
    expect(parseUserFrame("", self)).toEqual({ events: [], refused: [] });
    expect(parseUserFrame("{", self).refused).toEqual(["not_json"]);
    expect(parseUserFrame('{"event_type":"other"}', self).refused).toEqual(["foreign"]);
  });

  test("any JSON and any replaced member never throw", () => {
    const keys = Object.keys({ ...taker, ...order, maker_orders: 1 });
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(...keys), fc.jsonValue(), (text, key, value) => {
        parseUserFrame(text, self);
        parseUserFrame(JSON.stringify({ ...taker, maker_orders: [maker], [key]: value }), self);
        parseUserFrame(JSON.stringify({ ...order, [key]: value }), self);
        parseUserFrame(
          JSON.stringify({ ...taker, maker_orders: [{ ...maker, [key]: value }] }),
          self,
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe.skipIf(skipped(3))("recorded user frames", () => {
  test("every recorded order and trade is read", () => {
    for (const name of recordedNames("user-channel")) {
      // One publisher masked an id with letters that are no hex.
      const text = recordedText(`user-channel/${name}`).replace("0x78xx", "0x78");
      // What the publishers left of the account that recorded them.
      const frame = parseUserFrame(text, {
        apiKey: "000000000-0000-0000-0000-000000000000",
        funder: "0xa3D82Ed56F4c68d2328Fb8c29e568Ba2cAF7d7c8",
      });
      expect(frame.refused, name).toEqual([]);
      expect(frame.events.length, name).toBeGreaterThan(0);
    }
  });

  test("a maker fill of the other token, and one taker against two makers", () => {
    const fills = (name: string) =>
      parseTrade(recordedJson(`user-channel/${name}`) as Record<string, unknown>, {
        apiKey: "000000000-0000-0000-0000-000000000000",
        funder: "0x00",
      });
    expect(fills("test_trade_info_maker_buy_confirmed.json")).toMatchObject({
      value: [
        {
          tokenId: "95786924372760057572092804419385993470890190892343223404877167501659835222533",
          side: "buy",
          size: 5_000_000,
          money: 3_000_000,
          status: "confirmed",
          isMaker: true,
        },
      ],
    });
    // 5 shares minted against 0.99 of the other token, 2 bought at 0.02.
    expect(fills("test_trade_info_partitioned_maker_fill.json")).toMatchObject({
      value: [{ side: "buy", size: 7_000_000, money: 50_000 + 40_000, isMaker: false }],
    });
  });

  test("two entries of one maker in one trade are two fills", () => {
    const trade = recordedJson("user-channel/user_trade4.json") as Record<string, unknown>;
    const fills = parseTrade(trade, {
      apiKey: "a93a3d32-74fa-dd2b-4b67-98bfa6fc5cb5",
      funder: "0x00",
    });
    expect(fills.ok && fills.value.map((fill) => [fill.size, fill.money])).toEqual([
      [5_000_000, 2_000_000],
      [5_000_000, 1_500_000],
    ]);
  });
});
