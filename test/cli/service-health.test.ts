import { describe, expect, test } from "vitest";
import { createEthersScheme } from "../../src/adapters/polymarket/ethers-scheme.ts";
import { openOrderScheme } from "../../src/adapters/polymarket/open-scheme.ts";
import { chatHealth, signingHealth, tradingHealth } from "../../src/cli/service-health.ts";

const nowMs = 1_700_000_000_000;
const minutesAgo = (minutes: number) => ({ up: true, lastContactMs: nowMs - minutes * 60_000 });

describe("the chat's health", () => {
  test("a poll that is silent beyond its wait is degraded", () => {
    expect(chatHealth(minutesAgo(0.5), "polling", nowMs).state).toBe("ok");
    expect(chatHealth(minutesAgo(2), "polling", nowMs).state).toBe("degraded");
  });

  test("a webhook that nobody writes to for hours is ok, an unregistered one is not", () => {
    expect(chatHealth(minutesAgo(600), "webhook", nowMs)).toMatchObject({
      state: "ok",
      detail: "36000000 ms ago",
    });
    expect(chatHealth({ up: true, lastContactMs: null }, "webhook", nowMs).state).toBe("ok");
    expect(chatHealth({ up: false, lastContactMs: null }, "webhook", nowMs).state).toBe("degraded");
  });
});

describe("the trading state's health", () => {
  const base = { sinceMs: nowMs, byUserId: null, causes: [] } as const;

  test("says why trading is stopped, and what was noted, once each", () => {
    expect(tradingHealth({ ...base, state: "active", reason: null, note: "" })).toEqual({
      name: "trading",
      state: "ok",
      detail: "",
    });
    expect(
      tradingHealth({ ...base, state: "killed", reason: "killed", note: "wrong prices" }).detail,
    ).toBe("killed: wrong prices");
    expect(tradingHealth({ ...base, state: "killed", reason: "killed", note: "" }).detail).toBe(
      "killed",
    );
  });
});

describe("the health of signing", () => {
  test("is ok with the fast way, and degraded with the reason without it", async () => {
    expect(signingHealth(await openOrderScheme(137))).toEqual({
      name: "signing",
      state: "ok",
      detail: "native",
    });
    const fallback = "native signing cannot be loaded: no build";
    expect(signingHealth({ scheme: createEthersScheme(137), fallback })).toEqual({
      name: "signing",
      state: "degraded",
      detail: fallback,
    });
  });
});
