import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
  until,
} from "./venue-support.ts";

const yes = marketSpec().outcomes[0].tokenId;
const rest = { tokenId: yes, side: "BUY" as const, makerAmount: micro(4), takerAmount: micro(10) };

let desk: Desk;
let trader: Trader;

beforeEach(async () => {
  desk = await openDesk();
  trader = await newTrader(desk);
});
afterEach(async () => {
  await desk.close();
});

async function fault(params: object): Promise<void> {
  const answer = await control(desk, "/paper/fault", {
    method: "POST",
    path: "^/order$",
    ...params,
  });
  expect(answer.status).toBe(200);
}

async function exists(id: string): Promise<boolean> {
  return (await get(desk, `/data/order/${id}`, trader.wallet.address)).status === 200;
}

/** Posts an order; null when no answer came. */
async function attempt(): Promise<{ id: string; text: string | null; status: number }> {
  const { body, id } = await rawOrder(trader, rest);
  try {
    const answer = await privateCall(desk, trader, ["POST", "/order", body]);
    return { id, text: JSON.stringify(answer.body), status: answer.status };
  } catch {
    return { id, text: null, status: 0 };
  }
}

describe("scripted HTTP faults", () => {
  test("status: answered without being processed, for `times` requests after `after`", async () => {
    await fault({
      name: "status",
      code: 503,
      body: { error: "trading is disabled" },
      after: 1,
      times: 2,
    });
    const statuses: number[] = [];
    const seen: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      const { id, status } = await attempt();
      statuses.push(status);
      seen.push(await exists(id));
    }
    expect(statuses).toEqual([200, 503, 503, 200]);
    expect(seen).toEqual([true, false, false, true]);
    const log = await get(desk, "/paper/log?path=^/order$");
    expect((log.body as { status: number }[]).map((entry) => entry.status)).toEqual(statuses);
  });

  test.each([
    ["drop-before", false],
    ["drop-after", true],
    ["truncate", true],
    ["garbage", true],
  ])("%s: no usable answer, processed: %s", async (name, processed) => {
    await fault({ name });
    const { id, text } = await attempt();
    expect(text).toBeNull();
    expect(await exists(id)).toBe(processed);
    expect((await attempt()).status).toBe(200);
  });

  test("delay holds the order back, delay-answer only its answer", async () => {
    await fault({ name: "delay", ms: 150 });
    const before = await rawOrder(trader, rest);
    const late = privateCall(desk, trader, ["POST", "/order", before.body]);
    await until(async () => {
      const log = (await get(desk, "/paper/log?path=^/order$")).body as unknown[];
      return log.length === 1;
    }, "request arrived");
    expect(await exists(before.id)).toBe(false);
    expect((await late).status).toBe(200);
    await fault({ name: "delay-answer", ms: 150 });
    const after = await rawOrder(trader, rest);
    const answer = privateCall(desk, trader, ["POST", "/order", after.body]);
    await until(() => exists(after.id), "processed before it is answered");
    expect((await answer).status).toBe(200);
  });

  test("faults can be taken back, and nonsense is refused", async () => {
    await fault({ name: "drop-before", times: 100 });
    await control(desk, "/paper/faults", {}, "DELETE");
    expect((await attempt()).status).toBe(200);
    expect((await control(desk, "/paper/fault", { name: "earthquake" })).status).toBe(400);
    expect((await control(desk, "/paper/fault", { name: "delay", ms: -1 })).status).toBe(400);
    expect((await control(desk, "/paper/fault", { name: "delay", path: "(" })).status).toBe(400);
  });
});

describe("scripted settlement", () => {
  const take = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };
  const amounts = { makerAmount: micro(5.2), takerAmount: micro(10) };

  async function cash(): Promise<unknown> {
    const path = "/balance-allowance?asset_type=COLLATERAL";
    return (await get(desk, path, trader.wallet.address)).body;
  }

  test("trade-fail: MATCHED, then FAILED, and every balance is as before", async () => {
    await fault({ name: "trade-fail" });
    await postRaw(desk, trader, { ...take, ...amounts });
    expect(await cash()).toMatchObject({ balance: "994800000" });
    await until(async () => (await trader.client.getTrades())[0]?.status === "FAILED", "failed");
    expect(await cash()).toMatchObject({ balance: "1000000000" });
    expect(desk.venue.state.party(trader.wallet.address).held()).toEqual([]);
    expect(desk.venue.state.store.activity(trader.wallet.address, 10)).toEqual([]);
  });

  test("trade-retry: RETRYING on the way to CONFIRMED", async () => {
    await desk.close();
    desk = await openDesk({ settleMs: 100 });
    trader = await newTrader(desk);
    await fault({ name: "trade-retry" });
    await postRaw(desk, trader, { ...take, ...amounts });
    const seen = new Set<string>();
    await until(async () => {
      seen.add((await trader.client.getTrades())[0]?.status ?? "");
      return seen.has("CONFIRMED");
    }, "confirmed");
    expect([...seen]).toEqual(["MATCHED", "RETRYING", "MINED", "CONFIRMED"]);
  });
});
