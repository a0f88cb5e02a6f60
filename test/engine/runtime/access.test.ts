import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { watchAccess } from "../../../src/access-watch.ts";
import { trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type LiveDesk, openLiveDesk, until } from "../support/live-desk.ts";
import { standing } from "../support/standing-world.ts";

let desk: LiveDesk;
let opened: number;
let stop: () => void;
beforeEach(async () => {
  desk = await openLiveDesk();
  opened = 0;
  stop = watchAccess({
    readAccess: desk.polymarket.readAccess,
    degrade: desk.engine.degrade,
    intervalMs: 15,
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onOpen: () => opened++,
  });
  await until("the first check", () => opened > 0);
});
afterEach(async () => {
  stop();
  await desk.close();
});

const buy = {
  conditionId: standing.conditionId,
  limit: priceOf("0.45"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;

function causes(): readonly string[] {
  return desk.engine.view().trading.causes;
}

async function script(path: string, body: unknown): Promise<void> {
  const init = { method: "POST", body: JSON.stringify(body) };
  expect((await fetch(`${desk.baseUrl}${path}`, init)).status).toBe(200);
}

async function quoteFails(): Promise<string | null> {
  const quoted = await desk.engine.quoteTrade(trader, "tg:q", {
    ...buy,
    outcome: 0,
    side: "buy",
  } as never);
  return quoted.ok ? null : quoted.error.code;
}

describe("access that ends while trading (V30)", () => {
  test.each([
    [{ blocked: true }, "geoblock"],
    [{ closed_only: true }, "account"],
  ])("%o stops new buys until it ends", async (restriction, cause) => {
    const { nonce } = await desk.card(buy);
    await script("/paper/access", restriction);
    await until("noticed", () => causes().includes(cause));
    expect(await quoteFails()).toBe("reducing");
    expect(await desk.engine.confirm(trader, "tg:c", nonce)).toMatchObject({ kind: "refused" });
    expect(await desk.requests("POST", /^\/order$/)).toEqual([]);
    await script("/paper/access", {});
    await until("ended", () => causes().length === 0);
    await desk.place({ ...buy, limit: priceOf("0.44") });
  });

  test.each([
    ["banned", { banned: true }],
    ["unauthorized", { unauthorized: true }],
  ] as const)(
    "%s halts, until a person resumes and the check passes",
    async (reason, restriction) => {
      if (reason === "banned") await script("/paper/access", restriction);
      else await desk.fault("status", { path: "closed-only", code: 401, times: 1_000_000 });
      await until("halted", () => desk.engine.state.halt?.reason === reason);
      expect(await quoteFails()).toBe("paused");
      expect(desk.notices().filter((body) => body.kind === "halted")).toHaveLength(1);
      await desk.clearFaults();
      await script("/paper/access", {});
      await until("the check passes", () => !desk.engine.state.control.degraded.has("account"));
      expect(desk.engine.state.halt?.reason).toBe(reason);
    },
  );

  test("a check that gives no answer changes nothing, in either direction", async () => {
    await desk.fault("status", { path: "geoblock|closed-only", code: 500, times: 1_000_000 });
    const seen = opened;
    await until("some checks", async () => (await desk.requests("GET", /geoblock/)).length > 20);
    expect(causes()).toEqual([]);
    expect(opened).toBeLessThanOrEqual(seen + 1);
    await desk.clearFaults();
    await script("/paper/access", { blocked: true });
    await until("blocked", () => causes().includes("geoblock"));
    await desk.fault("garbage", { path: "geoblock|closed-only", times: 1_000_000 });
    const before = (await desk.requests("GET", /geoblock/)).length;
    await until("more", async () => (await desk.requests("GET", /geoblock/)).length > before + 3);
    expect(causes()).toEqual(["geoblock"]);
  });
});
