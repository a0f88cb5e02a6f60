import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openDeskState } from "../../../src/bot/local/desk-state.ts";
import { untilTrue } from "./emulator-harness.ts";

const entry = fileURLToPath(new URL("command-entry.ts", import.meta.url));

interface Running {
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

/** Starts the command; without `input` its stdin is at its end at once. */
function start(args: readonly string[], stdin: "ignore" | "pipe" = "ignore"): Running {
  const child = spawn(process.execPath, [entry, ...args], { stdio: [stdin, "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    err += String(chunk);
  });
  const { promise, resolve } = Promise.withResolvers<{
    code: number | null;
    out: string;
    err: string;
  }>();
  child.once("close", (code) => resolve({ code, out, err }));
  return { process: child, out: () => out, err: () => err, ended: promise };
}

const run = (...args: string[]) => start(args).ended;

function temporaryDir(): { path: string; script: (text: string) => string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "desk-command-"));
  return {
    path,
    script: (text) => {
      const file = join(path, "script.txt");
      writeFileSync(file, text);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

describe("tgbot-run-local", () => {
  test("help has an example", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    expect(out).toContain("example: pitboss tgbot-run-local --script");
  });

  test.each([
    { name: "an unknown option", args: ["--nonsense"], says: "--nonsense" },
    { name: "an unknown transport", args: ["--transport", "pigeon"], says: "poll or webhook" },
    { name: "a script that is not there", args: ["--script", "/nowhere.txt"], says: "cannot read" },
  ])("error: $name is exit 2", async ({ args, says }) => {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  });

  test("error: a bad script is exit 2 and names its line before anything starts", async () => {
    using dir = temporaryDir();
    const { code, out, err } = await run("--script", dir.script("/start\n# fine\n!expct Desk\n"));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe('bad script: line 3: unknown directive "!expct": !expct Desk\n');
  });

  test.each(["poll", "webhook"])(
    "a script that holds is exit 0 by %s, its state gone",
    async (transport) => {
      using dir = temporaryDir();
      const before = readdirSync(tmpdir()).filter((name) => name.startsWith("pitboss-desk-"));
      const script = dir.script("hello\n!expect echo hello\n");
      const { code, out } = await run("--script", script, "--transport", transport);
      expect(code).toBe(0);
      expect(out).toContain("Trader (1001): hello\nbot: echo hello\n");
      expect(out.trimEnd()).toMatch(/script held: 2 lines$/);
      const after = readdirSync(tmpdir()).filter((name) => name.startsWith("pitboss-desk-"));
      expect(after.filter((name) => !before.includes(name))).toEqual([]);
    },
  );

  test("error: a failed expectation is exit 1 with the line, what was seen and the transcript", async () => {
    using dir = temporaryDir();
    const { code, err } = await run(
      "--script",
      dir.script("one\n!expect echo\ntwo\n!expect /never/ 0.3\n"),
    );
    expect(code).toBe(1);
    expect(err).toContain("script failed at line 4: !expect /never/ 0.3\n  nothing seen matches\n");
    const [, seen = "", transcript = ""] = err.split(
      /seen since.*:\n|transcript tail:\n|service log tail:\n/,
    );
    expect(seen).toBe("  bot: echo two\n");
    expect(transcript).toBe("  1001: one\n  bot: echo one\n  1001: two\n  bot: echo two\n");
  });

  test("--json prints one object a line and nothing else", async () => {
    using dir = temporaryDir();
    const { code, out } = await run(
      "--json",
      "--script",
      dir.script("/card\n!press conf\n!expect pressed\n"),
    );
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      {
        dir: "in",
        chat: 1001,
        user: 1001,
        kind: "message",
        text: "/card",
        buttons: [],
        alert: false,
      },
      { dir: "out", chat: 1001, user: null, kind: "message", buttons: [["Confirm", "Cancel"]] },
      { dir: "in", kind: "press", text: "Confirm" },
      { dir: "out", kind: "callback_answer", text: "pressed c" },
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual(
      "t dir chat user kind message_id text buttons alert".split(" "),
    );
  });

  test("piped lines are answered, the end of input is exit 0, and a returning desk says what it carries", async () => {
    using dir = temporaryDir();
    const state = join(dir.path, "state");
    const first = start(["--state", state], "pipe");
    first.process.stdin?.end("hello\n");
    const { code, out } = await first.ended;
    expect([code, out]).toEqual([0, expect.stringContaining("bot: echo hello")]);
    expect(out).toContain("Type a message to the bot and press Enter");
    const second = await run("--state", state);
    expect(second.code).toBe(0);
    expect(second.out).toMatch(
      /continuing, KILLED since \d\d:\d\d: type \/resume · 1 open order · 2 positions/,
    );
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends a session cleanly with exit 0",
    async (signal) => {
      using dir = temporaryDir();
      const state = join(dir.path, "state");
      const running = start(["--state", state], "pipe");
      await untilTrue(() => running.out().includes("Paper desk ready"));
      const other = await run("--state", state);
      expect([other.code, other.err]).toEqual([
        2,
        expect.stringContaining(`held by process ${running.process.pid}`),
      ]);
      running.process.kill(signal);
      expect((await running.ended).code).toBe(0);
      expect(existsSync(join(state, "desk.lock"))).toBe(false);
    },
  );

  test("error: a service that dies is named with its last log line, exit 1", async () => {
    using dir = temporaryDir();
    const running = start(["--state", join(dir.path, "state")], "pipe");
    running.process.stdin?.write("/die\n");
    const { code, err } = await running.ended;
    expect(code).toBe(1);
    expect(err).toMatch(
      /the service died \(exit code 1\), last logged: ledger\.failed \(log: .*service\.log\); start the desk again/,
    );
  });

  test("--set reaches the service's configuration, over what the desk wrote", async () => {
    using dir = temporaryDir();
    const state = join(dir.path, "state");
    const sets = [
      "telegram.confirm_ttl_seconds=5",
      "service.log_level=debug",
      "risk.max_open_orders=7",
    ];
    const { code } = await run("--state", state, ...sets.flatMap((one) => ["--set", one]));
    expect(code).toBe(0);
    const config = readFileSync(join(state, "desk.toml"), "utf8");
    expect(config).toMatch(/\[telegram\]\n(.+\n)*confirm_ttl_seconds = 5\n/);
    expect(config).toMatch(/\[service\]\n(.+\n)*log_level = "debug"\n/);
    expect(config).toMatch(/\[risk\]\nmax_open_orders = 7\n/);
    expect((await run("--state", state, "--set", "nonsense")).code).toBe(2);
  });

  test("error: a state that another desk holds is exit 2", async () => {
    using dir = temporaryDir();
    using _held = openDeskState(dir.path, false);
    const { code, err } = await run("--state", dir.path, "--script", dir.script("/start\n"));
    expect([code, err]).toEqual([2, expect.stringContaining(`held by process ${process.pid}`)]);
  });

  test("behavior: children do not outlive a desk that is killed", async () => {
    using dir = temporaryDir();
    const running = start(["--state", join(dir.path, "state")], "pipe");
    running.process.stdin?.write("/pid\n");
    await untilTrue(() => /bot: pid \d+/.test(running.out()));
    const pid = Number(/bot: pid (\d+)/.exec(running.out())?.[1]);
    running.process.kill("SIGKILL");
    await running.ended;
    await untilTrue(() => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  });
});
