import { afterEach, expect, test, vi } from "vitest";
import { createEthersScheme } from "../../../src/adapters/polymarket/ethers-scheme.ts";
import { createRehearsal } from "../../../src/adapters/polymarket/rehearse.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { OrderDraft, PreparedOrder } from "../../../src/engine/domain/order.ts";
import type { DeskDeps } from "../../../src/engine/runtime/desk-deps.ts";
import { createState } from "../../../src/engine/state/engine-state.ts";
import type { DeskCard } from "../../../src/engine/state/fact.ts";
import { keepWarm } from "../../../src/warm-up.ts";
import { plainHasher } from "../support/hasher.ts";
import { testSettings } from "../support/settings.ts";

afterEach(() => vi.useRealTimers());

const ttlMs = 2_000;

/** Only what says whether it still waits matters here. */
function openCard(): DeskCard {
  const card = { nonce: "n1", state: "open", expiresAtMs: Date.now() + ttlMs };
  return card as unknown as DeskCard;
}

test("orders are rehearsed often while a card waits for its Confirm, and seldom otherwise", () => {
  vi.useFakeTimers();
  const state = createState();
  const deps = { settings: testSettings({}), clock: systemClock } as unknown as DeskDeps;
  const prepare = createRehearsal(137, createEthersScheme(137));
  const prepared: PreparedOrder[] = [];
  const rehearse = (draft: OrderDraft): PreparedOrder => {
    // One signature is enough: what it takes is of no interest here.
    const order = prepared[0] ?? prepare(draft);
    prepared.push(order);
    return { ...order, orderHash: `0x${prepared.length}` };
  };
  const ordersIn = (ms: number): number => {
    const before = prepared.length;
    vi.advanceTimersByTime(ms);
    return prepared.length - before;
  };
  const coolDown = keepWarm({ state, deps }, { hasher: plainHasher, rehearse });
  // The first orders, which warm the code up.
  expect(ordersIn(10_000)).toBeGreaterThanOrEqual(1_500);
  expect(ordersIn(10_000)).toBeLessThanOrEqual(10);
  state.cards.set("n1", openCard());
  expect(ordersIn(ttlMs)).toBeGreaterThan(ttlMs / 10 / 2);
  // The card expired; it stays warm for a moment.
  expect(ordersIn(10_000)).toBeLessThan(70);
  expect(ordersIn(10_000)).toBeLessThanOrEqual(10);
  state.cards.set("n1", { ...openCard(), state: "used" });
  expect(ordersIn(10_000)).toBeLessThanOrEqual(10);
  coolDown();
  expect(ordersIn(10_000)).toBe(0);
});
