import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Desk } from "./venue-support.ts";
import {
  marketSpec,
  micro,
  newTrader,
  openDesk,
  privateCall,
  rawOrder,
  sdk,
  until,
} from "./venue-support.ts";

const yes = marketSpec().outcomes[0].tokenId;
const take = { tokenId: yes, side: "BUY" as const, orderType: "FAK" };

test("a restart on the same state keeps keys, orders, trades, balances and Duplicated", async () => {
  const first = await openDesk({ settleMs: 60_000 });
  const trader = await newTrader(first);
  const bought = await rawOrder(trader, {
    ...take,
    makerAmount: micro(26),
    takerAmount: micro(50),
  });
  await privateCall(first, trader, ["POST", "/order", bought.body]);
  const resting = await trader.client.createAndPostOrder(
    { tokenID: yes, price: 0.4, size: 10, side: "BUY" as never },
    { tickSize: "0.01", negRisk: false },
  );
  // Nothing is flushed on the way out: what was answered must already be on disk.
  await first.stop();
  const second = await openDesk({ stateDir: first.stateDir });
  try {
    const client = sdk(second, trader.wallet, trader.creds);
    expect(await client.getOpenOrders()).toMatchObject([{ id: resting.orderID, status: "LIVE" }]);
    const book = await client.getOrderBook(yes);
    expect(book.bids[0]).toEqual({ price: "0.4", size: "10" });
    const again = await privateCall(second, trader, ["POST", "/order", bought.body]);
    expect(again).toMatchObject({
      status: 400,
      body: { error: `order ${bought.id} is invalid. Duplicated.` },
    });
    const balance = await client.getBalanceAllowance({ asset_type: "COLLATERAL" as never });
    expect(balance.balance).toBe("974000000");
    expect(second.venue.state.party(trader.wallet.address).held()).toEqual([[yes, 50_000_000n]]);
    // The trade was still MATCHED when the venue stopped; its settlement goes on.
    const [trade] = await client.getTrades();
    expect(trade).toMatchObject({ taker_order_id: bought.id, status: "MATCHED", size: "50" });
    second.venue.exchange.resolve(marketSpec().conditionId, 0);
  } finally {
    await second.stop();
  }
  const third = await openDesk({ stateDir: first.stateDir, clock: () => Date.now() + 61_000 });
  try {
    const { state, exchange } = third.venue;
    expect(exchange.market(marketSpec().conditionId)).toMatchObject({ resolved: 0, bestBid: null });
    expect(state.party(trader.wallet.address).cash).toBe(1_024_000_000n);
    await until(() => state.unsettled.size === 0, "settled after the restart");
  } finally {
    await third.close();
  }
});

test("kill -9 right after an answer loses nothing that was answered", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "paper-venue-"));
  const child = spawn(
    process.execPath,
    [new URL("venue-child.ts", import.meta.url).pathname, stateDir],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = `http://127.0.0.1:${line.toString().trim()}`;
  const running = { url, ws: "", stateDir } as Desk;
  const trader = await newTrader(running);
  const bought = await rawOrder(trader, {
    ...take,
    makerAmount: micro(26),
    takerAmount: micro(50),
  });
  const rest = {
    tokenId: yes,
    side: "BUY" as const,
    makerAmount: micro(4),
    takerAmount: micro(10),
  };
  const rested = await rawOrder(trader, rest);
  for (const { body } of [bought, rested]) {
    expect(await privateCall(running, trader, ["POST", "/order", body])).toMatchObject({
      status: 200,
    });
  }
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  const desk = await openDesk({ stateDir });
  try {
    const client = sdk(desk, trader.wallet, trader.creds);
    expect(await client.getOpenOrders()).toMatchObject([{ id: rested.id }]);
    expect(await client.getTrades()).toMatchObject([{ taker_order_id: bought.id, size: "50" }]);
    expect(desk.venue.state.party(trader.wallet.address)).toMatchObject({ cash: 974_000_000n });
    const again = await privateCall(desk, trader, ["POST", "/order", bought.body]);
    expect(again).toMatchObject({ status: 400 });
  } finally {
    await desk.close();
  }
});
