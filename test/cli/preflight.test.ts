import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import type { Finding } from "../../src/cli/preflight/finding.ts";
import { preflight } from "../../src/cli/preflight.ts";
import { readStamp, renewStamp, requirePreflight, writeStamp } from "../../src/preflight-stamp.ts";
import { standing, standingRunners, standingTaxed } from "../engine/support/standing-world.ts";
import {
  type ConfigOver,
  groundSigner,
  groundToken,
  type LiveGround,
  openLiveGround,
} from "./live-ground.ts";

let ground: LiveGround;
beforeEach(async () => {
  // What the test's own start put there would be refused, as it must be.
  delete process.env["NODE_OPTIONS"];
  delete process.env["DEBUG"];
  ground = await openLiveGround();
});
afterEach(async () => ground.close());

const limited = Object.fromEntries(
  [
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
  ].map((spender) => [spender, "25000000"]),
);

async function run(
  over: ConfigOver = {},
): Promise<{ findings: readonly Finding[]; exitCode: number }> {
  return preflight(ground.config(over), () => undefined);
}

async function failures(over: ConfigOver = {}): Promise<string[]> {
  const { findings, exitCode } = await run(over);
  const failed = findings.filter((one) => one.level === "FAIL");
  expect(exitCode).toBe(failed.length === 0 ? 0 : 1);
  for (const { todo } of failed) expect(todo).not.toBe("");
  return failed.map(({ name, what }) => `${name}: ${what}`);
}

function stateDir(): string {
  return join(ground.folder, "state");
}

describe("preflight", () => {
  test("passes where everything is in order, says each thing on a line, and leaves its stamp", async () => {
    await ground.fault("status", {
      path: "/balance-allowance",
      code: 200,
      times: 9,
      body: { balance: "12345678", allowances: limited },
    });
    const { findings, exitCode } = await run({
      markets: [standing.slug, standingTaxed.slug, standingRunners[0]?.slug ?? ""],
    });
    expect(findings.filter((one) => one.level !== "ok").map(({ name }) => name)).toEqual([
      "key store",
    ]);
    expect(exitCode).toBe(0);
    const text = findings.map(({ name, what }) => `${name}: ${what}`).join("\n");
    expect(text).toContain(`wallet: a plain wallet (type 0) ${groundSigner}`);
    expect(text).toContain("balance: $12.345678 pUSD");
    expect(text).toContain(
      "allowance neg-risk: 0xe2222d279d744050d28e00520010520000310F59 may take $25",
    );
    expect(text).toMatch(
      /market standing-2: v1, tick 0\.01, at least 5 shares, fee rate 0\.04, not neg-risk, terms [0-9a-f]{12}/,
    );
    expect(text).toContain(
      "market standing-11: v1, tick 0.01, at least 5 shares, no fee, neg-risk",
    );
    expect(readStamp(stateDir())).toMatchObject({ v: 1, signer: groundSigner });
    expect(Object.keys(readStamp(stateDir())?.rules ?? {})).toHaveLength(3);
  });

  test("names whether /resume needs a code, and warns where real money waits without one", async () => {
    const stepUp = async (over: ConfigOver = {}) =>
      (await run(over)).findings.find(({ name }) => name === "step-up");
    expect(await stepUp()).toMatchObject({ level: "ok" });
    expect(await stepUp({ dryRun: false })).toMatchObject({
      level: "warn",
      todo: "make a secret with  pitboss totp-setup",
    });
    const totpSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY";
    expect(await stepUp({ dryRun: false, totpSecret })).toMatchObject({
      level: "ok",
      what: "/resume needs a one-time code",
    });
  });

  test("changes nothing at the venue", async () => {
    await run();
    const changed = [
      ...(await ground.requests("POST", /.*/)),
      ...(await ground.requests("DELETE", /.*/)),
    ];
    expect(changed.map(({ path }) => path)).toEqual(["/auth/api-key"]);
  });

  // Every probe made to fail in turn: by a fault of the venue, and what its line then says.
  test.each([
    ["^/ok$", { code: 500 }, "base_url: "],
    ["^/gamma/events", { code: 500 }, "gamma_url: "],
    ["^/data/v2", { code: 500 }, "data_url: "],
    ["^/time$", { code: 500 }, "clock: the venue's time is unreadable"],
    ["^/time$", { code: 200, body: "1800000000" }, "clock: "],
    ["^/version$", { code: 200, body: { version: 4 } }, "version: the CLOB speaks version 4"],
    ["^/version$", { code: 500 }, "version: unreadable"],
    ["^/gamma/events", { code: 500 }, "new markets: unreadable"],
    [
      "^/auth/(derive|api-key)",
      { code: 401 },
      "api key: the venue does not accept the wallet's proof",
    ],
    ["^/balance-allowance", { code: 500 }, "account read: "],
    ["^/balance-allowance", { code: 200, body: { balance: "1" } }, "account read: "],
    [
      "^/balance-allowance",
      { code: 200, body: { balance: "1", allowances: {} } },
      "allowance standard: 0xE111",
    ],
    ["geoblock", { code: 200, body: { blocked: true, country: "XX" } }, "geoblock: blocked (XX)"],
    ["geoblock", { code: 500 }, "geoblock: unreadable"],
    ["closed-only", { code: 200, body: { closed_only: true } }, "account: closed_only"],
    ["closed-only", { code: 400, body: "'0xabc' address banned" }, "account: banned"],
    ["closed-only", { code: 500 }, "account: unreadable"],
  ])("a venue whose %s answers %o fails it", async (path, params, line) => {
    await ground.fault("status", { path, times: 99, ...params });
    const found = await failures();
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((one) => one.startsWith(line.split(":")[0] ?? ""))[0]).toContain(line);
    expect(readStamp(stateDir())).toBeNull();
  });

  test("a socket that does not open, a node on another chain and a wallet of another kind fail it", async () => {
    expect((await failures({ relayer: { ws_url: "ws://127.0.0.1:9/ws" } }))[0]).toContain(
      "ws_url: ",
    );
    ground.node.chainId = "0x1";
    expect(await failures()).toEqual(["chain: the node is on chain 1, the config says 137"]);
    ground.node.chainId = "0x89";
    ground.node.code = "0x60";
    expect((await failures())[0]).toContain("so it is no plain wallet");
    ground.node.code = "0x";
    const deposit = { signature_type: 3, funder: `0x${"12".repeat(20)}` };
    expect((await failures({ relayer: deposit }))[0]).toContain("the wallet is not deployed");
    ground.node.code = "0x60";
    const { findings } = await run({ relayer: deposit });
    expect(findings.find(({ name }) => name === "relayer key")?.level).toBe("warn");
    expect(await failures({ relayer: deposit })).toEqual([]);
  });

  test("a bot token that Telegram does not know fails it, and no line shows the token", async () => {
    const { findings } = await run({ telegram: { api_root: "http://127.0.0.1:9" } });
    expect(findings.find((one) => one.name === "telegram")).toMatchObject({ level: "FAIL" });
    expect(JSON.stringify(findings)).not.toContain(groundToken.slice(12));
  });

  test("a market that is unknown, closed, of another fee or another exchange fails it", async () => {
    const markets = [standingTaxed.slug];
    const gamma = (await (
      await fetch(`${ground.base}/gamma/markets/slug/${standingTaxed.slug}`)
    ).json()) as Record<string, unknown>;
    const told = async (over: Record<string, unknown>) => {
      await ground.fault("status", {
        path: "/gamma/markets/slug",
        code: 200,
        body: { ...gamma, ...over },
        times: 1,
      });
      return (await failures({ markets })).join("\n");
    };
    expect((await failures({ markets: ["nobody-knows-it"] }))[0]).toContain(
      "gamma does not know it",
    );
    expect(await told({ closed: true })).toContain("it is closed");
    expect(await told({ negRisk: true })).toContain("signed for the wrong exchange");
    expect(await told({ version: "v9" })).toContain("a version that this program does not know");
    expect(await told({ orderPriceMinTickSize: 0.001 })).toContain(
      "Gamma's tick 0.001, the CLOB's 0.01",
    );
    expect(await told({ feeSchedule: { rate: 0.05, exponent: 1 } })).toContain(
      "Gamma's fee rate 0.05, the CLOB's 0.04",
    );
    expect(await told({ feeSchedule: { rate: 0.04, exponent: 2 } })).toContain(
      "an exponent other than 1",
    );
    ground.venue.exchange.setAcceptingOrders(standingTaxed.conditionId, false);
    expect((await failures({ markets })).join()).toContain("takes no orders now");
  });

  test("new markets of version v2 and of one that is unknown are named", async () => {
    const told = async (versions: readonly unknown[]) => {
      const body = { events: [{ markets: versions.map((version) => ({ version })) }] };
      await ground.fault("status", { path: "/gamma/events", code: 200, body, times: 2 });
      const { findings } = await run();
      const { level, what } = findings.find(({ name }) => name === "new markets") ?? {};
      return [level, what];
    };
    expect(await told(["v1", "v1"])).toEqual(["ok", "2 are v1"]);
    expect(await told(["v1", "v2"])).toEqual(["warn", "1 are v1, 1 are v2"]);
    expect(await told(["v9"])).toEqual(["warn", "1 are v9"]);
  });

  test('edited terms, an "Other" outcome and an event that may grow are named', async () => {
    const markets = [standing.slug];
    expect((await run({ markets })).exitCode).toBe(0);
    const gamma = (await (
      await fetch(`${ground.base}/gamma/markets/slug/${standing.slug}`)
    ).json()) as Record<string, unknown>;
    const [event] = gamma["events"] as Record<string, unknown>[];
    const body = {
      ...gamma,
      description: "Edited.",
      negRiskOther: true,
      events: [{ ...event, negRiskAugmented: true }],
    };
    await ground.fault("status", { path: "/gamma/markets/slug", code: 200, body });
    const { findings } = await run({ markets });
    const warned = findings.filter((one) => one.level === "warn" && one.name.startsWith("market"));
    expect(warned.map(({ what }) => what)).toEqual([
      "its terms were edited since the last passed preflight",
      'it is an "Other" outcome, whose meaning can change',
      "outcomes may be added to its event",
    ]);
  });

  test("loose secrets, a missing whitelist and a folder that cannot be used end it with 2", async () => {
    const file = ground.config();
    chmodSync(join(ground.folder, "secrets.local.toml"), 0o644);
    const { findings, exitCode } = await preflight(file, () => undefined);
    expect(exitCode).toBe(2);
    expect(findings[0]?.what).toContain("chmod 600");
  });
});

describe("the stamp of a passed preflight", () => {
  const hourMs = 3_600_000;

  test("lets exactly this configuration, code and key start, for so long", () => {
    const now = 1_800_000_000_000;
    const loaded = loadConfig(ground.config());
    const config = { ...loaded, service: { ...loaded.service, stateDir: ground.folder } };
    const check = (at: number, signer = groundSigner, over = config) => {
      try {
        requirePreflight(over, signer, at);
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(check(now)).toContain("no preflight has passed");
    writeStamp(config, groundSigner, now, {});
    expect(check(now)).toBeNull();
    expect(check(now + 24 * hourMs)).toBeNull();
    expect(check(now + 24 * hourMs + 1)).toContain("older than 24 hours");
    expect(check(now - 1)).toContain("lies in the future");
    expect(check(now, "0xother")).toContain("another key");
    const changed = { ...config, risk: { ...config.risk, maxOpenOrders: 3 } };
    expect(check(now, groundSigner, changed)).toContain("the configuration changed");
    renewStamp(ground.folder, now + 48 * hourMs);
    expect(check(now + 49 * hourMs)).toBeNull();
    const path = join(ground.folder, "preflight.json");
    const stamp = JSON.parse(readFileSync(path, "utf8")) as object;
    writeFileSync(path, JSON.stringify({ ...stamp, codeVersion: "0.0.0+old" }));
    expect(check(now + 49 * hourMs)).toContain("the code changed");
    writeFileSync(path, "{");
    expect(check(now)).toContain("no preflight has passed");
  });
});
