import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import {
  type ControlHandlers,
  type ControlServer,
  startControlServer,
} from "../../../src/adapters/system/control-server.ts";
import { systemEntropy } from "../../../src/adapters/system/entropy.ts";

const faultChild = new URL("./fault-child.ts", import.meta.url).pathname;
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

describe("systemClock", () => {
  test("calls back once after the delay, and never when cancelled", async () => {
    let calls = 0;
    const started = systemClock.monotonicMs();
    const cancel = systemClock.after(1, () => calls++);
    cancel();
    await new Promise<void>((resolve) => systemClock.after(20, resolve));
    expect(systemClock.monotonicMs() - started).toBeGreaterThanOrEqual(19);
    expect(calls).toBe(0);
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000);
  });

  test.each([-1, 2 ** 31, Number.NaN, Number.POSITIVE_INFINITY])(
    "a delay of %s is refused",
    (ms) => {
      expect(() => systemClock.after(ms, () => undefined)).toThrow("Invariant");
    },
  );
});

describe("systemEntropy", () => {
  test("gives hex digits and salts that fit a number exactly", () => {
    expect(systemEntropy.hex(16)).toMatch(/^[0-9a-f]{32}$/);
    // More than is drawn ahead, and never a stretch of what was overwritten.
    expect(systemEntropy.hex(5_000)).toMatch(/^[0-9a-f]{10000}$/);
    const drawn = Array.from({ length: 2_000 }, () => systemEntropy.hex(12));
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(drawn.filter((one) => one.includes("00000000"))).toEqual([]);
    const salts = Array.from({ length: 2000 }, () => systemEntropy.salt());
    expect(salts.every((salt) => Number.isSafeInteger(salt) && salt >= 0)).toBe(true);
    expect(new Set(salts).size).toBe(2000);
    // All 53 bits are used: half of the salts lie above 2^52.
    const high = salts.filter((salt) => salt >= 2 ** 52).length;
    expect(high).toBeGreaterThan(800);
    expect(high).toBeLessThan(1200);
  });
});

describe("fault points", () => {
  async function startChild(mode: "enabled" | "disabled") {
    const child = fork(faultChild, [mode]);
    const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    const answers: unknown[] = [];
    child.on("message", (message) => answers.push(message));
    await expect.poll(() => answers.length, { timeout: 20_000 }).toBe(1);
    return { child, ended, answers };
  }

  test("an armed point kills the process by SIGKILL before anything after it runs", async () => {
    const { child, ended, answers } = await startChild("enabled");
    child.send({ pass: 1 });
    await expect.poll(() => answers).toContainEqual({ survived: 1 });
    child.send({ arm: "K99" });
    child.send({ arm: "K9" });
    await expect.poll(() => answers).toContainEqual({ armed: "K9" });
    expect(answers).not.toContainEqual({ armed: "K99" });
    child.send({ pass: 2 });
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(answers).not.toContainEqual({ survived: 2 });
  });

  test("armed for a moment after a point, the process passes it and dies then", async () => {
    const { child, ended, answers } = await startChild("enabled");
    child.send({ arm: "K9", afterMs: 50 });
    await expect.poll(() => answers).toContainEqual({ armed: "K9" });
    child.send({ pass: 1 });
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(answers).toContainEqual({ survived: 1 });
  });

  test("when not enabled nothing listens and nothing can be armed", async () => {
    const { child, ended, answers } = await startChild("disabled");
    expect(answers).toEqual([{ listeners: 0 }]);
    child.send({ arm: "K9" });
    child.send({ pass: 1 });
    await expect.poll(() => answers).toContainEqual({ survived: 1 });
    expect(answers).not.toContainEqual({ armed: "K9" });
    child.disconnect();
    expect(await ended).toEqual([0, null]);
  });
});

describe("the control server", () => {
  const handlers: ControlHandlers = {
    status: () => Promise.resolve({ view: { cash: 5 } }),
    report: async () => ({}),
    metrics: async () => ({ page: "" }),
    health: () => Promise.reject(new Error("health is broken")),
    kill: ({ note }) => Promise.resolve({ openOrders: 2, note }),
  };

  async function start(path: string, own: ControlHandlers = handlers): Promise<ControlServer> {
    const server = await startControlServer(path, own);
    servers.push(server);
    return server;
  }

  /** Sends raw text and returns the answer lines until `count` came or the server hung up. */
  async function ask(path: string, text: string, count = 1): Promise<unknown[]> {
    const socket = createConnection(path);
    socket.on("error", () => socket.destroy());
    socket.write(text);
    const answers: unknown[] = [];
    for await (const line of createInterface({ input: socket })) {
      answers.push(JSON.parse(line));
      if (answers.length === count) break;
    }
    socket.destroy();
    return answers;
  }

  test("answers in order, is for its owner only, and leaves no file", async () => {
    const path = join(scratchFolder(), "control.sock");
    const server = await start(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const answers = await ask(
      path,
      '{"v":1,"do":"kill","note":"too hot"}\n\n{"v":1,"do":"status"}\n{"v":1,"do":"health"}\n',
      3,
    );
    expect(answers).toEqual([
      { openOrders: 2, note: "too hot", ok: true },
      { view: { cash: 5 }, ok: true },
      { ok: false, error: "failed", message: "health is broken" },
    ]);
    await server.close();
    expect(existsSync(path)).toBe(false);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  test.each([
    ["not JSON", "hello\n", "bad_request"],
    ["a list", "[1]\n", "bad_request"],
    ["another version", '{"v":2,"do":"kill"}\n', "bad_request"],
    ["an unknown verb", '{"v":1,"do":"buy"}\n', "bad_request"],
    ["a note that is no text", '{"v":1,"do":"kill","note":5}\n', "bad_request"],
    ["a note without end", `{"v":1,"do":"kill","note":"${"x".repeat(201)}"}\n`, "bad_request"],
    ["a line without end", "x".repeat(5000), "too_long"],
  ])("refuses %s and stays up", async (_, text, error) => {
    const path = join(scratchFolder(), "control.sock");
    await start(path);
    expect(await ask(path, text)).toMatchObject([{ ok: false, error }]);
    expect(await ask(path, '{"v":1,"do":"status"}\n')).toMatchObject([{ ok: true }]);
  });

  test("a request that takes long does not hold up another connection", async () => {
    const path = join(scratchFolder(), "control.sock");
    const { promise: stuck, resolve: release } =
      Promise.withResolvers<Readonly<Record<string, unknown>>>();
    await start(path, { ...handlers, status: () => stuck });
    const waiting = ask(path, '{"v":1,"do":"status"}\n');
    expect(await ask(path, '{"v":1,"do":"kill"}\n')).toMatchObject([{ ok: true }]);
    release({ late: true });
    expect(await waiting).toEqual([{ ok: true, late: true }]);
  });

  test("a socket file that nobody answers on is replaced; a living one is not", async () => {
    const path = join(scratchFolder(), "control.sock");
    writeFileSync(path, "left over");
    chmodSync(path, 0o600);
    await start(path);
    expect(await ask(path, '{"v":1,"do":"status"}\n')).toMatchObject([{ ok: true }]);
    await expect(startControlServer(path, handlers)).rejects.toMatchObject({
      name: "ControlError",
      code: "control_in_use",
    });
    expect(await ask(path, '{"v":1,"do":"status"}\n')).toMatchObject([{ ok: true }]);
  });

  test("does not remove the socket of a successor", async () => {
    const path = join(scratchFolder(), "control.sock");
    const server = await start(path);
    rmSync(path);
    const successor = createServer();
    await new Promise<void>((resolve) => successor.listen(path, resolve));
    await server.close();
    expect(existsSync(path)).toBe(true);
    successor.close();
  });

  test("a path that a socket cannot have is refused in words", async () => {
    const path = join(scratchFolder(), "x".repeat(90), "control.sock");
    await expect(startControlServer(path, handlers)).rejects.toThrow(
      "choose a shorter state folder",
    );
  });
});
