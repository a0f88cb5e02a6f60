import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../../src/adapters/sqlite/ledger.ts";
import {
  openLedgerFile,
  requireDurable,
  requireVersion,
} from "../../../src/adapters/sqlite/ledger-file.ts";
import { allRows, durableSeq, watched } from "../../contract/ledger-contract.ts";
import { closedLater, codeOf, rows, scratchFolder } from "./support.ts";

const appendLoop = new URL("../../contract/append-loop.ts", import.meta.url).pathname;

/** Opens, writes `count` rows, closes. */
async function ledgerWith(count: number, body?: string): Promise<string> {
  const file = join(scratchFolder(), "ledger.db");
  const ledger = await openLedger(file);
  await ledger.append(rows(1, count, body));
  await ledger.close();
  return file;
}

describe("the ledger", () => {
  test("batches that wait share one commit, and each resolves in order", async () => {
    const file = join(scratchFolder(), "ledger.db");
    const ledger = closedLater(await openLedger(file));
    const resolved: number[] = [];
    const appends = Array.from({ length: 200 }, (_, i) =>
      ledger.append(rows(i + 1, 1)).then(() => resolved.push(i + 1)),
    );
    await Promise.all(appends);
    expect(resolved).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    // Each commit writes the table's last page to the log again; 200 commits would write at least 200 frames.
    const frames = (statSync(`${file}-wal`).size - 32) / (4096 + 24);
    expect(frames).toBeLessThan(60);
  });

  test("tells about a commit that hangs, while it hangs", async () => {
    const file = join(scratchFolder(), "ledger.db");
    await (await openLedger(file)).close();
    const other = new Database(file);
    const slow: number[] = [];
    const ledger = closedLater(
      await openLedger(file, { slowMs: 50, onSlow: (waitedMs) => slow.push(waitedMs) }),
    );
    other.exec("BEGIN IMMEDIATE");
    const append = ledger.append(rows(1, 1));
    await expect.poll(() => slow).toEqual([50]);
    other.exec("ROLLBACK");
    other.close();
    await append;
    expect(slow).toEqual([50]);
  });

  test("a commit that fails fails everything after it", async () => {
    const file = join(scratchFolder(), "ledger.db");
    const ledger = closedLater(await openLedger(file));
    await ledger.append(rows(1, 1));
    expect(["", "-wal", "-shm"].map((part) => statSync(`${file}${part}`).mode & 0o777)).toEqual([
      0o600, 0o600, 0o600,
    ]);
    // A second writer, which the lease normally prevents, takes the next number.
    const other = new Database(file);
    other.prepare("INSERT INTO ledger VALUES (2, 0, 0, 'x', 'x', '{}', 0)").run();
    other.close();
    const appends = [
      ledger.append(rows(2, 1)),
      ledger.append(rows(3, 1)),
      ledger.append(rows(4, 1)),
    ];
    for (const append of appends) expect(await codeOf(append)).toBe("ledger_second_writer");
    expect(await codeOf(ledger.append(rows(5, 1)))).toBe("ledger_second_writer");
    expect(await ledger.lastSeq()).toBe(1);
  });
});

/** Zeroes the root page of an index: SQLite opens such a file and reads the table without complaint. */
function damageIndex(file: string): void {
  const database = new Database(file);
  const page = Number(
    database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'ledger_kind'").pluck().get(),
  );
  database.close();
  const bytes = readFileSync(file);
  bytes.fill(0, (page - 1) * 4096, page * 4096);
  writeFileSync(file, bytes);
}

describe("the ledger's file", () => {
  test("is in WAL mode with every commit synced, read back from SQLite", () => {
    const database = openLedgerFile(join(scratchFolder(), "ledger.db"));
    const pragma = (name: string) => database.pragma(name, { simple: true });
    expect([pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")]).toEqual([
      "wal",
      2,
      1,
    ]);
    expect(Number(pragma("busy_timeout"))).toBeGreaterThan(0);
    const indexes = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'index'")
      .pluck()
      .all();
    expect(indexes).toEqual(["ledger_kind", "ledger_correlation_id"]);
    database.close();
  });

  test("where SQLite does not give WAL and FULL it is refused", () => {
    const memory = new Database(":memory:");
    memory.pragma("journal_mode = WAL");
    expect(() => requireDurable(memory)).toThrow(
      "SQLite did not take journal_mode = wal, it is memory",
    );
    memory.close();
    const normal = new Database(join(scratchFolder(), "normal.db"));
    normal.pragma("journal_mode = WAL");
    normal.pragma("synchronous = NORMAL");
    expect(() => requireDurable(normal)).toThrow("SQLite did not take synchronous = 2, it is 1");
    normal.close();
  });

  test.each([
    ["3.51.2", false],
    ["3.50.9", false],
    ["2.99.99", false],
    ["", false],
    ["3.51.3", true],
    ["3.54.0", true],
    ["4.0.0", true],
  ])("SQLite %s is accepted: %s", (version, accepted) => {
    if (accepted) expect(() => requireVersion(version)).not.toThrow();
    else expect(() => requireVersion(version)).toThrow(/may corrupt the ledger/);
  });

  test("of a newer program is refused and left alone", async () => {
    const file = await ledgerWith(3);
    const database = new Database(file);
    database.pragma("user_version = 99");
    database.close();
    const before = readFileSync(file);
    expect(await codeOf(openLedger(file))).toBe("ledger_newer_schema");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.each([
    ["empty", (file: string) => truncateSync(file, 0)],
    ["truncated", (file: string) => truncateSync(file, statSync(file).size - 4096)],
    [
      "text",
      (file: string) =>
        writeFileSync(file, "not a database at all, but long enough to look".repeat(50)),
    ],
    ["damaged in an index that no read touches", damageIndex],
    [
      "missing beside its log",
      (file: string) => {
        writeFileSync(`${file}-wal`, "left over");
        rmSync(file);
      },
    ],
    [
      "another program's",
      (file: string) => {
        rmSync(file);
        const other = new Database(file);
        other.exec("CREATE TABLE ledger (seq INTEGER)");
        other.close();
      },
    ],
  ])("that is %s is refused, never replaced by an empty one", async (_, harm) => {
    const file = await ledgerWith(400, JSON.stringify({ filler: "x".repeat(200) }));
    harm(file);
    const before = existsSync(file) ? readFileSync(file) : null;
    expect(await codeOf(openLedger(file))).toBe("ledger_corrupt");
    expect(await codeOf(openLedger(file))).toBe("ledger_corrupt");
    expect(existsSync(file) ? readFileSync(file) : null).toEqual(before);
  });

  test("with one flipped bit inside a row is noticed when that row is read", async () => {
    const file = await ledgerWith(400, '{"shares":"200"}');
    const bytes = readFileSync(file);
    const at = bytes.lastIndexOf('"shares":"200"') + 10;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const ledger = closedLater(await openLedger(file));
    expect(await codeOf(allRows(ledger))).toBe("ledger_corrupt");
  });

  test("a folder that does not exist is an error, not a new ledger somewhere", async () => {
    const code = await codeOf(openLedger(join(scratchFolder(), "nowhere", "ledger.db")));
    expect(code).toMatch(/^ledger_(io|failed)$/);
  });
});

describe("crashes", () => {
  test("a full disk refuses the commit with a typed error, and the file opens again", async () => {
    const file = join(scratchFolder(), "ledger.db");
    await (await openLedger(file)).close();
    // The shell's file size limit makes write() fail as a full disk does: 2,000 blocks of 1 KiB.
    const script = 'ulimit -f 2000; exec "$0" "$1" "$2" 5000';
    const place = JSON.stringify({ kind: "sqlite", file });
    const loop = watched("bash", ["-c", script, process.execPath, appendLoop, place]);
    await loop.ended;
    expect(loop.child.exitCode).toBe(0);
    expect(loop.lines.at(-1)).toMatch(/^failed (ledger_disk_full|ledger_io) then \1$/);
    const acknowledged = durableSeq(loop.lines);
    expect(acknowledged).toBeGreaterThan(50);

    const ledger = closedLater(await openLedger(file));
    expect((await allRows(ledger)).length).toBeGreaterThanOrEqual(acknowledged);
    expect(existsSync(`${file}.new`)).toBe(false);
  });
});
