import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Polymarket } from "../../../src/adapters/polymarket/create-polymarket.ts";
import { TokenBucket } from "../../../src/adapters/polymarket/token-bucket.ts";
import { openPaperDesk, type PaperDesk } from "./paper-desk.ts";

describe("a token bucket", () => {
  let nowMs = 0;
  const bucket = () => {
    nowMs = 1_000;
    return new TokenBucket({ perSecond: 10, burst: 3 }, () => nowMs);
  };

  test("gives its burst at once, then one token each tenth of a second, in the order of asking", () => {
    const tokens = bucket();
    expect([1, 2, 3].map(() => tokens.take(1, 0))).toEqual([0, 0, 0]);
    expect(tokens.take(1, 0)).toBeNull();
    expect(tokens.take(1, 1_000)).toBe(100);
    expect(tokens.take(1, 1_000)).toBe(200);
    nowMs += 200;
    expect(tokens.take(1, 0)).toBeNull();
    nowMs += 100;
    expect(tokens.take(1, 0)).toBe(0);
  });

  test("never holds more than its burst, however long it rests", () => {
    const tokens = bucket();
    nowMs += 1_000_000;
    expect([1, 2, 3, 4].map(() => tokens.take(1, 0))).toEqual([0, 0, 0, null]);
  });

  test("a cost above the burst never succeeds; one that would wait too long takes nothing", () => {
    const tokens = bucket();
    expect(tokens.take(4, Number.MAX_SAFE_INTEGER)).toBeNull();
    expect(tokens.take(3, 0)).toBe(0);
    expect(tokens.take(3, 299)).toBeNull();
    expect(tokens.take(3, 300)).toBe(300);
  });

  test("a pause is a floor: a shorter one does not end it", () => {
    const tokens = bucket();
    tokens.pause(5_000);
    tokens.pause(10);
    expect(tokens.take(1, 4_999)).toBeNull();
    expect(tokens.take(1, 5_000)).toBe(5_000);
    nowMs += 5_000;
    expect(tokens.pausedForMs()).toBe(0);
    expect(tokens.take(1, 0)).toBe(0);
  });
});

describe("at the venue's socket", () => {
  let desk: PaperDesk;
  let polymarket: Polymarket;
  const rateLimits = {
    orders: { perSecond: 20, burst: 30 },
    cancels: { perSecond: 30, burst: 30 },
    killCancels: { perSecond: 10, burst: 15 },
  };
  beforeEach(async () => {
    desk = await openPaperDesk();
    polymarket = desk.connect({ rateLimits });
    expect(await polymarket.venue.connect()).toMatchObject({ ok: true });
  });
  afterEach(async () => desk.close());

  const requests = async (path: string) => {
    const answer = await fetch(`${desk.urls.clob}/paper/log?path=${encodeURIComponent(path)}`);
    return (await answer.json()) as readonly { readonly method: string; readonly status: number }[];
  };
  const post = (n: number, waitMaxMs: number) =>
    polymarket.venue.post({ orderHash: `0x${n}`, body: "{}" }, () => null, waitMaxMs);
  const hashes = (count: number) =>
    Array.from({ length: count }, (_, i) => `0x${String(i).padStart(64, "0")}`);

  test("of 1,000 orders within a moment at most the limit leaves; the others are refused, not sent", async () => {
    const startedAt = performance.now();
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, (_, n) => post(n, 500)));
    const most = 30 + (20 * (performance.now() - startedAt)) / 1_000;
    const blocked = outcomes.filter((one) => one.kind === "blocked");
    const left = (await requests("^/order$")).length;
    expect(left).toBe(1_000 - blocked.length);
    expect(left).toBeGreaterThanOrEqual(30);
    expect(left).toBeLessThanOrEqual(Math.ceil(most));
    expect(blocked[0]).toEqual({ kind: "blocked", denial: { code: "rate_limited" } });
  });

  test("429 on orders: nothing leaves before Retry-After has passed", async () => {
    const limited = { method: "POST", path: "^/order$", code: 429, times: 1 };
    await desk.fault("status", { ...limited, headers: { "Retry-After": "30" } });
    expect(await post(1, 0)).toMatchObject({ kind: "not_taken", reason: "rate_limited" });
    expect(await post(2, 29_000)).toMatchObject({ kind: "blocked" });
    expect((await requests("^/order$")).length).toBe(1);
  });

  test("cancels used up, or refused with 429, leave the kill's budget untouched (V10)", async () => {
    await desk.fault("status", {
      method: "DELETE",
      path: "^/orders$",
      code: 429,
      times: 1,
      headers: { "Retry-After": "30" },
    });
    expect(await polymarket.venue.cancel(hashes(30))).toMatchObject({ kind: "failed" });
    const held = await polymarket.venue.cancel(hashes(1));
    expect(held).toEqual({ kind: "failed", detail: "held back below the venue's rate limit" });
    expect(await polymarket.venue.cancelAll()).toMatchObject({ kind: "answered" });
    expect((await requests("^/orders$")).length).toBe(1);
    expect((await requests("^/cancel-all$")).map((one) => one.status)).toEqual([200]);
  });

  test("429 on the kill's own cancel is honoured, too, and does not stop the others", async () => {
    const limited = { method: "DELETE", path: "^/cancel-all$", code: 429, times: 1 };
    await desk.fault("status", { ...limited, headers: { "Retry-After": "30" } });
    expect(await polymarket.venue.cancelAll()).toMatchObject({ kind: "failed" });
    expect(await polymarket.venue.cancelAll()).toMatchObject({ kind: "failed" });
    expect((await requests("^/cancel-all$")).length).toBe(1);
    expect(await polymarket.venue.cancel(hashes(1))).toMatchObject({ kind: "answered" });
  });

  test("more ids than the venue's burst leave in pieces that each can pass", async () => {
    const canceling = polymarket.venue.cancel(hashes(60));
    expect(await canceling).toMatchObject({ kind: "answered" });
    expect((await requests("^/orders$")).length).toBe(2);
  });
});
