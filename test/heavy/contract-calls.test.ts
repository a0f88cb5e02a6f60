import { keccak256, toBeHex, toUtf8Bytes } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChainPort } from "../../src/adapters/polygon/chain-port.ts";
import { indexSetOf } from "../../src/adapters/polygon/encode-call.ts";
import type { Shares, Usd } from "../../src/engine/domain/numbers.ts";
import type {
  ActionCall,
  ContractMarket,
  PreparedCall,
} from "../../src/engine/domain/position-action.ts";
import { HeavyError } from "./anvil.ts";
import { confirmations, EvmWorld, trader } from "./world.ts";

const conditionId = keccak256(toUtf8Bytes("a question"));
const market: ContractMarket = { conditionId, version: "v1", negRisk: false };
const negRiskMarket: ContractMarket = { ...market, negRisk: true };
/** A version "v2" id has 31 bytes; the catalog pads it on the right. */
const v2: ContractMarket = {
  conditionId: `${conditionId.slice(0, 64)}00`,
  version: "v2",
  negRisk: false,
};
const shares = (amount: number) => amount as Shares;
const open = () => null;

let world: EvmWorld;
let port: ChainPort;
let snapshot: unknown;

beforeAll(async () => {
  world = await EvmWorld.open();
  await world.approveAll();
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  snapshot = await world.anvil.rpc("evm_snapshot");
  port = world.port();
});
afterEach(async () => {
  await port.close();
  await world.anvil.rpc("evm_setAutomine", true);
  await world.anvil.rpc("evm_revert", snapshot);
});

async function prepared(call: ActionCall, by: ChainPort = port): Promise<PreparedCall> {
  const result = await by.prepare(call);
  if (!result.ok) throw new HeavyError(result.error);
  return result.value;
}

const split = (size: number, of = market): ActionCall => ({
  kind: "split",
  market: of,
  size: shares(size),
});
const merge = (size: number, of = market): ActionCall => ({
  kind: "merge",
  market: of,
  size: shares(size),
});

async function redeem(of: ContractMarket, winner: 0 | 1): Promise<ActionCall> {
  const legs = await Promise.all(
    ([0, 1] as const).map(async (outcome) => ({
      tokenId: await world.tokenId(of.conditionId, outcome),
      conditionId: of.conditionId,
      outcome,
      size: shares(30),
    })),
  );
  return { kind: "redeem", market: of, legs, winningTokenId: legs[winner]?.tokenId ?? "" };
}

describe("what the calls do, against the contracts' own balances", () => {
  test("wrap turns bridged dollars into collateral", async () => {
    const before = await world.cash();
    const call: ActionCall = { kind: "wrap", amount: 70_000_000 as Usd };
    expect(await world.carryOut(port, call)).toMatchObject({ kind: "confirmed" });
    expect(await world.cash()).toBe(before + 70_000_000n);
    expect(await world.read("usdce", "balanceOf", trader)).toBe(430_000_000n);
  });

  test.each([
    ["standard", market],
    ["neg-risk", negRiskMarket],
  ])("split and merge of a %s market", async (_, of) => {
    const before = await world.cash();
    expect(await world.carryOut(port, split(30_000_001, of))).toMatchObject({ kind: "confirmed" });
    expect([await world.held(conditionId, 0), await world.held(conditionId, 1)]).toEqual([
      30_000_001n,
      30_000_001n,
    ]);
    expect(await world.cash()).toBe(before - 30_000_001n);
    expect(await world.carryOut(port, merge(10_000_000, of))).toMatchObject({ kind: "confirmed" });
    expect(await world.held(conditionId, 1)).toBe(20_000_001n);
    expect(await world.cash()).toBe(before - 20_000_001n);
    const held = await port.shares(await world.tokenId(conditionId, 0), "v1");
    expect(held).toEqual({ ok: true, value: 20_000_001 });
  });

  test("redeem pays the winner, and nothing for the loser", async () => {
    await world.carryOut(port, split(30));
    await world.byTrader("shares", "setApprovalForAll", world.book.collateralAdapter, true);
    await world.act("shares", "report", conditionId, 1, 0);
    const before = await world.cash();
    expect(await world.carryOut(port, await redeem(market, 0))).toMatchObject({
      kind: "confirmed",
    });
    // 30 winning and 30 losing shares were held.
    expect(await world.cash()).toBe(before + 30n);
    expect([await world.held(conditionId, 0), await world.held(conditionId, 1)]).toEqual([0n, 0n]);
    // A second redemption finds nothing and pays nothing.
    expect(await world.carryOut(port, await redeem(market, 0))).toMatchObject({
      kind: "confirmed",
    });
    expect(await world.cash()).toBe(before + 30n);
  });

  test("redeem before the result is refused before anything is signed", async () => {
    await world.carryOut(port, split(30));
    const estimate = await port.estimate(await redeem(market, 0));
    expect(estimate).toMatchObject({ ok: false });
    expect(estimate.ok ? "" : estimate.error).toContain("result not received yet");
  });

  test("split, merge and redeem of a version v2 market go through the router", async () => {
    const id = (outcome: 0 | 1) => String(((BigInt(v2.conditionId) >> 8n) << 8n) | BigInt(outcome));
    const held = (outcome: 0 | 1) => world.read("positions", "balanceOf", trader, id(outcome));
    const before = await world.cash();
    expect(await world.carryOut(port, split(40, v2))).toMatchObject({ kind: "confirmed" });
    expect(await world.carryOut(port, merge(10, v2))).toMatchObject({ kind: "confirmed" });
    expect([await held(0), await held(1)]).toEqual([30n, 30n]);
    expect(await port.shares(id(1), "v2")).toEqual({ ok: true, value: 30 });
    await world.act("positions", "report", v2.conditionId, 0, 1);
    const legs = ([0, 1] as const).map((outcome) => ({
      tokenId: id(outcome),
      conditionId: v2.conditionId,
      outcome,
      size: shares(30),
    }));
    const call: ActionCall = { kind: "redeem", market: v2, legs, winningTokenId: id(1) };
    expect(await world.carryOut(port, call)).toMatchObject({ kind: "confirmed" });
    expect(await world.cash()).toBe(before - 30n + 30n);
    expect([await held(0), await held(1)]).toEqual([30n, 0n]);
  });

  test("convert gives what the adapter computes, for every set of questions and odd fees", async () => {
    const marketId = `0x${"cd".repeat(31)}00`;
    const count = 3;
    const questions = [...Array(count).keys()];
    const conditions = questions.map((i) => keccak256(toBeHex(BigInt(marketId) + BigInt(i), 32)));
    await world.act("registry", "set", marketId, 37, count);
    const amount = 1_000_003;
    const out = BigInt(amount) - (BigInt(amount) * 37n) / 10_000n;
    for (let set = 1; set < 2 ** count; set++) {
      const given = questions.filter((i) => (set & (1 << i)) !== 0);
      expect(indexSetOf(given)).toBe(BigInt(set));
      const again = await world.anvil.rpc("evm_snapshot");
      for (const i of given) {
        await world.act(
          "shares",
          "mint",
          trader,
          await world.tokenId(conditions[i] ?? "", 1),
          amount,
        );
      }
      const before = await world.cash();
      const call: ActionCall = {
        kind: "convert",
        marketId,
        questions: given,
        questionCount: count,
        size: shares(amount),
        feeBips: 37,
      };
      expect([set, await world.carryOut(port, call)]).toMatchObject([set, { kind: "confirmed" }]);
      expect(await world.cash()).toBe(before + BigInt(given.length - 1) * out);
      for (const i of questions) {
        const expected = given.includes(i) ? [0n, 0n] : [out, 0n];
        const condition = conditions[i] ?? "";
        expect([await world.held(condition, 0), await world.held(condition, 1)]).toEqual(expected);
      }
      await world.anvil.rpc("evm_revert", again);
    }
  });

  test("a convert whose fee or questions are not what the card said is not signed", async () => {
    const marketId = `0x${"ce".repeat(31)}00`;
    await world.act("registry", "set", marketId, 25, 3);
    const call = { kind: "convert", marketId, questions: [0], size: shares(5) } as const;
    expect(await port.convertFeeBips(marketId)).toEqual({ ok: true, value: 25 });
    expect(await port.prepare({ ...call, questionCount: 3, feeBips: 0 })).toMatchObject({
      ok: false,
    });
    expect(await port.prepare({ ...call, questionCount: 4, feeBips: 25 })).toMatchObject({
      ok: false,
    });
  });
});

describe("what can go wrong with a transaction", () => {
  test("it counts only under enough blocks", async () => {
    const call = await prepared(split(10));
    expect(await port.submit(call, open)).toEqual({ kind: "accepted", reference: call.callHash });
    for (let blocks = 1; blocks < confirmations; blocks++) {
      expect(await port.query(call)).toMatchObject({ kind: "pending" });
      await world.anvil.mine(1);
    }
    expect(await port.query(call)).toMatchObject({ kind: "confirmed", reference: call.callHash });
  });

  test("a lost answer: the same bytes again take effect once", async () => {
    const before = await world.cash();
    const call = await prepared(split(10));
    await port.submit(call, open);
    // Sent again by a desk that never heard back: at once, and after it was mined.
    const again = await port.submit(call, open);
    expect(["accepted", "unknown"]).toContain(again.kind);
    await world.anvil.mine(confirmations);
    expect((await port.submit(call, open)).kind).not.toBe("rejected");
    expect(await port.query(call)).toMatchObject({ kind: "confirmed" });
    expect(await world.cash()).toBe(before - 10n);
  });

  test("a dropped transaction is absent, and the same bytes bring it back", async () => {
    await world.anvil.rpc("evm_setAutomine", false);
    const call = await prepared(split(10));
    await port.submit(call, open);
    expect(await port.query(call)).toMatchObject({ kind: "pending" });
    await world.anvil.rpc("anvil_dropTransaction", call.callHash);
    expect(await port.query(call)).toEqual({ kind: "absent" });
    expect(await port.submit(call, open)).toMatchObject({ kind: "accepted" });
    await world.anvil.mine(confirmations);
    expect(await port.query(call)).toMatchObject({ kind: "confirmed" });
    expect(await world.held(conditionId, 0)).toBe(10n);
  });

  test("a nonce that something else used makes it void, for good", async () => {
    await world.anvil.rpc("evm_setAutomine", false);
    const call = await prepared(split(10));
    await world.anvil.rpc("evm_setAutomine", true);
    await world.byTrader("pusd", "approve", world.book.exchange, 1);
    expect(await port.query(call)).toMatchObject({ kind: "failed" });
    await world.anvil.mine(confirmations);
    expect(await port.query(call)).toMatchObject({ kind: "void" });
    expect(await port.submit(call, open)).toMatchObject({ kind: "unknown" });
    expect(await world.held(conditionId, 0)).toBe(0n);
  });

  test("one that the contract undoes is told with its gas, and moves nothing", async () => {
    const call = await prepared(split(10));
    // Between the trial and the block the dollars go, in a transaction that pays more and is mined first.
    await world.anvil.rpc("evm_setAutomine", false);
    await port.submit(call, open);
    await world.actLater("pusd", "burn", trader, await world.cash());
    await world.anvil.mine(1);
    await world.anvil.mine(confirmations);
    const report = await port.query(call);
    expect(report).toMatchObject({ kind: "reverted", reference: call.callHash });
    expect(report.kind === "reverted" && report.gasUsd > 0).toBe(true);
    expect(await world.held(conditionId, 0)).toBe(0n);
  });

  test("a block that the chain gives up takes its transactions along", async () => {
    const call = await prepared(split(10));
    await port.submit(call, open);
    await world.anvil.mine(confirmations - 2);
    expect(await port.query(call)).toMatchObject({ kind: "pending" });
    // The newest blocks are replaced by empty ones.
    await world.anvil.rpc("evm_setAutomine", false);
    await world.anvil.rpc("anvil_reorg", confirmations - 1, []);
    // The node may have it waiting again or not at all; it is never final, and the same bytes bring it back.
    expect(["absent", "pending"]).toContain((await port.query(call)).kind);
    await port.submit(call, open);
    await world.anvil.mine(confirmations);
    expect(await port.query(call)).toMatchObject({ kind: "confirmed" });
    expect(await world.held(conditionId, 0)).toBe(10n);
  });

  test("a closed gate lets no byte out", async () => {
    const call = await prepared(split(10));
    const denial = { code: "killed" } as const;
    expect(await port.submit(call, () => denial)).toEqual({ kind: "blocked", denial });
    await world.anvil.mine(confirmations);
    expect(await port.query(call)).toEqual({ kind: "absent" });
    expect(await world.held(conditionId, 0)).toBe(0n);
  });

  test("while another transaction of the wallet waits, none is signed", async () => {
    await world.anvil.rpc("evm_setAutomine", false);
    const first = await prepared(split(10));
    await port.submit(first, open);
    expect(await port.prepare(split(5))).toMatchObject({ ok: false });
  });

  test("gas above its bounds is not signed", async () => {
    const bounds = { maxGasPerCall: 50_000, maxFeeGwei: 500, polPriceMaxUsd: 2_000_000 as Usd };
    const small = world.port({ bounds });
    expect(await small.prepare(split(10))).toMatchObject({ ok: false });
    await world.anvil.rpc("anvil_setNextBlockBaseFeePerGas", "0x174876e800");
    await world.anvil.mine(1);
    const cheap = world.port({ bounds: { ...bounds, maxGasPerCall: 1_500_000, maxFeeGwei: 50 } });
    const dear = await cheap.prepare(split(10));
    expect(dear.ok ? "" : dear.error).toContain("gwei");
    await small.close();
    await cheap.close();
  });

  test("a node that is gone says nothing about what was sent", async () => {
    const call = await prepared(split(10));
    const away = world.port({ rpcUrl: "http://127.0.0.1:9" });
    expect(await away.submit(call, open)).toMatchObject({ kind: "not_sent" });
    expect(await away.query(call)).toMatchObject({ kind: "failed" });
    expect(await away.prepare(split(10))).toMatchObject({ ok: false });
    await away.close();
  });
});

test("a node of another chain is refused before anything is signed", async () => {
  await using other = await EvmWorld.open(1);
  const wrong = other.port();
  const refused = await wrong.prepare(split(10));
  expect(refused.ok ? "" : refused.error).toBe("the node is on chain 1, not 137");
  await wrong.close();
});
