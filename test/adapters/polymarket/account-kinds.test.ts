// The four kinds of accounts against the paper venue, whose checks share no code with the signer.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import type { Shares } from "../../../src/engine/domain/numbers.ts";
import type { PreparedOrder } from "../../../src/engine/domain/order.ts";
import { openPaperDesk, type PaperDesk } from "./paper-desk.ts";

let desk: PaperDesk;
let markets: readonly Market[];
let salt = 1;
beforeAll(async () => {
  desk = await openPaperDesk();
  const open = await desk.connect().catalog.openMarkets(1_000);
  if (!open.ok) throw new TypeError(open.error);
  markets = open.value.markets;
});
afterAll(async () => desk.close());

const kinds = [0, 1, 2, 3] as const;
const places = [
  ["a v1 market", (market: Market) => market.version === "v1" && !market.negRisk],
  ["a neg-risk market", (market: Market) => market.version === "v1" && market.negRisk],
  ["a v2 market", (market: Market) => market.version === "v2"],
] as const;

/** One account of each kind and number: a key, and for wallets the address that it signs for. */
async function open(type: (typeof kinds)[number], account: number): Promise<Polymarket> {
  const digit = String(type * 2 + account + 1);
  const polymarket = desk.connect({
    privateKey: `0x${digit.repeat(64)}`,
    signatureType: type,
    funder: type === 0 ? null : `0x${`${digit}c`.repeat(20)}`,
  });
  expect(await polymarket.venue.connect()).toMatchObject({ ok: true });
  return polymarket;
}

function orderIn(polymarket: Polymarket, fits: (market: Market) => boolean): PreparedOrder {
  const market = markets.find((one) => one.tradable && fits(one));
  if (market === undefined) throw new TypeError("no such market");
  const { conditionId, tickSize, negRisk, version, outcomes, minOrderSize } = market;
  return polymarket.venue.prepare(
    {
      conditionId,
      tokenId: outcomes[0].tokenId,
      outcome: 0,
      side: "buy",
      timeInForce: "gtc",
      limit: tickSize,
      spend: null,
      size: Math.max(minOrderSize, 10_000_000) as Shares,
      tickSize,
      negRisk,
      version,
      expirationS: null,
      postOnly: true,
    },
    { salt: salt++, timestampMs: Date.now() },
  );
}

/** The order with members of its struct replaced, as a tool that mixes kinds up would send it. */
function changed(order: PreparedOrder, over: Readonly<Record<string, unknown>>): PreparedOrder {
  const body = JSON.parse(order.body) as { order: Record<string, unknown> };
  return { ...order, body: JSON.stringify({ ...body, order: { ...body.order, ...over } }) };
}

function signatureOf(order: PreparedOrder): string {
  return (JSON.parse(order.body) as { order: { signature: string } }).order.signature;
}

describe.each(kinds)("signature type %i", (type) => {
  test.each(places)("orders in %s are accepted under their own hash", async (_, fits) => {
    const polymarket = await open(type, 1);
    const { venue } = polymarket;
    const order = orderIn(polymarket, fits);
    expect(signatureOf(order).length).toBe(2 + 2 * (type === 3 ? 317 : 65));
    expect(await venue.post(order, () => null)).toEqual({ kind: "accepted", state: "live" });
    expect(await venue.queryOrder(order.orderHash)).toMatchObject({ kind: "found" });
  });

  test("an order that says another type than it was signed for is refused", async () => {
    const polymarket = await open(type, 1);
    for (const other of kinds.filter((one) => one !== type)) {
      const order = changed(orderIn(polymarket, places[0][1]), { signatureType: other });
      const outcome = await polymarket.venue.post(order, () => null);
      expect(outcome, `as type ${other}`).toMatchObject({ kind: "rejected" });
    }
  });

  test("the signature of another key is refused", async () => {
    const [mine, theirs] = [await open(type, 1), await open(type, 0)];
    const foreign = signatureOf(orderIn(theirs, places[0][1]));
    const order = changed(orderIn(mine, places[0][1]), { signature: foreign });
    expect(await mine.venue.post(order, () => null)).toMatchObject({
      kind: "rejected",
      reason: "invalid_signature",
    });
  });
});

test("a deposit wallet's order with the plain signature of its owner is refused", async () => {
  const polymarket = await open(3, 1);
  const order = orderIn(polymarket, places[0][1]);
  const plain = changed(order, { signature: signatureOf(order).slice(0, 132) });
  expect(await polymarket.venue.post(plain, () => null)).toMatchObject({ kind: "rejected" });
});

test("a wallet that already belongs to another key is refused", async () => {
  for (const type of [1, 2, 3] as const) {
    const owner = await open(type, 1);
    await owner.venue.post(orderIn(owner, places[0][1]), () => null);
    const thief = desk.connect({
      privateKey: `0x${"9a".repeat(32)}`,
      signatureType: type,
      funder: owner.venue.account.funder,
    });
    await thief.venue.connect();
    expect(await thief.venue.post(orderIn(thief, places[0][1]), () => null)).toMatchObject({
      kind: "rejected",
      reason: "wrong_signer",
    });
  }
});
