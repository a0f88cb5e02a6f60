import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Desk, traders } from "../../../src/bot/local/desk.ts";
import type { DeskError } from "../../../src/bot/local/desk-errors.ts";
import { runPipe } from "../../../src/bot/local/desk-prompt.ts";
import { Screen } from "../../../src/bot/local/desk-screen.ts";
import { openDeskState } from "../../../src/bot/local/desk-state.ts";
import { parseScript } from "../../../src/bot/local/script-parse.ts";
import { ScriptRunner } from "../../../src/bot/local/script-run.ts";
import { endedUnnoticed } from "../../ended-process.ts";
import { pngOf, untilTrue } from "./emulator-harness.ts";

const mainFile = fileURLToPath(new URL("stand-in-program.ts", import.meta.url));

function temporaryDir(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "desk-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

async function withDesk(
  transport: "poll" | "webhook",
  use: (desk: Desk, runner: ScriptRunner, dir: string) => Promise<void>,
): Promise<void> {
  using dir = temporaryDir();
  using state = openDeskState(dir.path, false);
  const desk = new Desk({ state, transport, mainFile, venueArgs: [], armedDeathMs: 300 });
  try {
    await desk.start();
    const { emulator } = desk;
    const runner = new ScriptRunner({ emulator, desk, userId: traders[0].id, signal: desk.broken });
    await use(desk, runner, dir.path);
  } finally {
    await desk.stop();
  }
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("Desk", () => {
  test.each(["poll", "webhook"] as const)(
    "a script talks to the service by %s",
    async (transport) => {
      await withDesk(transport, async (desk, runner) => {
        const script = [
          "hello\n!expect echo hello",
          "/card\n!press confirm\n!expect pressed c",
          "!market fed hold\n!fault venue drop-after path=/order",
          '!venue GET /x "owner":"0xowner".*fed/hold.*"name":"drop-after"',
          "!crash K9\nboom\n!restart",
          // The update that killed the service was never confirmed and comes again.
          "!expect echo boom",
          "!crash now\n!restart\nagain\n!expect echo again",
          "!restart\nmore\n!expect echo more",
        ];
        const { failed } = await runner.runAll(parseScript(script.join("\n")));
        expect(failed).toBeNull();
        expect(desk.carriedOver.positions).toBe(2);
      });
    },
  );

  test("behavior: nothing runs and no lock is left after the stop", async () => {
    let pid = 0;
    let files: string[] = [];
    await withDesk("poll", async (desk, runner, dir) => {
      await runner.runAll(parseScript("/pid\n!expect pid"));
      pid = Number(desk.emulator.events.at(-1)?.text.slice(4));
      expect(isRunning(pid)).toBe(true);
      files = readdirSync(dir);
    });
    expect(isRunning(pid)).toBe(false);
    expect(files).toEqual(
      expect.arrayContaining([
        "desk.json",
        "desk.lock",
        "desk.toml",
        "secrets.local.toml",
        "service.log",
      ]),
    );
  });

  test("error: a service that dies breaks the desk and its last log message is told", async () => {
    await withDesk("poll", async (desk, runner) => {
      const { failed } = await runner.runAll(parseScript("/die\n!expect never"));
      expect(failed?.reason).toBe("the desk stopped");
      const { message, exitCode } = desk.broken.reason as DeskError;
      expect(message).toMatch(
        /the service died \(exit code 1\), last logged: ledger\.failed \(log: .*service\.log\)/,
      );
      expect(exitCode).toBe(1);
    });
  });

  test("error: an armed service that does not reach its point, or ends in another way", async () => {
    await withDesk("poll", async (_desk, runner) => {
      const { failed } = await runner.runAll(parseScript("!crash K9\n!restart"));
      expect(failed?.reason).toBe("the service did not reach K9 within 0.3 s");
    });
    await withDesk("poll", async (desk, runner) => {
      const { failed } = await runner.runAll(parseScript("!crash K9\n/die\n!restart"));
      expect(failed?.reason).toMatch(
        /ended by exit code 1 instead of SIGKILL at K9|the desk stopped/,
      );
      expect(desk.broken.aborted).toBe(true);
    });
  });

  test("error: a venue that refuses its arguments ends the start with its exit code", async () => {
    using dir = temporaryDir();
    using state = openDeskState(dir.path, false);
    const desk = new Desk({
      state,
      transport: "poll",
      mainFile,
      venueArgs: ["--data", "/nowhere"],
    });
    const failure = await desk.start().catch((error: unknown) => error);
    await desk.stop();
    expect(failure).toMatchObject({ name: "DeskError", exitCode: 2 });
    expect(String(failure)).toContain("no recorded data in /nowhere");
  });

  test("piped lines are run in order and their answers awaited", async () => {
    await withDesk("poll", async (desk, runner) => {
      const shown: string[] = [];
      const input = Readable.from([
        "/card\n!expect CARD\n!2\n!expect pressed x\n",
        "!9\n",
        "!nonsense\n",
        "!venue GET /data/orders\n",
        "bye\n",
      ]);
      const signal = new AbortController().signal;
      const writeLine = (line: string): void => void shown.push(line);
      const held = await runPipe({ emulator: desk.emulator, runner, input, writeLine, signal });
      expect(held).toBe(false);
      expect(shown).toEqual([
        "!9: there is no such button",
        'unknown directive "!nonsense": !nonsense (!help)',
        expect.stringMatching(/^\{"owner":/u),
      ]);
      expect(desk.emulator.events.at(-1)?.text).toBe("echo bye");
    });
  });
});

describe("openDeskState", () => {
  test("keeps the secrets, private and unchanged over restarts", () => {
    using dir = temporaryDir();
    const path = join(dir.path, "desk");
    const first = openDeskState(path, false);
    const { secrets } = first;
    expect(secrets.privateKey).toMatch(/^0x[0-9a-f]{64}$/);
    expect(secrets.botToken).toMatch(/^1000000001:[\w-]{35}$/);
    expect(statSync(join(path, "secrets.local.toml")).mode & 0o777).toBe(0o600);
    first[Symbol.dispose]();
    using second = openDeskState(path, false);
    expect([first.isReturning, second.isReturning]).toEqual([false, true]);
    expect(second.secrets).toEqual(secrets);
  });

  test("error: a second holder is told who holds it", () => {
    using dir = temporaryDir();
    using _state = openDeskState(dir.path, false);
    expect(() => openDeskState(dir.path, false)).toThrow(`held by process ${process.pid}`);
    expect(() => openDeskState(dir.path, true)).toThrow(`held by process ${process.pid}`);
  });

  test("error: a folder that cannot be used is named, with what to do", () => {
    using dir = temporaryDir();
    const file = join(dir.path, "file");
    writeFileSync(file, "x");
    expect(() => openDeskState(file, false)).toThrow(
      expect.objectContaining({
        name: "DeskError",
        exitCode: 2,
        message: expect.stringMatching(
          /cannot be used .*ENOTDIR.*choose another one with --state/u,
        ),
      }),
    );
  });

  test.each([
    { name: "a dead process", lock: '{"pid":999999999,"startedAt":"1"}' },
    { name: "a later process with the same id", lock: `{"pid":${process.pid},"startedAt":"1"}` },
    { name: "a cut file", lock: "" },
  ])("behavior: a lock of $name is taken over", ({ lock }) => {
    using dir = temporaryDir();
    writeFileSync(join(dir.path, "desk.lock"), lock);
    using _state = openDeskState(dir.path, false);
    expect(JSON.parse(readFileSync(join(dir.path, "desk.lock"), "utf8"))).toMatchObject({
      pid: process.pid,
    });
  });

  test("behavior: the lock of a process that ended holds nobody out while its parent looks away", async () => {
    using dir = temporaryDir();
    await using ended = await endedUnnoticed();
    writeFileSync(join(dir.path, "desk.lock"), JSON.stringify(ended.lock));
    using _state = openDeskState(dir.path, false);
    expect(JSON.parse(readFileSync(join(dir.path, "desk.lock"), "utf8"))).toMatchObject({
      pid: process.pid,
    });
  });

  test("behavior: --fresh deletes what a desk left and nothing else", () => {
    using dir = temporaryDir();
    const old = openDeskState(dir.path, false);
    old[Symbol.dispose]();
    writeFileSync(join(dir.path, "ledger.db"), "x");
    using fresh = openDeskState(dir.path, true);
    expect(existsSync(join(dir.path, "ledger.db"))).toBe(false);
    expect(fresh.isReturning).toBe(false);
    expect(fresh.secrets).not.toEqual(old.secrets);
  });

  test("error: --fresh refuses a folder that is not a desk's, also after it was used as one", () => {
    using dir = temporaryDir();
    writeFileSync(join(dir.path, "thesis.txt"), "x");
    expect(() => openDeskState(dir.path, true)).toThrow("--fresh deletes only");
    openDeskState(dir.path, false)[Symbol.dispose]();
    expect(() => openDeskState(dir.path, true)).toThrow("--fresh deletes only");
    expect(existsSync(join(dir.path, "thesis.txt"))).toBe(true);
  });
});

describe("Screen", () => {
  test("shows texts, numbered buttons, edits, alerts and pictures, without control characters", async () => {
    await withDesk("poll", async (desk, _runner, dir) => {
      const lines: string[] = [];
      const { emulator } = desk;
      const photosDir = join(dir, "photos");
      const screen = new Screen({
        homeChatId: 1001,
        emulator,
        photosDir,
        isColoured: false,
        writeLine: (line) => lines.push(line),
      });
      const stop = emulator.onEvent((event) => screen.show(event));
      const token = readFileSync(join(dir, "secrets.local.toml"), "utf8").match(
        /bot_token = "(.*)"/,
      )?.[1];
      const call = (method: string, body: FormData | URLSearchParams) =>
        fetch(`${emulator.apiRoot}/bot${token}/${method}`, { method: "POST", body });
      const buttons = [
        [
          { text: "Confirm", callback_data: "c", style: "success" },
          { text: "Open", url: "https://x.io" },
        ],
        [{ text: "Cancel", callback_data: "x" }],
      ];
      const reply_markup = JSON.stringify({ inline_keyboard: buttons });
      const chat_id = String(traders[0].id);
      await call(
        "sendMessage",
        new URLSearchParams({ chat_id, text: "one\n\u001b[31mtwo", reply_markup }),
      );
      const photo = new FormData();
      photo.set("chat_id", chat_id);
      photo.set("photo", new Blob([new Uint8Array(pngOf(4, 4))]), "c.png");
      await call("sendPhoto", photo);
      const message_id = String(emulator.history(traders[0].id)[0]?.message_id);
      await call("editMessageText", new URLSearchParams({ chat_id, message_id, text: "three" }));
      await untilTrue(() => lines.length >= 6);
      stop();
      expect(lines.slice(0, 3)).toEqual([
        "bot: one\n  �[31mtwo",
        "  [1 Confirm] [Open ↗]",
        "  [2 Cancel]",
      ]);
      expect(lines[4]).toMatch(/^ {2}picture: .*photos\/.*\.png$/);
      expect(lines[5]).toBe(`bot (edits ${message_id}): three`);
      expect(readdirSync(photosDir)).toHaveLength(1);
    });
  });
});
