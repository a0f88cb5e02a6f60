// The commands that show the market data's health, asked of a desk with real sockets behind the control socket.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type ControlServer,
  startControlServer,
} from "../../src/adapters/system/control-server.ts";
import { createMetrics } from "../../src/adapters/telemetry/metrics.ts";
import type { StatusTop } from "../../src/cli/status-top.ts";
import { metricFigures } from "../../src/metric-figures.ts";
import { reportOf } from "../../src/service-report.ts";
import { type LiveDesk, openLiveDesk, until } from "../engine/support/live-desk.ts";
import { standing, standingTaxed } from "../engine/support/standing-world.ts";

const runCommand = new URL("../adapters/system/run-command.ts", import.meta.url).pathname;

let desk: LiveDesk;
let control: ControlServer;
let state: string;
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), "pb-"));
  desk = await openLiveDesk();
  const { engine } = desk;
  const { page } = createMetrics();
  const report = () => reportOf({ ...desk, catalogKept: () => null, tapeFigures: () => null });
  control = await startControlServer(join(state, "control.sock"), {
    status: async () => ({ view: engine.view(), orders: engine.orders() }),
    report: async () => report(),
    metrics: async () => ({ page: await page(metricFigures(report())) }),
    health: async () => ({}),
    kill: async () => ({}),
  });
  await engine.market(standing.conditionId);
  await engine.market(standingTaxed.conditionId);
  // A message about the market that cannot be read: the book is doubted and replaced.
  const { conditionId } = standing;
  engine.stepper.run({ kind: "market", event: { kind: "change.unread", conditionId } }, "test");
  const book = engine.state.live.books.get(conditionId);
  await until("the fresh book", () => book?.status === "live");
});
afterEach(async () => {
  await control.close();
  await desk.close();
  rmSync(state, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const child = spawn(process.execPath, [runCommand, ...args, "--state", state], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out] = await Promise.all([text(child.stdout), once(child, "close")]);
  return { code: child.exitCode, out };
}

describe("what a running desk says of its market data", () => {
  test("status --verbose: markets with age, quotes, depth and reasons, connections, stages, limits", async () => {
    await desk.place({ conditionId: standing.conditionId });
    await until("the answer", () => desk.engine.orders()[0]?.timing.acknowledgedMs !== null);
    const { code, out } = await run("status", "--verbose");
    expect(code).toBe(0);
    expect(out).toMatch(/data {7}\d+ frames, 0 invalid, 1 resyncs \(\d+\.\d{3} %\), oldest live/u);
    expect(out).toMatch(
      /resyncs {4}frame_refused 1; 1 snapshots asked for, 0 waited, 0 reads answered 429, p50 \d+\.\d ms, p99/u,
    );
    expect(out).toMatch(/connection 1 main up: 5 markets, \d+ frames, 0 invalid, lost 0 times/u);
    expect(out).toMatch(/stage {6}sent +p50 \d+\.\d ms/u);
    expect(out).toContain("cancels    0 held back by our limit, 0 answered 429");
    expect(out).toMatch(
      /standing-1 +live +[\d.]+ s +0\.48 +0\.5\d .*\$\d+\/\$\d+ .*frame_refused 1/u,
    );
    expect(out).toMatch(/standing-2 +live/u);
  });

  test("status-top names the market with resyncs, for people and for programs", async () => {
    const { code, out } = await run("status-top", "--limit", "1");
    expect(code).toBe(0);
    expect(out).toMatch(
      /most resyncs\n +1 +[\d.]+ of frames {2}standing-1 {2}\(frame_refused 1\)/u,
    );
    const { out: json } = await run("status-top", "--json");
    const top = JSON.parse(json) as StatusTop;
    expect(top.resyncs).toMatchObject([{ slug: "standing-1", resyncs: { frame_refused: 1 } }]);
    expect(top.staleness).toHaveLength(5);
    expect((await run("status-top", "--limit", "0")).code).toBe(2);
  });

  test("metrics and metrics-export give the page; metrics-serve serves it until it is stopped", async () => {
    const { code, out } = await run("metrics");
    expect(code).toBe(0);
    expect(out).toContain('pitboss_resync{reason="frame_refused"} 1');
    expect(out).toMatch(/pitboss_frames_applied\{market="standing-1"\} \d+/u);
    const file = join(state, "pitboss.prom");
    expect((await run("metrics-export", "--out", file)).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain('pitboss_resync{reason="frame_refused"} 1');
    expect((await run("metrics-export", "--out", join(state, "no", "such"))).code).toBe(1);
    const server = spawn(
      process.execPath,
      [runCommand, "metrics-serve", "--listen", "127.0.0.1:0", "--state", state],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [first] = (await once(server.stdout, "data")) as [Buffer];
    const answer = await fetch(first.toString().trim());
    expect(await answer.text()).toContain("pitboss_books_live 5");
    await control.close();
    expect((await fetch(first.toString().trim())).status).toBe(503);
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect((await run("metrics-serve", "--listen", "0.0.0.0:9464")).code).toBe(2);
    expect((await run("metrics")).code).toBe(3);
  });
});
