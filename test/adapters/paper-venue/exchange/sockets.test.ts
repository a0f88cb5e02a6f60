import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Desk, Trader } from "./venue-support.ts";
import {
  control,
  marketSpec,
  micro,
  newTrader,
  openDesk,
  plainBook,
  postRaw,
  until,
} from "./venue-support.ts";

const { conditionId } = marketSpec();
const yes = marketSpec().outcomes[0].tokenId;
const no = marketSpec().outcomes[1].tokenId;

type Event = Record<string, unknown>;
type Level = { price: string; size: string };

/** A client of the test's own: keeps every text and every event. */
class Client {
  readonly texts: string[] = [];
  readonly events: Event[] = [];
  closedWith: number | null = null;
  readonly #socket: WebSocket;

  constructor(url: string) {
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on("message", (data: Buffer) => {
      const text = data.toString();
      this.texts.push(text);
      if (!/^[[{]/.test(text)) return;
      const parsed = JSON.parse(text) as Event | Event[];
      this.events.push(...(Array.isArray(parsed) ? parsed : [parsed]));
    });
    this.#socket.on("close", (code) => {
      this.closedWith = code;
    });
    this.#socket.on("error", () => {});
  }

  async open(): Promise<this> {
    await until(() => this.#socket.readyState === WebSocket.OPEN, "socket open");
    return this;
  }

  send(value: unknown): void {
    this.#socket.send(typeof value === "string" ? value : JSON.stringify(value));
  }

  of(type: string): Event[] {
    return this.events.filter((event) => event.event_type === type);
  }

  close(): void {
    this.#socket.terminate();
  }
}

let desk: Desk;
let clients: Client[];

beforeEach(async () => {
  desk = await openDesk();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await desk.close();
});

async function connect(path: string, first?: unknown): Promise<Client> {
  const client = await new Client(`${desk.ws}${path}`).open();
  clients.push(client);
  if (first !== undefined) client.send(first);
  return client;
}

async function marketClient(over: object = {}): Promise<Client> {
  const client = await connect("/ws/market", { type: "market", assets_ids: [yes], ...over });
  await until(() => client.of("book").length === 1, "first book");
  return client;
}

/** The published algorithm: SHA-1 over ten members in this order. */
function bookHash(event: Event, lastTradePrice: string, tickSize = "0.01"): string {
  const text = JSON.stringify({
    market: event.market,
    asset_id: event.asset_id,
    timestamp: event.timestamp,
    hash: "",
    bids: event.bids,
    asks: event.asks,
    min_order_size: "5",
    tick_size: tickSize,
    neg_risk: false,
    last_trade_price: lastTradePrice,
  });
  return createHash("sha1").update(text).digest("hex");
}

function applied(levels: readonly Level[], price: string, size: string): Level[] {
  const rest = levels.filter((level) => level.price !== price);
  if (size !== "0") rest.push({ price, size });
  return rest.sort((a, b) => Number(a.price) - Number(b.price));
}

async function buyMarket(trader: Trader, dollars: number, shares: number): Promise<void> {
  const order = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };
  const amounts = { makerAmount: micro(dollars), takerAmount: micro(shares) };
  expect((await postRaw(desk, trader, { ...order, ...amounts })).status).toBe(200);
}

describe("market channel", () => {
  test("the first book comes in an array, with tick size and last price, and its hash recomputes", async () => {
    const client = await marketClient();
    expect(client.texts[0]).toMatch(/^\[/);
    const [book] = client.of("book");
    expect(book).toMatchObject({
      market: conditionId,
      tick_size: "0.01",
      last_trade_price: "0.500",
    });
    expect(((book?.asks ?? []) as Level[]).map((level) => level.price)).toEqual([
      "0.6",
      "0.53",
      "0.52",
    ]);
    expect(bookHash(book ?? {}, "0.500")).toBe(book?.hash);
    client.send("PING");
    await until(() => client.texts.includes("PONG"), "PONG");
  });

  test("a level change tells both tokens, with hashes of the book after the whole action", async () => {
    const client = await marketClient();
    desk.venue.exchange.replaceBackground(conditionId, {
      ...plainBook,
      bids: [{ price: "0.49", size: "5" }],
    });
    await until(() => client.of("price_change").length === 3, "three changes");
    const [book] = client.of("book");
    let bids = book?.bids as Level[];
    for (const frame of client.of("price_change")) {
      const entries = frame.price_changes as Record<string, string>[];
      expect(new Set(entries.map((entry) => entry.asset_id))).toEqual(new Set([yes, no]));
      const mine = entries.find((entry) => entry.asset_id === yes);
      const other = entries.find((entry) => entry.asset_id === no);
      expect(mine).toMatchObject({ side: "BUY", best_bid: "0.49", best_ask: "0.52" });
      expect(other).toMatchObject({ side: "SELL", best_bid: "0.48", best_ask: "0.51" });
      expect(Number(mine?.price) + Number(other?.price)).toBeCloseTo(1);
      bids = applied(bids, mine?.price ?? "", mine?.size ?? "");
    }
    const last = client.of("price_change").at(-1);
    const after = { ...book, bids, timestamp: last?.timestamp };
    const hashes = client.of("price_change").map((frame) => {
      const entries = frame.price_changes as Record<string, string>[];
      return entries.find((entry) => entry.asset_id === yes)?.hash;
    });
    expect(new Set(hashes)).toEqual(new Set([bookHash(after, "0.500")]));
  });

  test("a trade is price_change, then book, then last_trade_price", async () => {
    const client = await marketClient();
    await buyMarket(await newTrader(desk), 5.2, 10);
    await until(() => client.of("last_trade_price").length === 1, "last trade");
    const types = client.events.slice(1).map((event) => event.event_type);
    expect(types).toEqual(["price_change", "book", "last_trade_price"]);
    const [, book] = client.of("book");
    expect(book).not.toHaveProperty("tick_size");
    expect(book).not.toHaveProperty("last_trade_price");
    expect(bookHash(book ?? {}, "0.520")).toBe(book?.hash);
    const entries = (client.of("price_change")[0]?.price_changes ?? []) as Record<string, string>[];
    expect(entries.find((entry) => entry.asset_id === yes)).toMatchObject({
      price: "0.52",
      size: "40",
      side: "SELL",
      hash: book?.hash,
    });
    expect(client.of("last_trade_price")[0]).toMatchObject({
      asset_id: yes,
      price: "0.520",
      size: "10",
      side: "BUY",
      fee_rate_bps: "0",
    });
  });

  test("dynamic subscribe and unsubscribe; initial_dump can be turned off", async () => {
    const client = await marketClient();
    client.send({ operation: "subscribe", assets_ids: [no] });
    await until(() => client.of("book").length === 2, "second book");
    client.send({ operation: "unsubscribe", assets_ids: [yes] });
    client.send({ operation: "subscribe", assets_ids: [yes] });
    await until(() => client.of("book").length === 3, "fresh book");
    const quiet = await connect("/ws/market", { assets_ids: [yes], initial_dump: false });
    quiet.send({ operation: "subscribe", assets_ids: [], custom_feature_enabled: true });
    await until(() => quiet.texts.includes("NO NEW ASSETS"), "no new assets");
    expect(quiet.events).toEqual([]);
  });

  test("custom events come only to connections that asked for them", async () => {
    const plain = await marketClient();
    const custom = await marketClient({ custom_feature_enabled: true });
    const { exchange } = desk.venue;
    exchange.setBackgroundLevel(conditionId, "BUY", "0.5", "10");
    const listed = marketSpec({
      conditionId: `0x${"d4".repeat(32)}`,
      slug: "new-one",
      outcomes: [
        { tokenId: "71", name: "Up" },
        { tokenId: "72", name: "Down" },
      ],
    });
    exchange.addMarket(listed, plainBook);
    exchange.changeTickSize(conditionId, "0.001");
    exchange.resolve(conditionId, 0);
    await until(() => custom.of("market_resolved").length === 1, "resolved");
    expect(custom.of("best_bid_ask")[0]).toMatchObject({
      asset_id: yes,
      best_bid: "0.5",
      best_ask: "0.52",
      spread: "0.02",
    });
    expect(custom.of("new_market")[0]).toMatchObject({ slug: "new-one", assets_ids: ["71", "72"] });
    expect(custom.of("market_resolved")[0]).toMatchObject({
      winning_asset_id: yes,
      winning_outcome: "Yes",
    });
    await until(() => plain.of("tick_size_change").length === 1, "tick size change");
    expect(plain.of("tick_size_change")[0]).toMatchObject({
      old_tick_size: "0.01",
      new_tick_size: "0.001",
    });
    const custom_only = ["best_bid_ask", "new_market", "market_resolved"];
    expect(custom_only.flatMap((type) => plain.of(type))).toEqual([]);
  });
});

describe("user channel", () => {
  test("orders and trades of one's own, in the documented shapes and order", async () => {
    const alice = await newTrader(desk);
    const bob = await newTrader(desk);
    const { key, secret, passphrase } = alice.creds;
    const auth = { apiKey: key, secret, passphrase };
    const mine = await connect("/ws/user", { type: "user", auth, markets: [conditionId] });
    const bobAuth = {
      apiKey: bob.creds.key,
      secret: bob.creds.secret,
      passphrase: bob.creds.passphrase,
    };
    const his = await connect("/ws/user", { type: "user", auth: bobAuth });
    mine.send("PING");
    his.send("PING");
    await until(() => mine.texts.length > 0 && his.texts.length > 0, "both are listened to");
    const rest = { tokenId: no, side: "BUY" as const };
    const amounts = { makerAmount: micro(5), takerAmount: micro(10) };
    await postRaw(desk, alice, { ...rest, ...amounts });
    const taken = { tokenId: yes, side: "BUY" as const, orderType: "FOK" };
    await postRaw(desk, bob, { ...taken, makerAmount: micro(5), takerAmount: micro(10) });
    await until(() => mine.of("trade").length === 3, "confirmed");
    await until(() => his.of("trade").length === 3, "confirmed");
    expect(mine.of("order").map((event) => [event.type, event.status, event.size_matched])).toEqual(
      [
        ["PLACEMENT", "LIVE", "0"],
        ["UPDATE", "MATCHED", "10"],
      ],
    );
    expect(mine.of("trade").map((event) => event.status)).toEqual([
      "MATCHED",
      "MINED",
      "CONFIRMED",
    ]);
    expect(mine.of("trade")[0]).toMatchObject({
      type: "TRADE",
      trader_side: "MAKER",
      asset_id: yes,
      side: "BUY",
      price: "0.5",
      transaction_hash: "",
      maker_orders: [{ owner: key, asset_id: no, side: "BUY", price: "0.5", outcome_index: 1 }],
    });
    expect(mine.of("trade")[1]?.transaction_hash).toMatch(/^0x/);
    expect(his.of("order")).toMatchObject([
      { type: "UPDATE", status: "MATCHED", order_type: "FOK" },
    ]);
    expect(his.of("trade")[0]).toMatchObject({ trader_side: "TAKER" });
    const killed = { ...taken, makerAmount: micro(900), takerAmount: micro(1800) };
    expect((await postRaw(desk, bob, killed)).status).toBe(400);
    await until(() => his.of("order").length === 2, "kill told");
    expect(his.of("order")[1]).toMatchObject({
      type: "CANCELLATION",
      size_matched: "",
      status: "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed.",
    });
  });

  test("wrong credentials close the connection", async () => {
    const alice = await newTrader(desk);
    const auth = { apiKey: alice.creds.key, secret: "x", passphrase: alice.creds.passphrase };
    const client = await connect("/ws/user", { type: "user", auth });
    await until(() => client.closedWith !== null, "closed");
    expect(client.closedWith).toBe(1008);
  });
});

describe("scripted socket faults", () => {
  test("skip loses frames, mute keeps PONG, drop ends connections", async () => {
    const { exchange } = desk.venue;
    const client = await marketClient();
    await control(desk, "/paper/fault", { name: "ws-skip", n: 1 });
    exchange.setBackgroundLevel(conditionId, "BUY", "0.4", "1");
    exchange.setBackgroundLevel(conditionId, "BUY", "0.4", "2");
    await until(() => client.of("price_change").length === 1, "second change");
    const [entry] = (client.of("price_change")[0]?.price_changes ?? []) as Record<string, string>[];
    expect(entry?.size).toBe("2");
    await control(desk, "/paper/fault", { name: "ws-mute", ms: 60_000 });
    exchange.setBackgroundLevel(conditionId, "BUY", "0.4", "3");
    client.send("PING");
    await until(() => client.texts.includes("PONG"), "PONG");
    expect(client.of("price_change")).toHaveLength(1);
    await control(desk, "/paper/faults", {}, "DELETE");
    await control(desk, "/paper/fault", { name: "ws-drop", channel: "user" });
    exchange.setBackgroundLevel(conditionId, "BUY", "0.4", "4");
    await until(() => client.of("price_change").length === 2, "speaks again");
    await control(desk, "/paper/fault", { name: "ws-drop" });
    await until(() => client.closedWith !== null, "dropped");
  });
});
