import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import {
  type ControlHandlers,
  type ControlServer,
  startControlServer,
} from "../../../src/adapters/system/control-server.ts";
import { killFileIn } from "../../../src/adapters/system/kill-file.ts";
import type { DeskView, OrderView } from "../../../src/engine/api/views.ts";
import type { Price, Shares, Usd } from "../../../src/engine/domain/numbers.ts";
import { decidedAfter } from "../../../src/engine/domain/order-timing.ts";
import { sampleReport } from "../../cli/sample-report.ts";

const runCommand = new URL("./run-command.ts", import.meta.url).pathname;
const folders: string[] = [];
const servers: ControlServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pb-"));
  folders.push(folder);
  return folder;
}

const view: DeskView = {
  mode: "paper",
  atMs: 1_700_000_100_000,
  startedAtMs: 1_700_000_000_000,
  trading: {
    state: "killed",
    reason: null,
    causes: [],
    sinceMs: 1_700_000_000_000,
    byUserId: 7,
    note: "too \u001b[31mhot",
  },
  cash: 1_000_123_456 as Usd,
  locked: 25_000_000 as Usd,
  cashFree: 975_123_456 as Usd,
  positionsUsd: 12_000_000 as Usd,
  unpriced: 1,
  positionsAgeMs: 700,
  exposureUsd: 37_000_000 as Usd,
  exposureCapUsd: 800_000_000 as Usd,
  openOrders: 1,
  unknownOrders: 1,
  inFlightOrders: 0,
  positions: 2,
  feeds: [
    { name: "market", up: true, ageMs: 400 },
    { name: "user", up: false, ageMs: null },
  ],
  lastOrderAtMs: 1_700_000_090_000,
  queue: 0,
  booksLive: 3,
  booksStale: 1,
  data: { applied: 12_345, invalid: 2, resyncs: 3, hashesTrusted: true, oldestMs: 1_500 },
  ledgerSeq: 42,
  resumeNeedsCode: true,
  warnings: ["one order is unknown for 2 min"],
};

function order(change: Partial<OrderView> = {}): OrderView {
  return {
    clientOid: "oid-1",
    shortId: "1234abcd",
    orderHash: "0x1234abcd",
    conditionId: "0xc",
    question: "Will the title redraw \u202e the terminal?",
    outcome: 0,
    outcomeName: "Yes",
    side: "buy",
    timeInForce: "gtc",
    status: "live",
    rejectReason: null,
    limit: 6200 as Price,
    size: 40_322_581 as Shares,
    spend: null,
    filled: 0 as Shares,
    filledUsd: 0 as Usd,
    feesUsd: 0 as Usd,
    reservedUsd: 25_000_000 as Usd,
    createdAtMs: 1_700_000_040_000,
    planId: "p",
    leg: 0,
    strategy: "manual",
    cancelAsked: false,
    timing: decidedAfter("p", 0, 3),
    delayed: false,
    ...change,
  };
}

const handlers: ControlHandlers = {
  status: () => Promise.resolve({ view, orders: [order()] }),
  report: async () => sampleReport(),
  metrics: async () => ({ page: "" }),
  health: () => Promise.resolve({ ready: true, degraded: [], modules: [] }),
  kill: () => Promise.resolve({ openOrders: 0 }),
};

async function serve(own: Partial<ControlHandlers> = {}): Promise<string> {
  const state = scratchFolder();
  servers.push(await startControlServer(join(state, "control.sock"), { ...handlers, ...own }));
  return state;
}

async function run(...args: string[]) {
  const child = spawn(process.execPath, [runCommand, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: child.exitCode, out, errors };
}

describe("status", () => {
  test("shows mode, trading state, money, exposure, orders and feeds with their age", async () => {
    const { code, out, errors } = await run("status", "--verbose", "--state", await serve());
    expect(errors).toBe("");
    expect(code).toBe(0);
    for (const fact of [
      "PAPER · KILLED by user 7 since 2023-11-14 22:13:20 UTC (too  [31mhot) · up 100 s",
      "$1000.12  ($975.12 free, $25.00 locked by orders)",
      "2 worth $12.00 at best bids up to 0.7 s old, 1 without a bid counted as $0.00",
      "$37.00 of $800.00",
      "1 open, 0 in flight, 1 unknown, last 10 s ago",
      "3 live, 1 stale",
      "resume     in two steps, the second with a one-time code",
      "market up (0.4 s ago), user DOWN (never heard)",
      "WARNING    one order is unknown for 2 min",
      "1234abcd  BUY Yes 0/40.322581 sh @ $0.62 gtc  live  60 s",
    ]) {
      expect(out).toContain(fact);
    }
    expect(out).not.toContain("\u001b");
    expect(out).not.toContain("\u202e");
  });

  test("names the causes for which only sales are taken", async () => {
    const trading = {
      ...view.trading,
      ...({ state: "reducing", byUserId: null, note: "" } as const),
      causes: ["over_cap", "venue_restarting"] as const,
    };
    const status = () => Promise.resolve({ view: { ...view, trading }, orders: [] });
    const { out } = await run("status", "--state", await serve({ status }));
    expect(out).toContain(
      "PAPER · REDUCING since 2023-11-14 22:13:20 UTC (over_cap, venue_restarting) · up",
    );
  });

  test("--json gives the service's own answer", async () => {
    const { code, out } = await run("status", "--json", "--state", await serve());
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ ok: true, view, orders: [order()] });
  });

  test("finds the service by its config, too", async () => {
    const state = await serve();
    const config = join(scratchFolder(), "desk.toml");
    writeFileSync(config, `[service]\nstate_dir = "${state}"\n`);
    expect((await run("status", "--config", config)).code).toBe(0);
  });

  test("says in one line when nothing runs (3), wrong use and a bad config (2), --help (0)", async () => {
    const gone = await run("status", "--state", scratchFolder());
    expect(gone.code).toBe(3);
    expect(gone.errors).toMatch(/^not running: nobody answers on \S+control\.sock\n$/);
    const forPrograms = await run("status", "--json", "--state", scratchFolder());
    expect(forPrograms.code).toBe(3);
    expect(JSON.parse(forPrograms.out)).toMatchObject({ ok: false, error: "not_running" });
    const wrong = await run("status", "--stat", "x");
    expect(wrong.code).toBe(2);
    expect(wrong.errors).toContain("usage: pitboss status");
    const config = join(scratchFolder(), "desk.toml");
    writeFileSync(config, "[risk]\nmax = 1\nmin = 2\n");
    const bad = await run("status", "--config", config);
    expect(bad.code).toBe(2);
    expect(bad.errors.trim().split("\n")).toHaveLength(2);
    const help = await run("status", "--help");
    expect(help.code).toBe(0);
    expect(help.out).toContain("example: pitboss status");
  });

  test("a service that hangs up or talks nonsense is not called 'not running'", async () => {
    const state = scratchFolder();
    const server = createServer((socket) => socket.end("what?\n"));
    server.listen(join(state, "control.sock"));
    await once(server, "listening");
    const { code, errors } = await run("status", "--state", state);
    server.close();
    expect(code).toBe(1);
    expect(errors).toContain("did not answer");
  });
});

describe("health", () => {
  test.each([
    [true, [], 0, "ready\n"],
    [true, ["user feed"], 1, "degraded: user feed\n"],
    [false, ["ledger", "chat"], 1, "degraded: ledger, chat\n"],
    [false, [], 1, "degraded: not ready yet\n"],
  ])("ready %s, degraded %j: exit %i", async (ready, degraded, exitCode, first) => {
    const modules = [{ name: "ledger", state: "up", detail: "row 42" }];
    const state = await serve({ health: () => Promise.resolve({ ready, degraded, modules }) });
    const { code, out } = await run("health", "--state", state);
    expect(code).toBe(exitCode);
    expect(out).toBe(`${first}ledger  up  row 42\n`);
  });

  test("not running is 3", async () => {
    expect((await run("health", "--state", scratchFolder())).code).toBe(3);
  });
});

describe("kill", () => {
  test("is the first thing asked, carries its note, and tells what became of each order", async () => {
    const asked: string[] = [];
    let looks = 0;
    const open = [
      order(),
      order({ clientOid: "oid-2", shortId: "2222aaaa" }),
      order({ clientOid: "oid-3", shortId: "3333bbbb" }),
    ];
    const state = await serve({
      kill: ({ note }) => {
        asked.push(`kill ${note}`);
        return Promise.resolve({ openOrders: 3 });
      },
      status: () => {
        asked.push("status");
        looks++;
        const later = [
          order({ status: "canceled" }),
          order({
            clientOid: "oid-2",
            shortId: "2222aaaa",
            status: "filled",
            filled: 40_322_581 as Shares,
          }),
        ];
        return Promise.resolve({ view, orders: looks < 3 ? open : later });
      },
    });
    const { code, out } = await run("kill", "wrong prices", "--state", state);
    expect(asked[0]).toBe("kill wrong prices");
    expect(code).toBe(0);
    const lines = out.trim().split("\n");
    expect(lines[0]).toBe("KILLED: trading is stopped, 3 open orders are being cancelled");
    expect(lines[1]).toMatch(/^1234abcd .* canceled /);
    expect(lines[2]).toMatch(/^2222aaaa .* filled /);
    expect(lines[3]).toMatch(/^3333bbbb .* over /);
    expect(lines[4]).toBe("no order is open any more; positions are kept");
  });

  test("an order that is canceled before the first look is told, too", async () => {
    const state = await serve({
      kill: () => Promise.resolve({ openOrders: 1, orders: [order()] }),
      status: () => Promise.resolve({ view, orders: [order({ status: "canceled" })] }),
    });
    const { code, out } = await run("kill", "--state", state);
    expect(code).toBe(0);
    expect(out).toMatch(/^1234abcd .* canceled /m);
  });

  test("--no-wait and --json; a note that is too long is refused before anything is sent", async () => {
    let kills = 0;
    const state = await serve({ kill: () => Promise.resolve({ openOrders: ++kills }) });
    const { code, out } = await run("kill", "--no-wait", "--json", "--state", state);
    expect([code, JSON.parse(out)]).toEqual([0, { ok: true, openOrders: 1 }]);
    expect((await run("kill", "x".repeat(201), "--state", state)).code).toBe(2);
    expect((await run("kill", "two", "notes", "--state", state)).code).toBe(2);
    expect(kills).toBe(1);
  });

  test("a refused kill is exit 1 with the reason, not running is 3", async () => {
    const state = await serve({ kill: () => Promise.reject(new Error("the ledger failed")) });
    const refused = await run("kill", "--state", state);
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain("the ledger failed");
    expect((await run("kill", "--state", scratchFolder())).code).toBe(3);
  });

  test("that nobody answers leaves a kill file for the next start, only in a folder that is there", async () => {
    const state = scratchFolder();
    const { code, errors } = await run("kill", "wrong prices", "--state", state);
    expect(code).toBe(3);
    expect(errors).toContain(`wrote ${join(state, "KILL")}: the next start is killed`);
    expect(killFileIn(state).note()).toBe("wrong prices");
    const gone = join(state, "mistyped");
    expect((await run("kill", "--state", gone)).errors).not.toContain("wrote");
    expect(existsSync(gone)).toBe(false);
  });

  test("that the ledger did not take says what it is worth, and is exit 1", async () => {
    const receipt = { openOrders: 0, unkept: "canceled", survivesRestart: true };
    const state = await serve({ kill: () => Promise.resolve(receipt) });
    const { code, out } = await run("kill", "--state", state);
    expect(code).toBe(1);
    expect(out).toContain("NOT RECORDED: the ledger cannot be written; the venue cancelled every");
    expect(out).toContain("the next start is killed");
    const worse = { openOrders: 0, unkept: "unconfirmed" };
    const other = await serve({ kill: () => Promise.resolve(worse) });
    const second = await run("kill", "--state", other);
    expect(second.code).toBe(1);
    expect(second.out).toContain("the venue did not confirm the cancels");
    expect(second.out).toContain("does not survive a restart");
  });
});
