// A hundred taps at the same moment (T6): one winner, whatever they tap.
import { afterEach, beforeEach, expect, test } from "vitest";
import { trader } from "../engine/support/core-desk.ts";
import { type LiveDesk, openLiveDesk, until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";

const taps = 100;
let desk: LiveDesk;
beforeEach(async () => {
  // Without the block of equal orders: the card alone must hold.
  desk = await openLiveDesk({ risk: { duplicateWindowMs: 0 } });
});
afterEach(async () => desk.close());

async function posts(): Promise<number> {
  return (await desk.requests("POST", /^\/order$/)).length;
}

function confirmAll(nonce: string): Promise<readonly { readonly kind: string }[]> {
  const work = Array.from({ length: taps }, (_, i) =>
    desk.engine.confirm(trader, `tap${i}`, nonce),
  );
  return Promise.all(work);
}

test("T6: a hundred taps on one Confirm make one order; the others are told that it was used", async () => {
  const { nonce } = await desk.card({ conditionId: standing.conditionId });
  const outcomes = await confirmAll(nonce);
  expect(outcomes.filter(({ kind }) => kind === "accepted").length).toBe(1);
  expect(outcomes.filter(({ kind }) => kind === "refused").length).toBe(taps - 1);
  await until("the order ended", () =>
    desk.engine.orders().every((one) => one.status === "filled"),
  );
  expect(desk.engine.orders().length).toBe(1);
  expect(await posts()).toBe(1);
  expect(desk.engine.state.fills.size).toBe(1);
});

test("T6: a hundred taps on Confirm and on Cancel: one of both wins, and what it says is what happened", async () => {
  const { nonce } = await desk.card({ conditionId: standing.conditionId });
  const discarded = Array.from({ length: taps }, () => desk.engine.discardCard(trader, nonce));
  const outcomes = await confirmAll(nonce);
  await Promise.all(discarded);
  const accepted = outcomes.filter(({ kind }) => kind === "accepted").length;
  expect(accepted).toBeLessThanOrEqual(1);
  expect(desk.engine.orders().length).toBe(accepted);
  await until("nothing is under way", () =>
    desk.engine.orders().every((one) => one.status === "filled"),
  );
  expect(await posts()).toBe(accepted);
  expect(desk.engine.state.cards.get(nonce)?.state).toBe(accepted === 1 ? "used" : "discarded");
});
