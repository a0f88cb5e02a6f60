import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { GrammyError, HttpError } from "grammy";
import { afterEach, describe, expect, test } from "vitest";
import {
  createLogger,
  type Logger,
  type LoggerOptions,
} from "../../../src/adapters/telemetry/logger.ts";
import { createRedactor } from "../../../src/adapters/telemetry/redaction.ts";

const key = `0x${"c4".repeat(16)}${"9e".repeat(16)}`;
const token = "123456789:AAcanary_canary-canary+canary42x".replace("+", "_");
const webhookSecret = 'canary/with+signs and "quotes" & spaces';
const unknownToken = "987654321:BBother_token-of-another-bot_12345";
const unknownKey = "5f".repeat(32);

const loggerFile = new URL("../../../src/adapters/telemetry/logger.ts", import.meta.url).pathname;
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Runs `work` against a real log file and returns its text and its parsed lines. */
async function logged(
  work: (log: Logger) => void,
  options: Partial<LoggerOptions> = {},
): Promise<{ text: string; lines: Record<string, unknown>[] }> {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-log-"));
  folders.push(folder);
  const path = join(folder, "service.log");
  const log = createLogger({
    level: "debug",
    target: { kind: "file", path, bytesMax: 1_000_000, kept: 2 },
    secrets: [key, token, webhookSecret],
    ...options,
  });
  work(log);
  await log.close();
  const written = readFileSync(path, "utf8");
  const lines = written.split("\n").filter((line) => line !== "");
  return { text: written, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** Every form in which one of the secrets could have been written. */
function leaksIn(output: string): string[] {
  const raw = Buffer.from(key.slice(2), "hex");
  const forms = [
    key,
    key.slice(2),
    key.toUpperCase(),
    raw.toString("base64").slice(0, 40),
    BigInt(key).toString(),
    token,
    token.split(":")[1] ?? "",
    encodeURIComponent(token),
    webhookSecret,
    encodeURIComponent(webhookSecret),
    JSON.stringify(webhookSecret).slice(1, -1),
    Buffer.from(webhookSecret).toString("base64").slice(0, 40),
    Buffer.from(token).toString("base64url"),
    unknownToken,
    unknownKey,
  ];
  return forms.filter((form) => output.toLowerCase().includes(form.toLowerCase()));
}

describe("createLogger", () => {
  test("writes one JSON object a line: level in words, ISO time, event and fields", async () => {
    const { lines } = await logged((log) => {
      log.info("order.posted", { correlationId: "c1", ms: 12, ok: true, none: null });
      log.warn("feed.lost", { feed: "market\nfake line" });
      log.error("ledger.failed");
      log.debug("detail");
    });
    expect(lines.map((line) => line["level"])).toEqual(["info", "warn", "error", "debug"]);
    expect(lines[0]).toMatchObject({
      event: "order.posted",
      correlationId: "c1",
      ms: 12,
      ok: true,
      none: null,
    });
    expect(String(lines[0]?.["time"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines[1]?.["feed"]).toBe("market\nfake line");
  });

  test("leaves out what is below its level", async () => {
    const { lines } = await logged(
      (log) => {
        log.debug("a");
        log.info("b");
        log.warn("c");
      },
      { level: "warn" },
    );
    expect(lines.map((line) => line["event"])).toEqual(["c"]);
  });

  test("a field cannot replace level, time or event", async () => {
    const { lines } = await logged((log) =>
      log.info("real", { event: "fake", level: "fatal", time: 0 }),
    );
    expect(lines[0]).toMatchObject({
      event: "real",
      level: "info",
      event_: "fake",
      level_: "fatal",
    });
  });

  test("canaries never come out, wherever they stand", async () => {
    const raw = Buffer.from(key.slice(2), "hex");
    const carriers = [
      key,
      key.slice(2),
      key.toUpperCase(),
      raw.toString("base64"),
      raw.toString("base64url"),
      String(BigInt(key)),
      token,
      encodeURIComponent(token),
      webhookSecret,
      encodeURIComponent(webhookSecret),
      unknownToken,
      unknownKey,
    ];
    const { text: output, lines } = await logged((log) => {
      for (const secret of carriers) {
        log.info(`event ${secret}`, { [`name ${secret}`]: 1 });
        log.info("field", {
          url: `https://api.telegram.org/bot${secret}/sendMessage?x=1`,
          note: secret,
        });
        if (secret !== unknownKey) log.info("in a field for hashes", { orderHash: secret });
        log.warn("base64", { header: Buffer.from(secret).toString("base64") });
        const inner = Object.assign(new Error(`inner ${secret}`), {
          code: secret,
          config: { headers: { POLY_PASSPHRASE: secret } },
        });
        const outer = new AggregateError(
          [inner, { deep: [{ deeper: secret }] }],
          `outer ${secret}`,
          { cause: inner },
        );
        outer.stack = `Error: ${secret}\n at ${secret}`;
        outer.name = secret;
        log.failure("failed", outer, { command: secret });
        log.failure("thrown text", secret);
        log.failure("thrown object", {
          nested: new Map([[secret, new URL(`https://x.y/${secret.replaceAll(" ", "")}`)]]),
        });
      }
    });
    expect(leaksIn(output.replaceAll(Buffer.from(unknownKey).toString("base64"), ""))).toEqual([]);
    expect(lines.length).toBe(carriers.length * 7 - 1);
    expect(output).toContain("[redacted]");
  });

  test("what a chat library throws is written without its token", async () => {
    const failed = new Error(
      `request to http://127.0.0.1:1/bot${unknownToken}/sendMessage failed, reason: connect ECONNREFUSED`,
    );
    const { text: output, lines } = await logged((log) => {
      log.failure(
        "chat.failed",
        new HttpError("Network request for 'sendMessage' failed!", failed),
      );
      log.failure(
        "chat.refused",
        new GrammyError(
          "Call to 'sendMessage' failed!",
          { ok: false, error_code: 401, description: "Unauthorized" },
          "sendMessage",
          { text: webhookSecret, token },
        ),
      );
    });
    expect(leaksIn(output)).toEqual([]);
    expect(lines[0]?.["error"]).toMatchObject({
      name: "HttpError",
      inner: { message: expect.stringContaining("ECONNREFUSED") as unknown },
    });
    expect(output).not.toContain("payload");
  });

  test("venue credentials are hidden by name; ids, hashes and numbers stay readable", async () => {
    const hash = `0x${"7a".repeat(32)}`;
    const secret = Buffer.from("a venue's own secret").toString("base64");
    const { lines, text: output } = await logged((log) => {
      log.info("order.posted", {
        orderHash: hash,
        conditionId: hash,
        fillId: `7d1c:${hash}`,
        tokenId: "7".repeat(77),
        correlationId: hash.slice(2),
      });
      log.failure("http", {
        POLY_SIGNATURE: secret,
        poly_api_key: "0123-4567",
        passphrase: "pass phrase",
        apiKey: "k-e-y",
        message: `curl -H 'POLY_PASSPHRASE: ${secret}' {"POLY_API_KEY":"0123-4567"}`,
        hash,
      });
      log.info("free text", { note: `key ${hash}` });
    });
    expect(lines[0]).toMatchObject({
      orderHash: hash,
      conditionId: hash,
      fillId: `7d1c:${hash}`,
      tokenId: "7".repeat(77),
      correlationId: hash.slice(2),
    });
    expect(output).not.toContain(secret);
    expect(output).not.toMatch(/0123-4567|pass phrase|k-e-y/);
    expect(lines[1]?.["error"]).toMatchObject({ hash });
    expect(lines[2]).toMatchObject({ note: "key [redacted]" });
  });

  test("a secret learned at run time is hidden from then on", async () => {
    const { lines } = await logged((log) => {
      log.addSecret("derived-api-secret-value");
      log.info("x", { a: "the derived-api-secret-value is here" });
    });
    expect(lines[0]).toMatchObject({ a: "the [redacted] is here" });
  });

  test("whatever is logged, logging does not fail and stays bounded", async () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new TypeError("no");
      },
    });
    const getter = Object.defineProperty({}, "a", {
      enumerable: true,
      get: () => {
        throw new TypeError("no");
      },
    });
    const { lines, text: output } = await logged((log) => {
      for (const value of [
        circular,
        hostile,
        getter,
        () => 1,
        Symbol("s"),
        10n,
        null,
        undefined,
        Array.from({ length: 10_000 }, () => "item"),
        Buffer.alloc(10_000),
        "x".repeat(1_000_000),
      ]) {
        log.failure("odd", value);
      }
    });
    expect(lines).toHaveLength(11);
    expect(output.length).toBeLessThan(30_000);
  });

  test("a grown file is set aside, a few are kept, nothing is lost at the seams", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pitboss-log-"));
    folders.push(folder);
    const path = join(folder, "logs", "service.log");
    const log = createLogger({
      level: "info",
      secrets: [],
      target: { kind: "file", path, bytesMax: 20_000, kept: 50 },
    });
    for (let i = 0; i < 2000; i++) {
      log.info("line", { i });
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await log.close();
    const files = readdirSync(join(folder, "logs"));
    expect(files.length).toBeGreaterThan(2);
    const seen = files.flatMap((name) =>
      readFileSync(join(folder, "logs", name), "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => (JSON.parse(line) as { i: number }).i),
    );
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(existsSync(`${path}.1`)).toBe(true);
  });

  test("only so many files are kept, and a burst does not make the newest one endless", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pitboss-log-"));
    folders.push(folder);
    const path = join(folder, "service.log");
    const target = { kind: "file", path, bytesMax: 5000, kept: 2 } as const;
    for (let run = 0; run < 5; run++) {
      const log = createLogger({ level: "info", secrets: [], target });
      for (let i = 0; i < 200; i++) log.info("line", { run, i });
      await log.close();
    }
    expect(readdirSync(folder).sort()).toEqual(["service.log", "service.log.1", "service.log.2"]);
    expect(readFileSync(`${path}.1`, "utf8")).toContain('"run":4,"i":199');
  });

  test("a log file is complete when the process ends without closing it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pitboss-log-"));
    folders.push(folder);
    const path = join(folder, "service.log");
    const program = `
      import { createLogger } from ${JSON.stringify(loggerFile)};
      const target = { kind: "file", path: ${JSON.stringify(path)}, bytesMax: 1e6, kept: 1 };
      const log = createLogger({ level: "info", target, secrets: [] });
      for (let i = 0; i < 100; i++) log.info("line", { i });
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.on("exit", () => log.info("last words"));
      log.info("before the end");
    `;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program]);
    await once(child, "close");
    const lines = readFileSync(path, "utf8").trim().split("\n");
    expect(lines).toHaveLength(102);
  });

  test("to standard error by default, nothing on standard output, complete at the process's end", async () => {
    const program = `
      import { createLogger } from ${JSON.stringify(loggerFile)};
      const log = createLogger({ level: "info", target: { kind: "stderr" }, secrets: [${JSON.stringify(token)}] });
      for (let i = 0; i < 500; i++) log.info("line", { i, url: "/bot${token}/getMe" });
    `;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    expect(out).toBe("");
    const lines = errors.split("\n").filter((line) => line.startsWith("{"));
    expect(lines).toHaveLength(500);
    expect(leaksIn(errors)).toEqual([]);
  });
});

describe("createRedactor", () => {
  test("short or empty values are not taken as secrets: they would hide everything", () => {
    const redactor = createRedactor(["", "a", "12345"]);
    expect(redactor.sink("a banana costs 12345")).toBe("a banana costs 12345");
  });

  test("a secret inside a longer word is hidden too", () => {
    expect(createRedactor(["s3cret-value"]).sink("xxs3cret-valueyy")).toBe("xx[redacted]yy");
  });
});
