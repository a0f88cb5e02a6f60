// The program as its user starts it: through the launcher, on whatever Node runs the tests.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";

const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
const commands = [
  "tgbot-run-local",
  "status",
  "health",
  "kill",
  "run-service",
  "preflight",
  "relayer-dry-run",
  "smoke-live",
  "key-import",
  "totp-setup",
  "relayer-approve-usdc",
  "relayer-approve-outcome",
  "paper-venue",
  "book-verify",
  "sets-scan",
  "ingest-ws",
  "record",
  "replay",
  "tape-info",
  "tape-verify",
  "tape-export",
  "snapshot",
  "prune",
] as const;
const stopMs = 10_000;

let dir: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "pitboss-cli-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGTERM");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function start(...args: string[]) {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const code = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, code };
}

async function run(...args: string[]) {
  const { child, code } = start(...args);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, errors };
}

describe("pitboss", () => {
  test("--help, -h and help list every command; no command and an unknown one are wrong use", async () => {
    const [long, short, word] = await Promise.all([run("--help"), run("-h"), run("help")]);
    for (const name of commands) expect(long.out).toMatch(new RegExp(`^  ${name} `, "m"));
    for (const one of [long, short, word]) expect(one).toEqual({ ...long, code: 0 });
    expect((await run()).code).toBe(2);
    const unknown = await run("nosuch");
    expect(unknown.code).toBe(2);
    expect(unknown.errors).toContain('there is no command "nosuch"');
  });

  test("--version names the package's version and the code that runs", async () => {
    const version = await run("--version");
    expect(version.code).toBe(0);
    expect(version.out).toMatch(/^pitboss \d+\.\d+\.\d+\+[0-9a-f]{12}\n$/);
    expect((await run("version")).out).toBe(version.out);
  });

  test.each(commands)(
    "%s explains itself by --help and -h, and refuses an unknown option",
    async (name) => {
      const [long, short, wrong] = await Promise.all([
        run(name, "--help"),
        run(name, "-h"),
        run(name, "--no-such-option"),
      ]);
      expect(long.code).toBe(0);
      expect(long.out).toContain(`usage: pitboss ${name}`);
      expect(long.out).toContain(`example: pitboss ${name}`);
      expect(short).toEqual(long);
      expect(wrong.code).toBe(2);
      expect(wrong.errors).toContain("--no-such-option");
    },
  );

  test("a SIGINT that reaches the launcher alone ends the command as Ctrl-C does", async () => {
    const { child, code } = start(
      "paper-venue",
      "--port",
      "0",
      "--state",
      join(dir, "v"),
      "--still",
    );
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGINT");
    const late = AbortSignal.timeout(stopMs);
    const timedOut = new Promise<string>((resolve) => {
      late.addEventListener("abort", () => resolve("still running"));
    });
    expect(await Promise.race([code, timedOut])).toBe(0);
  });
});

describe("replay", () => {
  test("a file without any market event is not a recording", async () => {
    const file = join(dir, "notes.txt");
    writeFileSync(file, "not a frame\n\nPONG\n");
    const { code, errors } = await run("replay", file);
    expect(code).toBe(1);
    expect(errors).toBe("replay: no event of the market channel was found\n");
  });
});

describe("pitboss totp-setup", () => {
  test("shows a secret that the configuration takes, once, and writes nothing", async () => {
    const [plain, json] = await Promise.all([
      run("totp-setup", "--name", "live"),
      run("totp-setup", "--json"),
    ]);
    const { secret = "", uri = "" } = JSON.parse(json.out) as { secret?: string; uri?: string };
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(uri).toContain(`secret=${secret}`);
    const shown = /^secret: ([A-Z2-7]{32})$/m.exec(plain.out)?.[1];
    expect(shown).not.toBe(secret);
    expect(plain.out).toContain(`totp_secret = "${shown}"`);
    const config = join(dir, "totp.toml");
    writeFileSync(config, "");
    const overlay = join(dir, "secrets.local.toml");
    writeFileSync(overlay, `[telegram]\ntotp_secret = "${shown}"\n`, { mode: 0o600 });
    expect(loadConfig(config).telegram.totpSecret?.reveal()).toBe(shown);
    rmSync(overlay);
  });
});
