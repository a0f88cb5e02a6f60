// The whole desk with its ledger in a real PostgreSQL: orders, crashes of the service, and a database that goes away.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { traders } from "../../src/bot/local/desk.ts";
import { meddle } from "../contract/homes.ts";
import { DeskRig } from "../desk/desk-rig.ts";
import { PostgresServer } from "./postgres.ts";

const allMs = 180_000;
const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));

let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  server = await PostgresServer.open();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function freshUrl(): Promise<string> {
  const name = `desk${databases++}`;
  await meddle({ kind: "postgres", url: server.url(), witnessFile: "" }, `CREATE DATABASE ${name}`);
  return server.url(name);
}

async function openDesk(url: string, overrides: readonly string[] = []): Promise<DeskRig> {
  const storage = ["storage.kind=postgres", `storage.url=${url}`];
  const waits = ["connect_timeout_ms=30000", "statement_timeout_ms=30000"];
  return DeskRig.open(
    ["--still"],
    [...storage, ...waits.map((wait) => `storage.${wait}`), ...overrides],
  );
}

const buy = `
/buy selby-strait-reopens yes 10sh @0.62 fak
!expect CONFIRM BUY
!press ^Confirm
`;
const resting = `
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
`;

describe("a desk with its ledger in PostgreSQL", () => {
  test("buys, is killed hard, finds its position and its cash again, and cancels everything on a kill", {
    timeout: allMs,
  }, async () => {
    await using rig = await openDesk(await freshUrl());
    await rig.play(`${buy}!expect FILLED BUY Yes`);
    await rig.play(resting);
    await rig.play("!crash now\n!restart\n/positions\n!expect 1\\. Yes 10 shares @ 62\\.00¢");
    await rig.play("/kill\n!expect KILL");
    await rig.until("the venue has no order", async () => (await rig.openOrders()).length === 0);
    await rig.play("!crash now\n!restart\n/buy selby-strait-reopens yes 10sh @0.62 fak");
    await rig.play("!refute CONFIRM BUY");
    expect((await rig.trades()).length).toBe(1);
    expect((await rig.posts()).length).toBe(2);
  });

  test.each(["K6", "K10"])(
    "%s: crashed behind the commit: one order per intent, found after the restart",
    { timeout: allMs },
    async (point) => {
      await using rig = await openDesk(await freshUrl());
      await rig.play(
        `/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY\n!crash ${point}\n!press ^Confirm\n!restart`,
      );
      const ended = /(FILLED|REJECTED|EXPIRED|CANCELED) BUY Yes/u;
      await rig.until("the end of the order is told", () => rig.told(ended).length > 0);
      const filled = rig.told(/· FILLED BUY Yes/u).length;
      expect(rig.told(ended).length, rig.transcript()).toBe(1);
      expect((await rig.trades()).length).toBe(filled);
      expect((await rig.posts()).filter((post) => post.status === 200).length).toBeLessThan(2);
      expect(await rig.balance()).toBe(1_000_000_000 - filled * 6_200_000);
    },
  );

  test("a server that is killed and comes back: what was asked for meanwhile is done once, and trading goes on", {
    timeout: allMs,
  }, async () => {
    await using own = await PostgresServer.open();
    await using rig = await openDesk(own.url(), ["storage.reconnect_max_ms=60000"]);
    await rig.play(resting);
    await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY");
    await own.kill();
    expect(rig.pressAll(/^Confirm/u)).toBe(1);
    await own.start();
    await rig.until(
      "the press has its answer",
      () => rig.told(/(FILLED|NOT SENT|CANCELED) /u).length > 0,
    );
    await rig.play("/orders\n!expect Yes");
    const bought = (await rig.trades()).length;
    expect(bought).toBe(rig.told(/· FILLED BUY Yes/u).length);
    expect((await rig.posts()).length).toBe(1 + bought);
  });

  test("a server that does not come back: nothing more is sent, everybody is told, and a kill cancels what rests", {
    timeout: allMs,
  }, async () => {
    await using own = await PostgresServer.open();
    await using rig = await openDesk(own.url(), ["storage.reconnect_max_ms=500"]);
    await rig.play(resting);
    await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY");
    const posts = (await rig.posts()).length;
    await own.kill();
    await rig.play("!press ^Confirm");
    const toldOfIt = () =>
      rig.desk.emulator.events.filter(
        ({ dir, text: said }) => dir === "out" && said.startsWith("LEDGER FAILED"),
      );
    await rig.until("every trader is told", () => toldOfIt().length >= traders.length);
    await rig.play("/kill the database");
    await rig.until("the venue has no order", async () => (await rig.openOrders()).length === 0);
    expect((await rig.posts()).length, rig.transcript()).toBe(posts);
    expect(await rig.trades()).toEqual([]);
    await own.start();
    await rig.play("!crash now\n!restart\n/orders\n!expect No open orders");
    expect(await rig.balance()).toBe(1_000_000_000);
  });
});

const config = (stateDir: string, storage: string): string => `
[service]
state_dir = ${JSON.stringify(stateDir)}
[relayer]
type = "fake"
base_url = "http://127.0.0.1:9"
gamma_url = "http://127.0.0.1:9/gamma"
data_url = "http://127.0.0.1:9/data"
ws_url = "ws://127.0.0.1:9/ws"
[telegram]
api_root = "http://127.0.0.1:9"
whitelist = [1001]
[storage]
${storage}
`;
/** Hardhat's published account 1: it guards nothing. */
const secrets = `
[relayer]
private_key = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
[telegram]
bot_token = "1000000001:${"a".repeat(35)}"
[storage]
password = "not-asked-for-here"
`;

async function refusal(storage: string, before: (dir: string) => Promise<void>): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), "postgres-desk-"));
  try {
    await before(dir);
    writeFileSync(join(dir, "service.toml"), config(dir, storage));
    writeFileSync(join(dir, "secrets.local.toml"), secrets, { mode: 0o600 });
    const child = spawn(
      process.execPath,
      [launcher, "run-service", "--config", join(dir, "service.toml")],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, XDG_STATE_HOME: join(dir, "user") },
      },
    );
    const said = await text(child.stderr);
    return `${child.exitCode ?? "running"} ${said}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

describe("a start that would lose sight of money is refused", () => {
  test("on PostgreSQL beside a ledger in a file", { timeout: allMs }, async () => {
    const storage = `kind = "postgres"\nurl = "${await freshUrl()}"`;
    const said = await refusal(storage, async (dir) => {
      await (await openLedger(join(dir, "ledger.db"))).close();
    });
    expect(said).toMatch(/ledger\.db shows that this desk's ledger is kept by .*"sqlite"/u);
  });

  test("on a file beside the note of a database", { timeout: allMs }, async () => {
    const said = await refusal('kind = "sqlite"', (dir) => {
      writeFileSync(join(dir, "ledger.seen"), "5 1 end");
      return Promise.resolve();
    });
    expect(said).toMatch(/ledger\.seen shows that this desk's ledger is kept by .*"postgres"/u);
  });

  test("on a database that has less than was acknowledged", { timeout: allMs }, async () => {
    const storage = `kind = "postgres"\nurl = "${await freshUrl()}"`;
    const said = await refusal(storage, (dir) => {
      writeFileSync(join(dir, "ledger.seen"), "5 1 end");
      return Promise.resolve();
    });
    expect(said).toMatch(/ends at row 0, but row 5 was acknowledged/u);
    expect(said).not.toContain("not-asked-for-here");
  });
});
