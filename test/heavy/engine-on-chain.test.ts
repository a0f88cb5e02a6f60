// The engine with its real ledger on a real EVM: what a crash leaves behind is found again, or sent again as it was.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ActionView } from "../../src/engine/api/actions.ts";
import type { Shares } from "../../src/engine/domain/numbers.ts";
import { trader as chatTrader } from "../engine/support/core-desk.ts";
import { type LiveDesk, openLiveDesk, until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";
import { HeavyError } from "./anvil.ts";
import { confirmations, EvmWorld, trader } from "./world.ts";

let world: EvmWorld;
let desk: LiveDesk;
const { conditionId } = standing;
const size = 30_000_000 as Shares;

beforeEach(async () => {
  world = await EvmWorld.open();
  await world.approveAll();
  desk = await openLiveDesk({ openContracts: () => world.port() });
});
afterEach(async () => {
  await desk?.close();
  await world?.[Symbol.asyncDispose]();
});

async function pressSplit(): Promise<ActionView> {
  const card = await desk.engine.quoteAction(chatTrader, "q", { kind: "split", conditionId, size });
  if (!card.ok) throw new HeavyError(JSON.stringify(card.error));
  const outcome = await desk.engine.confirmAction(chatTrader, "c", card.value.nonce);
  if (outcome.kind !== "accepted") throw new HeavyError(JSON.stringify(outcome.denial));
  return outcome.action;
}

const call = () => desk.engine.actions()[0];

function inBooks(): number {
  return desk.engine.state.positions.get(standing.outcomes[0].tokenId)?.confirmed ?? 0;
}

async function sentSoFar(): Promise<number> {
  return world.anvil.provider.getTransactionCount(trader);
}

test("a split is in the books once it is final, with its gas", async () => {
  await pressSplit();
  await until("the transaction", () => call()?.status === "sent");
  expect(inBooks()).toBe(0);
  await world.anvil.mine(confirmations);
  await until("the end", () => call()?.status === "confirmed");
  expect([inBooks(), await world.held(conditionId, 0)]).toEqual([size, BigInt(size)]);
  const { gasUsd = 0 } = call() ?? {};
  expect(gasUsd).toBeGreaterThan(0);
  expect(desk.engine.state.day.realizedUsd).toBe(0 - gasUsd);
});

test("a crash between sending and the receipt: found again, and nothing is sent twice", async () => {
  const before = await sentSoFar();
  await world.anvil.rpc("evm_setAutomine", false);
  await pressSplit();
  await until("the transaction", () => call()?.status === "sent");
  desk = await desk.restart();
  await world.anvil.mine(confirmations + 1);
  await until("the end", () => call()?.status === "confirmed");
  expect([inBooks(), await world.held(conditionId, 0)]).toEqual([size, BigInt(size)]);
  expect(await sentSoFar()).toBe(before + 1);
});

test("a crash, and the node has lost the transaction meanwhile: the same bytes go again", async () => {
  const before = await sentSoFar();
  await world.anvil.rpc("evm_setAutomine", false);
  await pressSplit();
  await until("the transaction", () => call()?.status === "sent");
  const hash = call()?.reference;
  await desk.engine.stop();
  await world.anvil.rpc("anvil_dropTransaction", hash);
  desk = await desk.restart();
  await until("it to be there again", async () => {
    return (await world.anvil.provider.getTransaction(hash ?? "")) !== null;
  });
  await world.anvil.mine(confirmations + 1);
  await until("the end", () => call()?.status === "confirmed");
  expect(call()?.reference).toBe(hash);
  expect([inBooks(), await world.held(conditionId, 0)]).toEqual([size, BigInt(size)]);
  expect(await sentSoFar()).toBe(before + 1);
});
