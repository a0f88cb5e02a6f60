import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openTapeRecorder } from "../../src/adapters/tape/tape-recorder.ts";
import { openSqliteStore } from "../../src/open-store.ts";
import { identity } from "../adapters/tape/frames.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));

test("load fills the store from a recording, once, and says what is wrong with a file", async () => {
  const dir = mkdtempSync(join(tmpdir(), "load-"));
  try {
    const config = join(dir, "service.toml");
    writeFileSync(config, '[service]\nstate_dir = "."\n');
    const trade = {
      event_type: "last_trade_price",
      asset_id: "1".repeat(77),
      market: `0x${"ab".repeat(32)}`,
      price: "0.53",
      size: "12.25",
      side: "SELL",
      fee_rate_bps: "0",
      timestamp: "1784500000000",
    };
    const recording = join(dir, "tuesday.jsonl");
    const line = JSON.stringify({ t: 1_784_500_000_001, frame: JSON.stringify(trade) });
    writeFileSync(recording, `${line}\n${line}\n`);
    const load = (...args: readonly string[]) => {
      const run = spawnSync(process.execPath, [launcher, "load", "--config", config, ...args], {
        encoding: "utf8",
      });
      return { code: run.status, out: run.stdout, err: run.stderr };
    };
    expect(load(recording)).toEqual({
      code: 0,
      out: "ledger: none yet\ntuesday.jsonl: 0 book events, 0 snapshots, 2 trades\n",
      err: "",
    });
    expect(load(recording).out).toContain("0 trades; 2 frames were there already");
    const folder = join(dir, "wednesday");
    const recorder = await openTapeRecorder({ folder, identity });
    recorder.frame(1_784_500_000_001, Buffer.from(JSON.stringify(trade)));
    await recorder.close();
    expect(load(folder).out).toContain("wednesday: 0 book events, 0 snapshots, 1 trades\n");
    expect(load(folder).out).toContain("0 trades; 1 frames were there already");
    // Another recorder's folder of the same name.
    const other = join(dir, "elsewhere", "wednesday");
    mkdirSync(other, { recursive: true });
    const second = await openTapeRecorder({ folder: other, identity });
    second.frame(1_784_500_000_001, Buffer.from(JSON.stringify(trade)));
    await second.close();
    expect(load(other).out).toContain("wednesday: 0 book events, 0 snapshots, 1 trades\n");
    const missing = load(join(dir, "nothing.jsonl"));
    expect(missing.code).toBe(2);
    expect(missing.err).toContain("nothing.jsonl");
    const store = openSqliteStore(join(dir, "store.db"));
    const trades = await store.db.selectFrom("trades").selectAll().execute();
    await store.close();
    expect(trades.map((row) => [row.side, row.price_e4, row.size_e6])).toEqual([
      [1, 5300, 12_250_000],
      [1, 5300, 12_250_000],
      [1, 5300, 12_250_000],
      [1, 5300, 12_250_000],
    ]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 120_000);
