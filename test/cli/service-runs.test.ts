// How runs of the real service end: in order, broken, again and again. Nothing listens at its venue and its chat.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tapeRows } from "../../src/adapters/tape/tape-reader.ts";
import { verifyTape } from "../../src/adapters/tape/verify-tape.ts";
import { codeVersion } from "../../src/code-version.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const allMs = 90_000;
const waitMs = 30_000;

const config = `
[service]
state_dir = "."
[relayer]
type = "fake"
base_url = "http://127.0.0.1:9"
gamma_url = "http://127.0.0.1:9/gamma"
data_url = "http://127.0.0.1:9/data"
ws_url = "ws://127.0.0.1:9/ws"
dry_run = false
[telegram]
api_root = "http://127.0.0.1:9"
whitelist = [1001]
[telemetry]
log_file = "service.log"
`;
/** Hardhat's published account 1: it guards nothing. */
const secrets = `
[relayer]
private_key = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
[telegram]
bot_token = "1000000001:${"a".repeat(35)}"
`;

let dir: string;
let child: ChildProcess;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "runs-"));
  writeFileSync(join(dir, "service.toml"), config);
  writeFileSync(join(dir, "secrets.local.toml"), secrets, { mode: 0o600 });
});
afterEach(async () => {
  await end("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

type Status = {
  readonly view: { readonly trading: { readonly state: string; readonly reason: string } };
};

/** One question over the control socket; null while nobody answers. */
async function ask(verb: string): Promise<Status | null> {
  const socket = createConnection(join(dir, "control.sock"));
  try {
    await once(socket, "connect");
    socket.write(`${JSON.stringify({ v: 1, do: verb })}\n`);
    const [bytes] = (await once(socket, "data")) as [Buffer];
    return JSON.parse(bytes.toString("utf8")) as Status;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

function spawn(): void {
  child = fork(mainFile, ["run-service", "--config", join(dir, "service.toml"), "--fault-points"], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, XDG_STATE_HOME: join(dir, "user") },
  });
}

/** Starts the service and waits until it answers. */
async function start(): Promise<Status> {
  spawn();
  return vi.waitFor(
    async () => {
      const status = await ask("status");
      if (status === null) throw new TypeError("it does not answer yet");
      return status;
    },
    { timeout: waitMs, interval: 50 },
  );
}

async function end(signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "exit");
}

describe("a run that ends", () => {
  test(
    "by a signal ends in order with exit 0 and does not count as a crash; a second signal cuts nothing short (O5)",
    async () => {
      for (let run = 0; run < 4; run++) {
        const { view } = await start();
        expect(view.trading.reason).toBe("starting");
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        child.kill("SIGTERM");
        expect(await ended).toEqual([0, null]);
      }
    },
    allMs,
  );

  test(
    "with a tape closes it, and the next run goes on in it",
    async () => {
      const tape = join(dir, "tape");
      writeFileSync(join(dir, "service.toml"), `${config}[storage]\ntape_dir = "tape"\n`);
      for (const runs of [1, 2]) {
        await start();
        await end("SIGTERM");
        expect(verifyTape(tape, () => undefined)).toMatchObject({ segments: runs, faults: [] });
      }
      const [first] = tapeRows(tape);
      expect(first).toMatchObject({
        seq: 1,
        note: { note: "session", codeVersion: codeVersion() },
      });
    },
    allMs,
  );

  test(
    "by something nobody handled ends at once and not with 0 (O6)",
    async () => {
      await start();
      const ended = once(child, "exit");
      child.send({ reject: true });
      expect(await ended).not.toEqual([0, null]);
    },
    allMs,
  );

  test(
    "by three crashes within minutes starts halted, and says why (O7)",
    async () => {
      for (let run = 0; run < 3; run++) {
        expect((await start()).view.trading.reason).toBe("starting");
        await end("SIGKILL");
      }
      const { trading } = (await start()).view;
      expect(trading).toMatchObject({ state: "halted", reason: "crash_loop" });
      // Only a person ends it: a start in order does not.
      await end("SIGTERM");
      expect((await start()).view.trading.reason).toBe("crash_loop");
    },
    allMs,
  );

  test(
    "whose parent was gone before it listened ends in order: nobody is left who could stop it",
    async () => {
      spawn();
      const ended = once(child, "exit");
      child.disconnect();
      expect(await ended).toEqual([0, null]);
    },
    allMs,
  );
});
