import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { createMetrics } from "../../src/adapters/telemetry/metrics.ts";
import { MetricsError, serveMetrics } from "../../src/adapters/telemetry/metrics-server.ts";
import { renderReport } from "../../src/cli/status-report.ts";
import { topOf } from "../../src/cli/status-top.ts";
import { labelledMarketsMax, metricFigures } from "../../src/metric-figures.ts";
import { sampleMarket, sampleReport } from "./sample-report.ts";

/** Values of one metric by its labels as written. */
function valuesOf(page: string, name: string): Record<string, number> {
  const lines = page.split("\n").filter((line) => line.replace(/[{ ].*$/u, "") === name);
  return Object.fromEntries(
    lines.map((line) => [/\{(.*)\}/u.exec(line)?.[1] ?? "", Number(line.split(" ").at(-1))]),
  );
}

describe("the metrics page", () => {
  test("holds the contract's names: histograms with sum and count, counters by market and reason", async () => {
    const { meter, page } = createMetrics();
    for (const stage of ["decided", "committed", "sent", "acknowledged", "filled"] as const) {
      meter.observe(stage, 3);
    }
    meter.observe("place", 40);
    meter.observe("place_call", 30);
    meter.count("dutch_orders_placed", 3);
    meter.count("dutch_rulehash_changed", 2);
    const markets = [sampleMarket(1, { invalid: 2, resyncsTotal: 1 })];
    const catalogKept = {
      kept: 50_000,
      waiting: 7,
      leftOut: 3,
      contradictions: 0,
      failures: 2,
      keptAtMs: 1_700_000_096_000,
      failing: "store.db: the disk\u001b is full",
    };
    const tape = {
      rows: 1_200,
      frames: 1_000,
      bytes: 64_000,
      segments: 2,
      gaps: 1,
      lostRows: 30,
      journalRows: 190,
      booksKept: 4,
      waitingBytes: 512,
      writtenAtMs: 1_700_000_099_500,
      isLosing: false,
      failing: "ENOSPC\u001b",
    };
    const report = sampleReport({ markets, resyncs: { hash_mismatch: 1 }, catalogKept, tape });
    expect(renderReport(report).find((line) => line.startsWith("tape"))).toBe(
      "tape       1200 rows (1000 frames), 190 of inputs, 64000 bytes in 2 segments (last 0.5 s ago), 30 rows lost in 1 gap, 512 bytes waiting; FAILING: ENOSPC ",
    );
    expect(renderReport(report).find((line) => line.startsWith("catalog"))).toBe(
      "catalog    50000 kept in the store (last 4.0 s ago), 7 waiting, 3 left out, 0 contradicted, 2 failures; FAILING: store.db: the disk  is full",
    );
    const shown = await page(metricFigures(report));
    expect(valuesOf(shown, "pitboss_engine_place_ms_sum")).toEqual({ "": 40 });
    expect(valuesOf(shown, "pitboss_engine_place_call_ms_count")).toEqual({ "": 1 });
    expect(valuesOf(shown, "pitboss_engine_execute_plan_ms_sum")).toEqual({ "": 3 });
    expect(Object.keys(valuesOf(shown, "pitboss_stage_ms_count"))).toHaveLength(5);
    expect(valuesOf(shown, "pitboss_dutch_orders_placed")).toEqual({ "": 3 });
    expect(valuesOf(shown, "pitboss_dutch_rulehash_changed")).toEqual({ "": 2 });
    expect(valuesOf(shown, "pitboss_cancel_rate_limited")).toEqual({ "": 5 });
    for (const [name, value] of Object.entries({
      rows: 1_200,
      frames: 1_000,
      bytes: 64_000,
      segments: 2,
      gaps: 1,
      lost_rows: 30,
      journal_rows: 190,
      books_kept: 4,
      waiting_bytes: 512,
      write_age_ms: 500,
      losing: 0,
      failing: 1,
    })) {
      expect(valuesOf(shown, `pitboss_tape_${name}`), name).toEqual({ "": value });
    }
    expect(valuesOf(shown, "pitboss_catalog_kept")).toEqual({ "": 50_000 });
    expect(valuesOf(shown, "pitboss_catalog_store_failures")).toEqual({ "": 2 });
    expect(valuesOf(shown, "pitboss_catalog_left_out")).toEqual({ "": 3 });
    expect(valuesOf(shown, "pitboss_resync")).toEqual({ 'reason="hash_mismatch"': 1 });
    expect(valuesOf(shown, "pitboss_frames_applied")).toEqual({ 'market="market-1"': 1_000 });
    expect(valuesOf(shown, "pitboss_frames_invalid")).toEqual({ 'market="market-1"': 2 });
    expect(valuesOf(shown, "pitboss_quotes_bid")).toEqual({ 'market="market-1"': 0.48 });
    // A second page is not the sum of both.
    const again = await page(metricFigures(report));
    expect(valuesOf(again, "pitboss_resync")).toEqual({ 'reason="hash_mismatch"': 1 });
  });

  test("does not grow with the markets: the worst have labels, the rest is added up (P11)", async () => {
    const markets = Array.from({ length: 500 }, (_, i) =>
      sampleMarket(i, { resyncsTotal: i === 499 ? 7 : 0 }),
    );
    const page = await createMetrics().page(metricFigures(sampleReport({ markets })));
    const applied = valuesOf(page, "pitboss_frames_applied");
    expect(Object.keys(applied)).toHaveLength(labelledMarketsMax + 1);
    expect(applied['market="other"']).toBe(450_000);
    expect(valuesOf(page, "pitboss_market_resyncs")['market="market-499"']).toBe(7);
  });

  test("a hostile slug stays inside its label", async () => {
    const slug = 'x"} 1\npitboss_trading_active 0\n#';
    const markets = [sampleMarket(1, { slug })];
    const page = await createMetrics().page(metricFigures(sampleReport({ markets })));
    expect(valuesOf(page, "pitboss_trading_active")).toEqual({ "": 1 });
  });
});

async function get(url: string, over: { method?: string; host?: string } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const headers = over.host === undefined ? {} : { host: over.host };
  const asked = request(url, { method: over.method ?? "GET", headers }, (response) => {
    void text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }));
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

describe("serving it", () => {
  test("only on this machine, only GET /metrics, only under a name of this machine", async () => {
    const server = await serveMetrics("127.0.0.1:0", async () => "figures\n", "text/plain");
    expect(await get(server.url)).toEqual({ status: 200, body: "figures\n" });
    expect((await get(server.url, { host: "evil.example:9464" })).status).toBe(403);
    expect((await get(server.url, { method: "POST" })).status).toBe(405);
    expect((await get(server.url.replace("/metrics", "/"))).status).toBe(404);
    await server.close();
    for (const listen of ["0.0.0.0:9464", "192.168.1.5:9464", "example.org:80", "9464"]) {
      await expect(serveMetrics(listen, async () => "", "")).rejects.toThrow(MetricsError);
    }
  });

  test("figures that cannot be had are 503, a taken port is told", async () => {
    const server = await serveMetrics("127.0.0.1:0", () => Promise.reject(new TypeError("x")), "");
    expect((await get(server.url)).status).toBe(503);
    await server.close();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await expect(serveMetrics(`127.0.0.1:${port}`, async () => "", "")).rejects.toThrow(
      /another port/u,
    );
    taken.close();
  });

  test("a configuration that would show it to others is refused", () => {
    const folder = mkdtempSync(join(tmpdir(), "pb-"));
    const file = join(folder, "desk.toml");
    writeFileSync(file, '[telemetry]\nmetrics_enabled = true\nmetrics_listen = "0.0.0.0:9464"\n');
    expect(() => loadConfig(file)).toThrow(ConfigError);
    writeFileSync(file, '[telemetry]\nmetrics_enabled = true\nmetrics_listen = "127.0.0.1:9464"\n');
    expect(loadConfig(file).telemetry.metricsEnabled).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

test("the top lists name the worst first, and a market without trouble is no offender", () => {
  const markets = [
    sampleMarket(1, { resyncsTotal: 2, resyncRatio: 0.1 }),
    sampleMarket(2, { ageMs: 90_000 }),
    sampleMarket(3, { resyncsTotal: 9, resyncRatio: 0.01 }),
    sampleMarket(4, { status: "stale", ageMs: null, reason: "crossed" }),
  ];
  const { resyncs, staleness } = topOf(sampleReport({ markets }), 2);
  expect(resyncs.map((market) => market.slug)).toEqual(["market-3", "market-1"]);
  expect(staleness.map((market) => market.slug)).toEqual(["market-4", "market-2"]);
});
