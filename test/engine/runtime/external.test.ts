import { Chain, ClobClient, OrderType, Side } from "@polymarket/clob-client-v2";
import { Wallet } from "ethers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { sdkSigner } from "../../adapters/paper-venue/exchange/venue-support.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, privateKey, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing, standingTaxed } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const [yes] = standing.outcomes;
const options = { tickSize: "0.01", negRisk: false } as const;

/** The official SDK with the desk's own key: a person or program trading on the same account. */
async function stranger(): Promise<ClobClient> {
  const signer = sdkSigner(new Wallet(privateKey));
  const common = { host: desk.baseUrl, chain: Chain.POLYGON, signer, throwOnError: true } as const;
  const creds = await new ClobClient(common).deriveApiKey();
  const client = new ClobClient({ ...common, creds });
  // Without this the SDK polls the trades for half a minute after a match.
  return Object.assign(client, { resolveTransactionsHashes: (answer: unknown) => answer });
}

function told(kind: string): number {
  return desk.notices().filter((body) => body.kind === kind).length;
}

async function venueCash(): Promise<number> {
  const balance = await desk.polymarket.venue.balance();
  return balance.ok ? balance.value.cash : -1;
}

describe("the official SDK trading on the same account", () => {
  test("its resting order is seen, locks its dollars, is told once, and ends when it cancels", async () => {
    const client = await stranger();
    const order = { tokenID: yes.tokenId, price: 0.4, size: 50, side: Side.BUY };
    const { orderID } = await client.createAndPostOrder(order, options);
    await until("it is seen", () => desk.engine.externalOrders().length === 1);
    expect(desk.engine.externalOrders()).toMatchObject([
      { orderHash: orderID, question: standing.question, reservedUsd: 20_000_000 },
    ]);
    expect(exposureOf(desk.engine.state).locked).toBe(20_000_000);
    expect(desk.engine.orders()).toEqual([]);
    expect(desk.engine.view().warnings.join()).toContain("not placed by this desk");
    await client.cancelOrder({ orderID });
    await until("it is gone", () => desk.engine.externalOrders().length === 0);
    expect(exposureOf(desk.engine.state).locked).toBe(0);
    expect(told("external.order")).toBe(1);
  });

  test("is canceled when its id is named, and by a kill, which reports it", async () => {
    const client = await stranger();
    const place = (price: number) =>
      client.createAndPostOrder({ tokenID: yes.tokenId, price, size: 50, side: Side.BUY }, options);
    const { orderID } = await place(0.4);
    await until("it is seen", () => desk.engine.externalOrders().length === 1);
    expect(await desk.engine.cancelExternal(trader, "c1", orderID)).toMatchObject({ ok: true });
    await until("it is gone", () => desk.engine.externalOrders().length === 0);
    await place(0.41);
    await until("the second is seen", () => desk.engine.externalOrders().length === 1);
    await desk.engine.kill(trader, "k1", "");
    await until("the kill is reported", () => told("kill.report") > 0);
    const report = desk.notices().findLast((body) => body.kind === "kill.report");
    expect(report).toMatchObject({ settled: true, external: [{ fate: "gone" }] });
    const open = await desk.polymarket.venue.openOrders();
    expect(open.ok && open.value).toEqual([]);
  });

  test("its trades move position and cash to the venue's own figures, beside orders of ours", async () => {
    const client = await stranger();
    const { conditionId } = standingTaxed;
    const [taxedYes] = standingTaxed.outcomes;
    const own = await desk.place({ conditionId, amount: { unit: "usd", value: dollars(10) } });
    const amount = { tokenID: taxedYes.tokenId, amount: 20, side: Side.BUY, price: 0.55 };
    const resting = await desk.place({
      conditionId,
      limit: priceOf("0.45"),
      amount: { unit: "shares", value: sharesOf("20") },
    });
    await client.createAndPostMarketOrder(amount, options, OrderType.FAK);
    await until("everything is confirmed", () => {
      const fills = [...desk.engine.state.fills.values()];
      const outside = fills.some((fill) => fill.external === true);
      return outside && fills.every((fill) => fill.status === "confirmed");
    });
    const held = await desk.polymarket.venue.shares(taxedYes.tokenId, "v1");
    const position = desk.engine.state.positions.get(taxedYes.tokenId);
    expect(position?.confirmed).toBe(held.ok ? held.value : -1);
    expect(position?.external).toBeGreaterThan(0);
    expect(desk.engine.state.cash).toBe(await venueCash());
    expect(told("external.fill")).toBe(1);
    expect(desk.order(own.clientOid).filled).toBeLessThan(position?.confirmed ?? 0);
    expect(desk.order(resting.clientOid).filled).toBe(0);
  });

  test("taking the exposure over a cap, it leaves the desk with sales only, and says so", async () => {
    await desk.close();
    desk = await openLiveDesk({ risk: { maxExposurePerOutcomeUsd: dollars(15) } });
    const client = await stranger();
    const order = { tokenID: yes.tokenId, price: 0.4, size: 50, side: Side.BUY };
    const { orderID } = await client.createAndPostOrder(order, options);
    await until("sales only", () => desk.engine.view().trading.state === "reducing");
    await until("told", () => told("reducing") > 0);
    const buy = {
      conditionId: standing.conditionId,
      amount: { unit: "usd", value: dollars(5) },
    } as const;
    await expect(desk.card(buy)).rejects.toThrow(/reducing|cap_outcome/);
    await client.cancelOrder({ orderID });
    await until("trading again", () => desk.engine.view().trading.state === "active");
  });

  test("what it traded while the desk was down, or while its stream was silent, is found by the reads", async () => {
    const client = await stranger();
    await desk.fault("ws-mute", { ms: 60_000 });
    const amount = { tokenID: yes.tokenId, amount: 10.4, side: Side.BUY, price: 0.55 };
    await client.createAndPostMarketOrder(amount, options, OrderType.FAK);
    await until("found by the reads", () => told("external.fill") === 1);
    await desk.engine.stop();
    await client.createAndPostMarketOrder({ ...amount, amount: 5.2 }, options, OrderType.FAK);
    desk = await desk.restart();
    await until("found at the start", () => told("external.fill") === 2);
    expect(desk.engine.state.cash).toBe(await venueCash());
  });
});
