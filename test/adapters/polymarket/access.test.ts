import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ApiCredentials } from "../../../src/adapters/polymarket/auth.ts";
import { keepApiKey, readApiKey } from "../../../src/api-key-file.ts";
import { openPaperDesk, type PaperDesk } from "./paper-desk.ts";

let desk: PaperDesk;
beforeEach(async () => {
  desk = await openPaperDesk();
});
afterEach(async () => desk.close());

async function access(body: Record<string, boolean>): Promise<void> {
  const init = { method: "POST", body: JSON.stringify(body) };
  expect((await fetch(`${desk.urls.clob}/paper/access`, init)).status).toBe(200);
}

async function requests(path: string): Promise<number> {
  const answer = await fetch(`${desk.urls.clob}/paper/log?path=${encodeURIComponent(path)}`);
  return ((await answer.json()) as unknown[]).length;
}

describe("access to the venue (V11, V30)", () => {
  test.each([
    [{}, { place: { state: "open" }, account: { state: "open" } }],
    [{ blocked: true }, { place: { state: "blocked", country: "XX" }, account: { state: "open" } }],
    [{ closed_only: true }, { place: { state: "open" }, account: { state: "closed_only" } }],
    [{ banned: true }, { place: { state: "open" }, account: { state: "banned" } }],
  ])("%o is read as it is", async (restriction, report) => {
    const polymarket = desk.connect();
    await polymarket.venue.connect();
    await access(restriction);
    expect(await polymarket.readAccess()).toEqual(report);
  });

  test.each([
    ["status", { code: 500 }],
    ["status", { code: 200, body: {} }],
    ["status", { code: 200, body: { blocked: "false", closed_only: "false" } }],
    ["garbage", {}],
    ["drop-before", {}],
  ])("%s %o is unknown, never open", async (name, params) => {
    const polymarket = desk.connect();
    await polymarket.venue.connect();
    await desk.fault(name, { path: "geoblock|closed-only", times: 6, ...params });
    const report = await polymarket.readAccess();
    expect([report.place.state, report.account.state]).toEqual(["unknown", "unknown"]);
  });

  test("a refused key is told apart, and without a connection nothing is open", async () => {
    const polymarket = desk.connect();
    expect((await polymarket.readAccess()).account.state).toBe("unknown");
    await polymarket.venue.connect();
    await desk.fault("status", { path: "closed-only", code: 401, times: 9 });
    expect((await polymarket.readAccess()).account.state).toBe("unauthorized");
  });
});

describe("the API key", () => {
  test("is derived once: a start with a stored key asks for none", async () => {
    const told: ApiCredentials[] = [];
    const first = desk.connect({ onCredentials: (one) => told.push(one) });
    await first.venue.connect();
    expect(told).toEqual([first.credentials()]);
    const asked = await requests("^/auth/(api-key|derive)");
    const again = desk.connect({
      credentials: told[0] ?? null,
      onCredentials: (one) => told.push(one),
    });
    expect(await again.venue.connect()).toMatchObject({ ok: true });
    expect(await requests("^/auth/(api-key|derive)")).toBe(asked);
    expect(told).toHaveLength(1);
  });

  test("that the venue no longer takes is derived again by the very call that found out", async () => {
    const told: ApiCredentials[] = [];
    const stale = { apiKey: "gone", secret: "Z29uZQ==", passphrase: "gone" };
    const polymarket = desk.connect({ credentials: stale, onCredentials: (one) => told.push(one) });
    expect(await polymarket.venue.connect()).toMatchObject({ ok: true });
    expect(told).toHaveLength(1);
    await desk.fault("status", { path: "/data/orders", code: 401, times: 1 });
    expect(await polymarket.venue.openOrders()).toMatchObject({ ok: false });
  });

  test("that stays refused is derived again once and no more: no hot loop", async () => {
    const polymarket = desk.connect();
    await polymarket.venue.connect();
    const derived = await requests("derive-api-key");
    await desk.fault("status", { path: "/balance|/data|ban-status", code: 401, times: 1_000 });
    for (let i = 0; i < 5; i++) {
      expect(await polymarket.venue.balance()).toMatchObject({ ok: false });
      expect(await polymarket.venue.cancelAll()).toMatchObject({ kind: "answered" });
    }
    expect(await polymarket.venue.connect()).toMatchObject({
      ok: false,
      error: expect.stringContaining("refuses our API key"),
    });
    expect(await requests("derive-api-key")).toBe(derived + 1);
  });
});

describe("the file of the API key", () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "pitboss-api-key-"));
  });
  afterEach(() => rmSync(stateDir, { recursive: true, force: true }));
  const key = { apiKey: "a", secret: "s", passphrase: "p" };

  test("keeps the key for its venue and signer alone, readable by its owner alone", () => {
    const owner = { stateDir, venueHost: "127.0.0.1:1", signer: "0xabc" };
    expect(readApiKey(owner)).toBeNull();
    keepApiKey(owner, { ...key, apiKey: "old" });
    keepApiKey(owner, key);
    expect(readApiKey(owner)).toEqual(key);
    expect(readApiKey({ ...owner, signer: "0xdef" })).toBeNull();
    expect(readApiKey({ ...owner, venueHost: "elsewhere" })).toBeNull();
    const file = join(stateDir, "api-key.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
    expect(readApiKey(owner)).toBeNull();
  });
});
