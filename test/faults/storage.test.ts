// Faults of the ledger's file (S4 to S6, K16): cut at every sector, half written back, locked, restored from a backup.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { openLedgerFile } from "../../src/adapters/sqlite/ledger-file.ts";
import { LedgerTable } from "../../src/adapters/sqlite/ledger-table.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { codeOf, rows, scratchFolder } from "../adapters/sqlite/support.ts";
import { priceOf, sharesOf } from "../engine/support/levels.ts";
import { openLiveDesk, until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";

const sector = 512;
const batchRows = 3;
const settled = 60;
const batches = 8;
const allMs = 120_000;

type Files = { readonly database: Buffer; readonly wal: Buffer };

/** The files of a ledger: `settled` rows written back into the database, then batches that only its log holds. */
function ledgerFiles(): { readonly files: Files; readonly all: readonly LogRecord[] } {
  const file = join(scratchFolder(), "ledger.db");
  const first = rows(1, settled, JSON.stringify({ filler: "x".repeat(100) }));
  const table = new LedgerTable(openLedgerFile(file));
  table.commit(first);
  table.close();
  const all = [...first];
  const again = new LedgerTable(openLedgerFile(file));
  for (let i = 0; i < batches; i++) {
    const batch = rows(all.length + 1, batchRows, JSON.stringify({ batch: i }));
    again.commit(batch);
    all.push(...batch);
  }
  const files = { database: readFileSync(file), wal: readFileSync(`${file}-wal`) };
  again.close();
  return { files, all };
}

const scratch = { file: "" };

/** Opens copies of the files as a restart would; the rows that are there, or the code of the refusal. */
function reopen(files: Files): readonly LogRecord[] | string {
  const { file } = scratch;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
  writeFileSync(file, files.database);
  writeFileSync(`${file}-wal`, files.wal);
  try {
    const table = new LedgerTable(openLedgerFile(file));
    try {
      return table.read(1, 10_000);
    } finally {
      table.close();
    }
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Every 512 bytes, and all of it. */
function cutsOf(bytes: Buffer): readonly number[] {
  const cuts = Array.from({ length: Math.ceil(bytes.length / sector) }, (_, i) => i * sector);
  return [...cuts, bytes.length];
}

/** A whole number of the batches that were committed, in order and unchanged, and at least what the database held. */
function expectCleanPrefix(found: readonly LogRecord[], all: readonly LogRecord[]): void {
  expect(found).toEqual(all.slice(0, found.length));
  expect(found.length).toBeGreaterThanOrEqual(settled);
  expect((found.length - settled) % batchRows).toBe(0);
}

describe("the ledger's files, damaged", () => {
  test("S5: its log cut at every 512 bytes: a clean prefix in whole commits, never less than was written back", {
    timeout: allMs,
  }, () => {
    scratch.file = join(scratchFolder(), "cut.db");
    const { files, all } = ledgerFiles();
    const lengths = new Set<number>();
    for (const at of cutsOf(files.wal)) {
      const found = reopen({ ...files, wal: files.wal.subarray(0, at) });
      if (typeof found === "string") expect.fail(`cut at ${at}: ${found}`);
      expectCleanPrefix(found, all);
      lengths.add(found.length);
    }
    // Every commit was the last one of some cut: the cuts were fine enough to meet each of them.
    expect(lengths.size).toBe(batches + 1);
  });

  test("S5: its database cut at every 512 bytes, with and without its log: a clean prefix or a refusal, never empty", {
    timeout: allMs,
  }, () => {
    scratch.file = join(scratchFolder(), "cut.db");
    const { files, all } = ledgerFiles();
    let refused = 0;
    for (const wal of [files.wal, Buffer.alloc(0)]) {
      for (let at = 0; at < files.database.length; at += sector) {
        const found = reopen({ database: files.database.subarray(0, at), wal });
        if (typeof found === "string") {
          expect(found).toBe("ledger_corrupt");
          refused += 1;
        } else expectCleanPrefix(found, all);
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test("S5: a bit flipped in every sector of its log: a clean prefix or a refusal", {
    timeout: allMs,
  }, () => {
    scratch.file = join(scratchFolder(), "cut.db");
    const { files, all } = ledgerFiles();
    for (let at = sector / 2; at < files.wal.length; at += sector) {
      const wal = Buffer.from(files.wal);
      wal[at] = (wal[at] ?? 0) ^ 1;
      const found = reopen({ ...files, wal });
      if (typeof found === "string") expect(found).toBe("ledger_corrupt");
      else expectCleanPrefix(found, all);
    }
  });

  test("S5: a bit flipped in every sector of its database: what is read is what was written, or it is refused", {
    timeout: allMs,
  }, () => {
    scratch.file = join(scratchFolder(), "cut.db");
    const { files, all } = ledgerFiles();
    let refused = 0;
    for (let at = sector / 2; at < files.database.length; at += sector) {
      const database = Buffer.from(files.database);
      database[at] = (database[at] ?? 0) ^ 1;
      const found = reopen({ ...files, database });
      if (typeof found === "string") {
        expect(found).toBe("ledger_corrupt");
        refused += 1;
      } else expectCleanPrefix(found, all);
    }
    expect(refused).toBeGreaterThan(0);
  });

  test("K16: its log written back up to any page: everything that was committed is there", {
    timeout: allMs,
  }, () => {
    scratch.file = join(scratchFolder(), "cut.db");
    const { files, all } = ledgerFiles();
    // What the database looks like when all of the log is in it.
    writeFileSync(scratch.file, files.database);
    writeFileSync(`${scratch.file}-wal`, files.wal);
    openLedgerFile(scratch.file).close();
    expect(existsSync(`${scratch.file}-wal`)).toBe(false);
    const whole = readFileSync(scratch.file);
    const pageBytes = whole.readUInt16BE(16);
    for (let done = 0; done <= whole.length; done += pageBytes) {
      const database = Buffer.concat([whole.subarray(0, done), files.database.subarray(done)]);
      const found = reopen({ database, wal: files.wal });
      expect(found).toEqual(all);
    }
  });

  test("K16: a file that was being made is made anew, and one that was renamed is whole", async () => {
    const file = join(scratchFolder(), "ledger.db");
    await (await openLedger(file)).close();
    const whole = readFileSync(file);
    rmSync(file);
    for (let at = 0; at <= whole.length; at += sector) {
      writeFileSync(`${file}.new`, whole.subarray(0, at));
      const table = new LedgerTable(openLedgerFile(file));
      expect(table.lastSeq).toBe(0);
      table.close();
      rmSync(file);
    }
  });
});

test("S9: a log that a reader keeps from being written back is told once it passes its bound, and the rows stay", async () => {
  const file = join(scratchFolder(), "ledger.db");
  const told: number[] = [];
  const largeLogBytes = 8 * 1024 * 1024;
  const ledger = await openLedger(file, { largeLogBytes, onLargeLog: (bytes) => told.push(bytes) });
  const body = JSON.stringify({ filler: "x".repeat(100_000) });
  let next = 1;
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await ledger.append(rows(next++, 1, body));
  };
  await write(1);
  const reader = new Database(file, { readonly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM ledger").get();
  await write(120);
  expect(told.length).toBe(1);
  expect(told[0]).toBeGreaterThan(largeLogBytes);
  reader.exec("COMMIT");
  reader.close();
  // Nobody reads any more: the log is written back and used from its start again, and its file is cut at the close.
  await write(60);
  expect(told.length).toBe(1);
  await ledger.close();
  const again = await openLedger(file);
  expect(await again.lastSeq()).toBe(next - 1);
  await again.close();
});

describe("the ledger's file, locked", () => {
  test("S4: a lock of another connection is waited for: the commit comes late and nothing is lost", async () => {
    const file = join(scratchFolder(), "ledger.db");
    let slow = 0;
    const ledger = await openLedger(file, { slowMs: 100, onSlow: () => (slow += 1) });
    const other = new Database(file);
    other.exec("BEGIN IMMEDIATE");
    const work = ledger.append(rows(1, 3));
    await expect.poll(() => slow).toBe(1);
    other.exec("COMMIT");
    other.close();
    await work;
    expect((await ledger.read(1, 10)).map((row) => row.seq)).toEqual([1, 2, 3]);
    await ledger.close();
  });

  test("S4: a lock that is not given back ends in a typed refusal within the bound, and the rows are told as lost", {
    timeout: allMs,
  }, async () => {
    const file = join(scratchFolder(), "ledger.db");
    const ledger = await openLedger(file);
    const other = new Database(file);
    other.exec("BEGIN IMMEDIATE");
    expect(await codeOf(ledger.append(rows(1, 3)))).toBe("ledger_locked");
    expect(await codeOf(ledger.append(rows(1, 3)))).toBe("ledger_locked");
    other.exec("ROLLBACK");
    other.close();
    await ledger.close();
  });
});

test("S6: a ledger from a backup: the missing trades are found before trading opens, and nothing is sent again", async () => {
  const resting = {
    conditionId: standing.conditionId,
    limit: priceOf("0.50"),
    amount: { unit: "shares", value: sharesOf("20") },
  } as const;
  let desk = await openLiveDesk();
  try {
    const { clientOid } = await desk.place(resting);
    await until("it rests", () => desk.order(clientOid).status === "live");
    const { orderHash } = desk.order(clientOid);
    const backup = `${desk.ledgerFile}.backup`;
    const copy = new Database(desk.ledgerFile, { readonly: true });
    copy.exec(`VACUUM INTO '${backup}'`);
    copy.close();
    // What happens after the backup: the resting order fills, and another order is made and filled.
    desk.venue.exchange.crowdTrade(standing.conditionId, "SELL", "0.5", "20");
    const later = await desk.place({ conditionId: standing.conditionId });
    await until("both are filled", () =>
      [clientOid, later.clientOid].every((oid) => desk.order(oid).status === "filled"),
    );
    const posts = (await desk.requests("POST", /^\/order$/)).length;
    const { cash } = desk.engine.state;
    desk = await desk.restart(() => {
      for (const suffix of ["-wal", "-shm"]) rmSync(`${desk.ledgerFile}${suffix}`, { force: true });
      copyFileSync(backup, desk.ledgerFile);
    });
    // `restart` returns once the comparison with the venue opened trading.
    const { state } = desk.engine;
    await until(
      "the trade of the restored order is booked",
      () => desk.order(clientOid).status === "filled",
    );
    const ours = [...state.fills.values()].filter((fill) => fill.orderHash === orderHash);
    expect(ours.length).toBe(1);
    await until("cash is what the venue has", () => state.cash === cash);
    expect((await desk.requests("POST", /^\/order$/)).length).toBe(posts);
  } finally {
    await desk.close();
  }
});
