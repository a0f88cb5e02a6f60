// A service whose ledger cannot be read back must say so and end: a supervisor cannot help a process that hangs.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
const endMs = 20_000;

/** Nothing listens there: the ledger is read before the venue is asked. */
const config = (stateDir: string): string => `
[service]
name = "test"
state_dir = ${JSON.stringify(stateDir)}
[relayer]
type = "fake"
base_url = "http://127.0.0.1:9"
gamma_url = "http://127.0.0.1:9/gamma"
data_url = "http://127.0.0.1:9/data"
ws_url = "ws://127.0.0.1:9/ws"
chain_id = 137
[telegram]
transport = "polling"
api_root = "http://127.0.0.1:9"
whitelist = [1001]
`;

/** Hardhat's published account 1: it guards nothing. */
const secrets = `
[relayer]
private_key = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
[telegram]
bot_token = "1000000001:${"a".repeat(35)}"
webhook_secret = "${"b".repeat(32)}"
`;

test(
  "run-service on a ledger with a changed row names the row and ends with exit 1",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "damaged-ledger-"));
    try {
      const file = join(dir, "ledger.db");
      const ledger = await openLedger(file);
      const row = { atMs: 1, kind: "run.started", stepId: 1, correlationId: "start", body: "{}" };
      await ledger.append([
        { ...row, seq: 1 },
        { ...row, seq: 2 },
      ]);
      await ledger.close();
      const db = new Database(file);
      db.prepare("UPDATE ledger SET body = '{\"x\":1}' WHERE seq = 1").run();
      db.close();
      const configFile = join(dir, "service.toml");
      writeFileSync(configFile, config(dir));
      writeFileSync(join(dir, "secrets.local.toml"), secrets, { mode: 0o600 });

      const child = spawn(process.execPath, [launcher, "run-service", "--config", configFile], {
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, XDG_STATE_HOME: dir },
      });
      const hangs = setTimeout(() => child.kill("SIGKILL"), endMs);
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const errors = await text(child.stderr);
      expect([await ended, errors]).toEqual([
        1,
        expect.stringMatching(
          /ledger cannot be used: ledger row 1 .* restore the file from a backup/u,
        ),
      ]);
      clearTimeout(hangs);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
  2 * endMs,
);
