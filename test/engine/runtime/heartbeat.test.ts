import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createGammaHandler } from "../../../src/adapters/paper-venue/world/gamma-handler.ts";
import {
  createPolymarket,
  type Polymarket,
} from "../../../src/adapters/polymarket/create-polymarket.ts";
import { until } from "../support/live-desk.ts";
import { listStandingMarkets } from "../support/standing-world.ts";

const childFile = new URL("../support/heartbeat-child.ts", import.meta.url).pathname;
/** A tenth of the venue's own ten seconds, as the waits of the service are. */
const venueTimeoutMs = 1_000;
const blockMs = 2_500;

/** Hardhat's published account 1: it guards nothing. */
const privateKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

type Row = { readonly method: string; readonly path: string; readonly status: number };

let venue: PaperVenue;
let folder: string;
let base: string;
let child: ChildProcess;
/** The same account, looked at from here. */
let account: Polymarket;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "pitboss-heartbeat-"));
  venue = createPaperVenue({
    stateDir: join(folder, "venue"),
    settleMs: 10,
    heartbeatTimeoutMs: venueTimeoutMs,
  });
  listStandingMarkets(venue.exchange);
  const { exchange } = venue;
  venue.setMounts({ gamma: createGammaHandler({ exchange, metadata: () => null }) });
  base = `http://127.0.0.1:${(await venue.listen(0)).port}`;
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await account.close();
  await venue.close();
  rmSync(folder, { recursive: true, force: true });
});

function writeConfig(heartbeat: string): string {
  mkdirSync(join(folder, "desk"));
  const file = join(folder, "desk", "service.toml");
  const [gamma, ws] = [`${base}/gamma`, `${base.replace("http", "ws")}/ws`];
  writeFileSync(
    file,
    `[service]
state_dir = "state"
stall_ms = 1000
[relayer]
type = "fake"
base_url = "${base}"
gamma_url = "${gamma}"
data_url = "${base}/data"
ws_url = "${ws}"
dry_run = false
heartbeat = "${heartbeat}"
[venue_waits]
time_scale = 10
post_timeout_ms = 30000
read_timeout_ms = 30000
connect_timeout_ms = 30000
order_deadline_ms = 60000
ledger_commit_max_ms = 60000
feed_lost_after_ms = 120000
reconcile_interval_ms = 600000
heartbeat_interval_ms = 2000
[risk]
duplicate_window_ms = 0
[telegram]
whitelist = [1]
[telemetry]
log_file = "service.log"
`,
  );
  const secrets = `[relayer]\nprivate_key = "${privateKey}"\n[telegram]\nbot_token = "123456789:${"a".repeat(35)}"\n`;
  writeFileSync(join(folder, "desk", "secrets.local.toml"), secrets, { mode: 0o600 });
  return file;
}

async function said(): Promise<Record<string, unknown>> {
  const [message] = (await once(child, "message")) as [Record<string, unknown>];
  return message;
}

async function startChild(heartbeat: string): Promise<void> {
  const env = { ...process.env, XDG_STATE_HOME: join(folder, "user") };
  child = fork(childFile, [writeConfig(heartbeat)], { env, stdio: ["ignore", 1, 2, "ipc"] });
  expect(await said()).toEqual({ resting: true });
  account = createPolymarket({
    urls: { clob: base, gamma: `${base}/gamma`, ws: `${base.replace("http", "ws")}/ws` },
    chainId: 137,
    privateKey,
    signatureType: 0,
    funder: null,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  await account.venue.connect();
}

async function log(): Promise<Row[]> {
  const answer = await fetch(`${base}/paper/log?path=.`);
  return (await answer.json()) as Row[];
}

const beatsIn = (rows: readonly Row[]) => rows.filter((row) => row.path === "/v1/heartbeats");

describe("the venue's dead-man switch, from a thread of a real process", () => {
  test("a blocked main loop stops the beats: the venue cancels, and the desk reads again before it trades (C4, V26)", async () => {
    await startChild("auto");
    await until("it beats", async () => beatsIn(await log()).length >= 3);
    // Chained ids: none of these was refused.
    expect(beatsIn(await log()).every((row) => row.status === 200)).toBe(true);
    const answering = said();
    child.send({ block: blockMs });
    await until("the venue cancels by itself", async () => (await openAtVenue()) === 0);
    const before = await log();
    expect(before.some((row) => row.method === "DELETE")).toBe(false);
    const { early, told } = await answering;
    expect(early).toBe("card_expired");
    expect(told).toEqual(expect.arrayContaining(["degraded", "degraded.over"]));
    const after = (await log()).slice(before.length);
    const read = after.findIndex((row) => row.path.startsWith("/data/orders"));
    const post = after.findIndex((row) => row.method === "POST" && row.path === "/order");
    expect(read).toBeGreaterThanOrEqual(0);
    expect(post).toBeGreaterThan(read);
    // A new chain begins: the old id is refused with the expected one, which is taken at once.
    await until("it beats again", async () =>
      beatsIn((await log()).slice(before.length)).some((row) => row.status === 200),
    );
  }, 60_000);

  test("with heartbeat = off nothing beats, and what rests outlives a blocked loop", async () => {
    await startChild("off");
    const before = (await log()).length;
    child.send({ block: blockMs });
    // The loop moves again only after the block, which is longer than the venue's patience.
    await until("the account is read again", async () => {
      const rows = (await log()).slice(before);
      return rows.some((row) => row.path.startsWith("/data/orders"));
    });
    expect(beatsIn(await log())).toEqual([]);
    expect(await openAtVenue()).toBe(1);
  }, 60_000);
});

async function openAtVenue(): Promise<number> {
  const open = await account.venue.openOrders();
  return open.ok ? open.value.length : -1;
}
