import { afterEach, beforeEach, expect, test } from "vitest";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

const { conditionId } = standing;

/** While set, nothing becomes durable before it is resolved. */
let hold: PromiseWithResolvers<void> | null = null;
let desk: LiveDesk;

beforeEach(async () => {
  hold = null;
  desk = await openLiveDesk({
    ledgerCommitMaxMs: 60_000,
    wrapLog: (log) => ({
      async append(records) {
        await hold?.promise;
        await log.append(records);
      },
      read: (fromSeq, limit) => log.read(fromSeq, limit),
      lastSeq: () => log.lastSeq(),
      close: () => log.close(),
    }),
  });
});
afterEach(async () => desk.close());

const posts = async () => (await desk.requests("POST", /^\/order$/)).length;

test("terms that were edited between the press and the first byte stop the order (P1)", async () => {
  const { state, stepper } = desk.engine;
  const { nonce } = await desk.card({
    conditionId,
    limit: priceOf("0.45"),
    amount: { unit: "shares", value: sharesOf("20") },
  });
  hold = Promise.withResolvers<void>();
  const pressed = desk.press(nonce);
  await until("the order is approved", () => state.orders.size === 1);
  const market = state.markets.get(conditionId);
  if (market === undefined) throw new TypeError("no market");
  const edited = { ...market, ruleHash: "e".repeat(64) };
  stepper.run({ kind: "catalog.read", answer: { markets: [edited], groups: [] } }, "test");
  hold.resolve();
  const { clientOid } = await pressed;
  await until("its end", () => desk.order(clientOid).status === "rejected");
  expect(await posts()).toBe(0);
  expect(desk.order(clientOid)).toMatchObject({ reservedUsd: 0 });
});
