// A desk's ledger on its way between a real file and a real server, with the program itself.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { acquireLease } from "../../src/adapters/sqlite/lease.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { meddle, openPlace } from "../contract/homes.ts";
import { allRows } from "../contract/ledger-contract.ts";
import { tradedLedger } from "../contract/traded-ledger.ts";
import { PostgresServer } from "./postgres.ts";

const allMs = 240_000;
const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const manyRows = 8_000;

/** A busy disk takes its time with a server's folder. */
const hookMs = 300_000;

let server: PostgresServer;
let dir: string;
let databases = 0;
beforeAll(async () => {
  server = await PostgresServer.open();
}, hookMs);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
}, hookMs);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ledger-move-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function freshUrl(): Promise<string> {
  const name = `moved${databases++}`;
  await meddle({ kind: "postgres", url: server.url(), witnessFile: "" }, `CREATE DATABASE ${name}`);
  return server.url(name);
}

function configure(storage: string): string {
  const file = join(dir, "service.toml");
  writeFileSync(
    file,
    `[service]\nstate_dir = "."\n[storage]\nconnect_timeout_ms = 30000\nstatement_timeout_ms = 30000\n${storage}\n`,
  );
  return file;
}

function move(config: string, ...args: readonly string[]) {
  const run = spawnSync(process.execPath, [mainFile, "ledger-move", "--config", config, ...args], {
    encoding: "utf8",
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const file = () => join(dir, "ledger.db");

async function fill(records: readonly LogRecord[]): Promise<void> {
  const ledger = await openLedger(file());
  for (let at = 0; at < records.length; at += 1_000) {
    await ledger.append(records.slice(at, at + 1_000));
  }
  await ledger.close();
}

async function rowsIn(place: string): Promise<LogRecord[]> {
  const ledger = place.startsWith("postgres:")
    ? await openPlace({ kind: "postgres", url: place, witnessFile: join(dir, "test.seen") })
    : await openLedger(place);
  const rows = await allRows(ledger);
  await ledger.close();
  rmSync(join(dir, "test.seen"), { force: true });
  return rows;
}

/** Rows in the copy so far, by a connection of nobody's. */
async function copiedCount(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>("SELECT count(*) FROM ledger");
    return Number(rows[0]?.count);
  } catch {
    // Its table is not made yet.
    return 0;
  } finally {
    await client.end();
  }
}

/** A ledger that takes a while: what was traded, then many commands. */
function longLedger(): LogRecord[] {
  const traded = tradedLedger();
  const sample = traded.find(({ kind }) => kind === "command.received");
  if (sample === undefined) expect.fail("the desk received no command");
  const fact = JSON.parse(sample.body) as { command: { commandId: string; text: string } };
  const more = Array.from({ length: manyRows - traded.length }, (_, i): LogRecord => {
    const seq = traded.length + i + 1;
    const command = { ...fact.command, commandId: `tg:many-${i}`, text: "x".repeat(2_000) };
    return { ...sample, seq, body: JSON.stringify({ ...fact, command }) };
  });
  return [...traded, ...more];
}

describe("ledger-move", () => {
  test("to PostgreSQL and back: the same rows, the same state; nothing starts on the copy by itself", {
    timeout: allMs,
  }, async () => {
    const records = tradedLedger();
    await fill(records);
    const url = await freshUrl();
    const there = move(configure(""), "--to", "postgres", "--url", url);
    expect(there).toMatchObject({ code: 0, err: "" });
    expect(there.out).toContain(`${records.length} rows are in the copy. `);
    expect(there.out).toContain(`url = "${url}"`);
    expect(await rowsIn(file())).toEqual(records);
    expect(await rowsIn(url)).toEqual(records);

    // Both homes say that the desk lives elsewhere, until somebody decides.
    const undecided = move(configure(""), "--to", "postgres", "--url", await freshUrl());
    expect(undecided.code).toBe(2);
    expect(undecided.err).toContain("ledger.seen");
    const inDatabase = configure(`kind = "postgres"\nurl = "${url}"`);
    expect(move(inDatabase, "--to", "sqlite").err).toContain("ledger.db");

    renameSync(file(), join(dir, "ledger.db.moved"));
    const back = move(inDatabase, "--to", "sqlite");
    expect(back).toMatchObject({ code: 0, err: "" });
    expect(await rowsIn(file())).toEqual(records);
    expect(await rowsIn(url)).toEqual(records);
    const digests = [there.out, back.out].map((out) => /state ([0-9a-f]{64})/u.exec(out)?.[1]);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/u);
    expect(digests[1]).toBe(digests[0]);
  });

  test("is refused while the desk is held, onto what is not empty, and from nothing", {
    timeout: allMs,
  }, async () => {
    const config = configure("");
    const url = await freshUrl();
    const onto = ["--to", "postgres", "--url", url];
    expect(move(config, ...onto).err).toContain("nothing to move");
    const records = tradedLedger();
    await fill(records);
    const lease = acquireLease(join(dir, "service.lease"), {
      pid: 7,
      sinceMs: 0,
      purpose: "run-service desk",
    });
    const held = move(config, ...onto);
    expect(held.code).toBe(2);
    expect(held.err).toContain("process 7 (run-service desk)");
    if (lease.ok) lease.lease.release();
    const other = await openPlace({ kind: "postgres", url, witnessFile: join(dir, "test.seen") });
    await other.append(records.slice(0, 3));
    await other.close();
    const full = move(config, ...onto);
    expect(full.code).toBe(2);
    expect(full.err).toContain("holds a ledger of 3 rows already");
    expect(await copiedCount(url)).toBe(3);
    expect(await rowsIn(file())).toEqual(records);
    expect(existsSync(join(dir, "ledger.seen"))).toBe(false);
    expect(move(config, "--to", "sqlite").code).toBe(2);
    expect(move(config, "--to", "postgres", "--url", "postgres://a:secret@h/d").code).toBe(2);
  });

  test("cut off by kill -9 in the middle it is no home of the desk, and the next run goes on", {
    timeout: allMs,
  }, async () => {
    const records = longLedger();
    await fill(records);
    const config = configure("");
    const url = await freshUrl();
    const onto = ["--to", "postgres", "--url", url];
    const child = spawn(process.execPath, [mainFile, "ledger-move", "--config", config, ...onto], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(child, "close");
    await expect.poll(() => copiedCount(url), { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
    child.kill("SIGKILL");
    await ended;
    expect(child.signalCode).toBe("SIGKILL");
    const copied = await copiedCount(url);
    expect(copied).toBeLessThan(records.length);
    expect(existsSync(join(dir, "ledger.seen"))).toBe(false);
    expect(await rowsIn(file())).toEqual(records);
    const again = move(config, ...onto);
    expect(again).toMatchObject({ code: 0, err: "" });
    expect(again.out).toMatch(new RegExp(`^${records.length} rows .*by an earlier run`, "u"));
    expect(await rowsIn(url)).toEqual(records);
    expect(existsSync(join(dir, "ledger.seen"))).toBe(true);
  });

  test("a copy that somebody changed meanwhile is found out, and nothing starts on it", {
    timeout: allMs,
  }, async () => {
    const records = tradedLedger();
    await fill(records);
    const url = await freshUrl();
    // Another ledger's rows where the unfinished copy should be.
    const other = await openPlace({
      kind: "postgres",
      url,
      witnessFile: join(dir, "ledger.seen.moving"),
    });
    const [first] = records;
    if (first === undefined) expect.fail("no rows");
    await other.append([{ ...first, correlationId: "another desk" }]);
    await other.close();
    const refused = move(configure(""), "--to", "postgres", "--url", url);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("differs from the ledger at row 1");
    expect(await copiedCount(url)).toBe(1);
    expect(existsSync(join(dir, "ledger.seen"))).toBe(false);
  });
});
