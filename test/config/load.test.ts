import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { deskModeOf } from "../../config/config.ts";
import { configHash } from "../../config/config-hash.ts";
import { keysAt } from "../../config/faults.ts";
import { loadConfig } from "../../config/load.ts";
import { configSchema } from "../../config/schema.ts";
import { botToken, desk, faultsOf, goodSecrets, privateKey } from "./support.ts";

const configDir = new URL("../../config/", import.meta.url).pathname;
const example = join(configDir, "service.example.toml");
const paper = join(configDir, "paper.toml");
describe("the shipped files", () => {
  test("both load, and paper is paper", () => {
    expect(deskModeOf(loadConfig(paper))).toBe("paper");
    const live = loadConfig(example);
    expect(live.relayer.dryRun).toBe(true);
    expect(deskModeOf(live)).toBe("dry-run");
  });

  test("every key of the schema stands in the example, each with a comment above it", () => {
    const lines = readFileSync(example, "utf8").split("\n");
    let seen = 0;
    let table = "";
    const found = new Map<string, boolean>();
    for (const [i, line] of lines.entries()) {
      const header = /^\[{1,2}([a-z._]+)\]{1,2}$/.exec(line)?.[1];
      if (header !== undefined) table = header;
      const key = /^(?:# )?([a-z0-9_]+) = /.exec(line)?.[1];
      if (key !== undefined) found.set(`${table}.${key}`, lines[i - 1]?.startsWith("#") ?? false);
    }
    const tables = [
      ...keysAt(configSchema, []).map((name) => [name]),
      ["service", "spread"],
    ] as const;
    const missing: string[] = [];
    for (const path of tables) {
      const keys =
        path[0] === "market" ? keysAt(configSchema, ["market", 0]) : keysAt(configSchema, path);
      expect(keys.length).toBeGreaterThan(0);
      for (const key of keys) {
        if (key === "spread") continue;
        // A [[market]] repeats the keys of [service.spread]; the example shows one of them.
        if (path[0] === "market" && keysAt(configSchema, ["service", "spread"]).includes(key))
          continue;
        seen++;
        if (found.get(`${path.join(".")}.${key}`) !== true)
          missing.push(`${path.join(".")}.${key}`);
      }
    }
    expect(missing).toEqual([]);
    expect(seen).toBeGreaterThan(80);
  });

  test("what the example shows are the defaults, but for the keys that say otherwise", () => {
    const bare = loadConfig(desk('[relayer]\ntype = "real"\n'));
    const shown = loadConfig(example);
    for (const table of ["venueWaits", "risk", "dutch", "copy", "storage", "telemetry"] as const) {
      expect(shown[table], table).toEqual(bare[table]);
    }
    expect(shown.relayer).toEqual(bare.relayer);
    expect({ ...shown.service, name: "", stateDir: "" }).toEqual({
      ...bare.service,
      name: "",
      stateDir: "",
    });
    expect({ ...shown.telegram, whitelist: [] }).toEqual(bare.telegram);
  });

  test("the waits for a database are pinned, and their shortest scale does not touch them", () => {
    const { storage } = loadConfig(
      desk(
        "[storage]\nkind = 'postgres'\nurl = 'postgres://pitboss@127.0.0.1:5432/desk'\n[venue_waits]\ntime_scale = 10\n",
      ),
    );
    const { connectTimeoutMs, statementTimeoutMs, reconnectMaxMs } = storage;
    expect([connectTimeoutMs, statementTimeoutMs, reconnectMaxMs]).toEqual([5000, 5000, 15_000]);
  });

  test("the production values of the order protocol's waits are pinned", () => {
    expect(loadConfig(desk("")).venueWaits).toEqual({
      timeScale: 1,
      postTimeoutMs: 5000,
      readTimeoutMs: 4000,
      connectTimeoutMs: 3000,
      orderDeadlineMs: 15_000,
      quarantineMs: 90_000,
      quarantineCleanReads: 3,
      queryBackoffMs: [500, 1000, 2000, 5000],
      reconcileIntervalMs: 15_000,
      settleAlarmMs: 60_000,
      accessIntervalMs: 60_000,
      replaceDeadlineMs: 30_000,
      killCleanSnapshots: 3,
      killWindowMs: 60_000,
      ledgerCommitMaxMs: 2000,
      feedLostAfterMs: 10_000,
      restartQuietMs: 30_000,
      postOnlyMs: 120_000,
      venueProbeMs: 30_000,
      venueProbeMaxMs: 300_000,
      clockCheckMs: 30_000,
      heartbeatIntervalMs: 5_000,
      heartbeatLateMs: 7_000,
      feedPingMs: 10_000,
      feedSilenceMs: 30_000,
      feedHandshakeMs: 10_000,
      feedBackoffFirstMs: 250,
      feedBackoffLongestMs: 30_000,
      feedSteadyMs: 30_000,
      feedDataSilenceMs: 15_000,
      feedLagMaxMs: 5000,
      resyncEveryMs: 250,
      resyncLongestMs: 30_000,
      snapshotLimitMs: 2000,
      bookCompareMs: 15_000,
      bookCompareRoundMs: 600_000,
      contractPollMs: 2000,
      contractResendMs: 600_000,
    });
  });

  test("so are those of the catalog, and the scale divides them too", () => {
    const inProduction = {
      pagePauseMs: 250,
      wholeIntervalMs: 1_800_000,
      newestIntervalMs: 60_000,
      backOffFirstMs: 1_000,
      backOffMaxMs: 60_000,
      watchedIntervalMs: 30_000,
      resolutionLookMs: 5_000,
      lookTtlMs: 900_000,
    };
    const counts = { pageEvents: 50, maxPages: 4_000, maxMarkets: 150_000, maxWatched: 1_000 };
    expect(loadConfig(desk("")).catalog).toEqual({ ...inProduction, ...counts });
    const divided = Object.entries(inProduction).map(([key, ms]) => [key, Math.ceil(ms / 100)]);
    expect(loadConfig(desk("[venue_waits]\ntime_scale = 100\n")).catalog).toEqual({
      ...Object.fromEntries(divided),
      ...counts,
    });
  });
});

describe("loadConfig", () => {
  test("money is micro-dollars, from numbers and from text, without float arithmetic", () => {
    const { risk, dutch } = loadConfig(
      desk(
        '[risk]\nmax_notional_per_order_usd = 0.1\nmax_exposure_total_usd = "1204.110001"\nmax_daily_loss_usd = 1.0e2\n[dutch]\nmin_profit_usdc = 0.000001\nmin_size = "5.5"\n',
      ),
    );
    expect(risk.maxNotionalPerOrderUsd).toBe(100_000);
    expect(risk.maxExposureTotalUsd).toBe(1_204_110_001);
    expect(risk.maxDailyLossUsd).toBe(100_000_000);
    expect(dutch.minProfitUsdc).toBe(1);
    expect(dutch.minSize).toBe(5_500_000);
  });

  test.each([
    ["nan", "nan"],
    ["inf", "inf"],
    ["-1", "-1"],
    ["0", "0"],
    ["seven decimals", "0.0000001"],
    ["too large", "1e300"],
    ["above the bound", "1000001"],
    ["hex text", '"0x10"'],
    ["exponent text", '"1e3"'],
    ["other digits", '"١"'],
    ["a space", '" 1"'],
    ["empty", '""'],
    ["true", "true"],
    ["a list", "[1]"],
  ])("refused money: %s", (_, value) => {
    const faults = faultsOf(desk(`[risk]\nmax_notional_per_order_usd = ${value}\n`));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain("risk.max_notional_per_order_usd was");
    expect(faults[0]).toContain("write dollars from 0.01 to 1000000");
  });

  test("all faults are listed at once, with path, value and what to write", () => {
    const faults = faultsOf(
      desk(
        '[service]\ntick_ms = 5\nlog_level = "loud"\n[risk]\nmax_exposure_totl_usd = 5\n[telegram]\nwhitelist = ["@me"]\n[mraket]\n',
      ),
    );
    expect(faults).toEqual([
      'FILE: service.log_level was "loud": write "debug" or "info" or "warn" or "error"',
      "FILE: service.tick_ms was 5: write a whole number from 10 to 10000",
      "FILE: risk.max_exposure_totl_usd is not a known key: did you mean max_exposure_total_usd?",
      'FILE: telegram.whitelist entry 1 was "@me": write a Telegram user id (a whole number above 0, never a username)',
      "FILE: mraket is not a known key: did you mean market?",
    ]);
  });

  test.each([
    [
      "a table where keys are expected",
      "risk = 5\n",
      "risk is not a table: write [risk] as a table",
    ],
    [
      "one market in single brackets",
      "[market]\nslug = 'a'\n",
      "market is not a table: write [[market]] for each entry",
    ],
    [
      "slug and id",
      "[[market]]\nslug = 'a'\n[[market]]\n",
      "market[2] needs exactly one of slug and condition_id",
    ],
    [
      "quarantine before the deadline",
      "[venue_waits]\nquarantine_ms = 10000\n",
      "venue_waits.quarantine_ms was 10000",
    ],
    [
      "no back-off",
      "[venue_waits]\nquery_backoff_ms = []\n",
      "venue_waits.query_backoff_ms was []",
    ],
    [
      "a user twice",
      "[telegram]\nwhitelist = [5, 5]\n",
      "telegram.whitelist names the same entry twice",
    ],
    [
      "credentials in a URL",
      "[relayer]\nbase_url = 'http://a:b@127.0.0.1'\n",
      "relayer.base_url was",
    ],
    ["a harmful key", "[__proto__]\na = 1\n", "unsafe property"],
    ["a duplicate key", "[risk]\nmax_open_orders = 1\nmax_open_orders = 2\n", "is not TOML"],
    [
      "another's database",
      "[storage]\nurl = 'postgres://127.0.0.1/a'\n",
      'storage.url is only for kind = "postgres"',
    ],
    ["no database", "[storage]\nkind = 'postgres'\n", "storage.url is missing"],
    [
      "a password in the database's address",
      "[storage]\nkind = 'postgres'\nurl = 'postgres://a:secret@127.0.0.1/b'\n",
      "storage.url",
    ],
    [
      "a database's address that turns its encryption off",
      "[storage]\nkind = 'postgres'\nurl = 'postgres://a@db.example.org/b?sslmode=disable'\n",
      "storage.url",
    ],
  ])("refused: %s", (_, config, sentence) => {
    expect(faultsOf(desk(config)).join("\n")).toContain(sentence);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  test("paper cannot reach a venue outside this machine", () => {
    const file = desk("[relayer]\nbase_url = 'https://clob.polymarket.com'\n");
    expect(faultsOf(file)[0]).toContain('type = "fake" talks only to this machine');
  });

  test("a real venue is never spoken to in the clear or with shortened waits", () => {
    const clear = desk("[relayer]\ntype = 'real'\nbase_url = 'http://clob.polymarket.com'\n");
    expect(faultsOf(clear)[0]).toContain("write it with https:// or wss://");
    const hasty = desk("[relayer]\ntype = 'real'\n[venue_waits]\ntime_scale = 100\n");
    expect(faultsOf(hasty)[0]).toContain("venue_waits.time_scale was 100: write 1");
    const chat = desk("[telegram]\napi_root = 'http://api.telegram.org'\n");
    expect(faultsOf(chat)[0]).toContain("the bot token travels in the clear");
  });

  test("live money always starts halted", () => {
    const live = loadConfig(
      desk("[relayer]\ntype = 'real'\ndry_run = false\n[service]\nstart_halted = false\n"),
    );
    expect(live.service.startHalted).toBe(true);
    expect(deskModeOf(live)).toBe("live");
    expect(loadConfig(desk("[relayer]\ndry_run = false\n")).service.startHalted).toBe(false);
  });

  test("the time scale shortens every wait and no count", () => {
    const { venueWaits } = loadConfig(
      desk("[venue_waits]\ntime_scale = 100\npost_timeout_ms = 4999\n"),
    );
    expect(venueWaits.postTimeoutMs).toBe(50);
    expect(venueWaits.quarantineMs).toBe(900);
    expect(venueWaits.queryBackoffMs).toEqual([5, 10, 20, 50]);
    expect(venueWaits.killCleanSnapshots).toBe(3);
  });

  test("a market keeps the service's quoting but for its own keys", () => {
    const file = desk("[service.spread]\nstale_ms = 700\n[[market]]\nslug = 'a-b'\nsize = 50\n");
    expect(loadConfig(file).markets).toEqual([
      {
        slug: "a-b",
        conditionId: null,
        strategies: [],
        spread: { ...loadConfig(desk("")).service.spread, staleMs: 700, size: 50_000_000 },
      },
    ]);
  });

  test("folders are beside the file, wherever the command is started", () => {
    const file = desk("[service]\nstate_dir = 'st'\n[telemetry]\nlog_file = 'a.log'\n");
    expect(loadConfig(file).service.stateDir).toBe(join(file, "..", "st"));
    expect(loadConfig(file).telemetry.logFile).toBe(join(file, "..", "a.log"));
  });

  test("a missing file says what to do", () => {
    expect(faultsOf("/nowhere/desk.toml")[0]).toContain("cannot be read (ENOENT)");
  });
});

describe("a service", () => {
  test("does not start without whitelist, token and key; all is said at once", () => {
    const faults = faultsOf(
      desk("[telegram]\ntransport = 'webhook'\n[relayer]\nsignature_type = 2\n"),
      "service",
    );
    for (const key of [
      "whitelist is empty",
      "bot_token",
      "private_key",
      "webhook_url",
      "webhook_secret",
      "relayer.funder",
    ]) {
      expect(faults.join("\n")).toContain(key);
    }
    expect(faults).toHaveLength(6);
  });

  test("starts with them", () => {
    const config = loadConfig(desk("[telegram]\nwhitelist = [7]\n", goodSecrets), "service");
    expect(config.relayer.privateKey?.reveal()).toBe(privateKey);
    expect(config.telegram.botToken?.reveal()).toBe(botToken);
  });

  test("refuses what this version would silently not do", () => {
    const file = desk("[telegram]\nwhitelist = [7]\n[copy]\nenabled = true\n", goodSecrets);
    expect(faultsOf(file, "service")).toEqual([
      "FILE: this version cannot do that yet, copy.enabled: write false",
    ]);
  });
});

describe("configHash", () => {
  test("is the same for the same settings and blind to secrets, order and place", () => {
    const one = desk(
      "[service]\nstate_dir = '/tmp/s'\n[risk]\nmax_open_orders = 7\nmax_exposure_total_usd = 5\n",
    );
    const two = desk(
      "[risk]\nmax_exposure_total_usd = '5.0'\nmax_open_orders = 7\n[service]\nstate_dir = '/tmp/s'\n",
      goodSecrets,
    );
    expect(configHash(loadConfig(one))).toMatch(/^[0-9a-f]{64}$/);
    expect(configHash(loadConfig(one))).toBe(configHash(loadConfig(two)));
  });

  test("changes with any setting", () => {
    const base = configHash(loadConfig(desk("[service]\nstate_dir = '/tmp/s'\n")));
    const other = configHash(
      loadConfig(desk("[service]\nstate_dir = '/tmp/s'\n[risk]\nmax_open_orders = 199\n")),
    );
    expect(other).not.toBe(base);
  });
});
