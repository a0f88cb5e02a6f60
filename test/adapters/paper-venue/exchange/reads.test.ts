import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Desk, Trader } from "./venue-support.ts";
import {
  control,
  get,
  marketSpec,
  micro,
  newTrader,
  openDesk,
  postRaw,
  privateCall,
  rawOrder,
} from "./venue-support.ts";

const { conditionId } = marketSpec();
const yes = marketSpec().outcomes[0].tokenId;
const no = marketSpec().outcomes[1].tokenId;

let desk: Desk;
let trader: Trader;
let shiftMs = 0;

beforeAll(async () => {
  desk = await openDesk({ clock: () => Date.now() + shiftMs });
  trader = await newTrader(desk);
});
afterAll(async () => {
  await desk.close();
});

type Page = { data: { id: string }[]; next_cursor: string; limit: number; count: number };

async function read(path: string): Promise<Page> {
  const answer = await get(desk, path, trader.wallet.address);
  expect(answer.status).toBe(200);
  return answer.body as Page;
}

describe("private reads", () => {
  test("trades are filtered by id, market, asset, maker and time", async () => {
    const take = { side: "BUY" as const, orderType: "FAK" };
    for (const tokenId of [yes, no]) {
      const amounts = { makerAmount: micro(5.2), takerAmount: micro(10) };
      expect((await postRaw(desk, trader, { ...take, tokenId, ...amounts })).status).toBe(200);
    }
    const all = await read("/data/trades");
    expect(all).toMatchObject({ count: 2, limit: 500, next_cursor: "LTE=" });
    const newest = all.data[0]?.id ?? "";
    const now = Math.floor(Date.now() / 1000);
    const counts: Record<string, number> = {
      [`id=${newest}`]: 1,
      [`market=${conditionId}`]: 2,
      "market=0x12": 0,
      [`asset_id=${no}`]: 1,
      [`maker_address=${trader.wallet.address}`]: 2,
      "maker_address=0x12": 0,
      [`after=${now - 60}`]: 2,
      [`before=${now - 60}`]: 0,
    };
    for (const [filter, count] of Object.entries(counts)) {
      expect([filter, (await read(`/data/trades?${filter}`)).count]).toEqual([filter, count]);
    }
    expect((await get(desk, "/data/trades?next_cursor=%21", trader.wallet.address)).status).toBe(
      400,
    );
  });

  test("orders are paged by cursor", async () => {
    const rest = { tokenId: yes, side: "BUY" as const };
    const amounts = { makerAmount: micro(0.05), takerAmount: micro(5) };
    for (let batch = 0; batch < 34; batch++) {
      const legs = await Promise.all(
        Array.from({ length: 15 }, () => rawOrder(trader, { ...rest, ...amounts })),
      );
      const body = `[${legs.map((leg) => leg.body).join(",")}]`;
      await privateCall(desk, trader, ["POST", "/orders", body]);
    }
    const first = await read("/data/orders");
    expect(first.count).toBe(500);
    const second = await read(`/data/orders?next_cursor=${encodeURIComponent(first.next_cursor)}`);
    expect(second).toMatchObject({ count: 10, next_cursor: "LTE=" });
    expect(new Set([...first.data, ...second.data].map((order) => order.id)).size).toBe(510);
    expect(await read("/data/orders?next_cursor=LTE=")).toMatchObject({ count: 0 });
    expect(await read(`/data/orders?asset_id=${no}`)).toMatchObject({ count: 0 });
    const canceled = await privateCall(desk, trader, ["DELETE", "/cancel-all"]);
    expect((canceled.body as { canceled: string[] }).canceled).toHaveLength(510);
    const id = first.data[0]?.id;
    expect(await read(`/data/orders?id=${id}`)).toMatchObject({
      data: [{ id, status: "CANCELED" }],
    });
  });

  test("a batch answers leg by leg", async () => {
    const good = await rawOrder(trader, {
      tokenId: yes,
      side: "BUY",
      makerAmount: micro(2),
      takerAmount: micro(5),
    });
    const bad = await rawOrder(trader, {
      tokenId: yes,
      side: "BUY",
      makerAmount: micro(2),
      takerAmount: micro(4),
    });
    const body = `[${good.body},${bad.body}]`;
    const answer = await privateCall(desk, trader, ["POST", "/orders", body]);
    expect(answer).toMatchObject({
      status: 200,
      body: [
        { success: true, status: "live", orderID: good.id, errorMsg: "" },
        { success: false, status: "", errorMsg: expect.stringContaining("lower than the minimum") },
      ],
    });
    await privateCall(desk, trader, ["DELETE", "/cancel-all"]);
  });

  test("balances name every contract that is allowed to spend", async () => {
    const path = "/balance-allowance/update?asset_type=CONDITIONAL&signature_type=0";
    const answer = await get(desk, `${path}&token_id=${yes}`, trader.wallet.address);
    expect(answer.body).toMatchObject({ balance: "10000000" });
    const { allowances } = answer.body as { allowances: Record<string, string> };
    expect(Object.keys(allowances)).toHaveLength(3);
    expect(await get(desk, "/auth/ban-status/closed-only", trader.wallet.address)).toEqual({
      status: 200,
      body: { closed_only: false },
    });
  });
});

describe("public reads", () => {
  test("price history keeps the mids the venue has seen, mirrored for the other outcome", async () => {
    for (const price of ["0.49", "0.5", "0.51"]) {
      shiftMs += 60_000;
      desk.venue.exchange.setBackgroundLevel(conditionId, "BUY", price, "10");
    }
    const path = `/prices-history?interval=1h&fidelity=1&market=`;
    const history = async (token: string) =>
      ((await get(desk, path + token)).body as { history: { p: number }[] }).history;
    const mine = (await history(yes)).map((point) => point.p);
    expect(mine.slice(-3)).toEqual([0.505, 0.51, 0.515]);
    expect((await history(no)).map((point) => point.p).at(-1)).toBeCloseTo(0.485);
    expect((await get(desk, `/prices-history?market=${yes}`)).status).toBe(400);
    shiftMs = 0;
  });

  test("market records", async () => {
    expect((await get(desk, `/clob-markets/${conditionId}`)).body).toMatchObject({
      c: conditionId,
      mts: 0.01,
      mos: 5,
      nr: false,
      ao: true,
    });
    expect((await get(desk, `/markets-by-token/${no}`)).body).toMatchObject({
      condition_id: conditionId,
    });
    expect((await get(desk, "/markets/0x99")).status).toBe(404);
    expect((await get(desk, "/book?token_id=9")).body).toEqual({
      error: "No orderbook exists for the requested token id",
    });
  });

  test("mounted handlers see paths without their prefix; the CLOB's own /data paths stay its own", async () => {
    const seen: string[] = [];
    const handler = (path: string, query: URLSearchParams) => {
      seen.push(`${path}?${query.toString()}`);
      return path === "/known" ? { status: 200, body: { path } } : null;
    };
    desk.venue.setMounts({ gamma: handler, data: handler });
    expect(await get(desk, "/gamma/known?a=1")).toEqual({ status: 200, body: { path: "/known" } });
    expect((await get(desk, "/data/v2/positions")).status).toBe(404);
    expect((await get(desk, "/data/orders")).status).toBe(401);
    expect(seen).toEqual(["/known?a=1", "/v2/positions?"]);
  });

  test("the request log counts what was sent", async () => {
    await control(desk, "/paper/fault", { name: "status", path: "^/time$", code: "418" });
    await get(desk, "/time");
    const log = (await get(desk, "/paper/log?path=^/time$")).body as { status: number }[];
    expect(log).toMatchObject([{ method: "GET", path: "/time", bodyBytes: 0, status: 418 }]);
  });
});
