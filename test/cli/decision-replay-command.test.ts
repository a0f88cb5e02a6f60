// `pitboss replay --ledger` on what a real service left: stopped in order, and killed in the middle.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { isTapeFolder, journaledRows } from "../../src/adapters/tape/tape-reader.ts";
import type { TapeRow } from "../../src/adapters/tape/tape-row.ts";
import type { DecisionReport } from "../../src/cli/decision-replay.ts";
import { identity } from "../adapters/tape/frames.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const allMs = 180_000;
const waitMs = 60_000;

/** Nothing listens at its venue and its chat. */
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
[storage]
tape_dir = "tape"
`;
const botToken = `1000000001:${"a".repeat(35)}`;
/** Hardhat's published account 1: it guards nothing. */
const privateKey = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const secrets = `
[relayer]
private_key = "0x${privateKey}"
[telegram]
bot_token = "${botToken}"
`;

let dir: string;
let tape: string;

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

async function pitboss(...args: string[]): Promise<Ran> {
  const child = spawn(process.execPath, [mainFile, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}

/** One question over the control socket; false while nobody answers. */
async function ask(verb: string): Promise<boolean> {
  const socket = createConnection(join(dir, "control.sock"));
  try {
    await once(socket, "connect");
    socket.write(`${JSON.stringify({ v: 1, do: verb })}\n`);
    await once(socket, "data");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const inputsOn = () =>
  (isTapeFolder(tape) ? [...journaledRows(tape)] : []).filter(({ kind }) => kind === "step");

/** A run of the service until its tape says `what`, then the signal. */
async function run(signal: NodeJS.Signals, what: RegExp): Promise<void> {
  const before = inputsOn().length;
  const child: ChildProcess = spawn(
    process.execPath,
    [mainFile, "run-service", "--config", join(dir, "service.toml")],
    { stdio: "ignore", env: { ...process.env, XDG_STATE_HOME: join(dir, "user") } },
  );
  const patience = { timeout: waitMs, interval: 100 };
  await vi.waitFor(async () => expect(await ask("status")).toBe(true), patience);
  await ask("kill");
  await vi.waitFor(() => {
    const texts = inputsOn().slice(before);
    expect(texts.some((row) => row.kind === "step" && what.test(row.text))).toBe(true);
  }, patience);
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "decided-"));
  tape = join(dir, "tape");
  writeFileSync(join(dir, "service.toml"), config);
  writeFileSync(join(dir, "secrets.local.toml"), secrets, { mode: 0o600 });
  await run("SIGKILL", /"do":"kill"/);
  await run("SIGTERM", /"kind":"tick"/);
}, allMs);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The same tape with other words. */
function retold(change: (row: TapeRow) => string | null): string {
  const folder = join(dir, "retold");
  rmSync(folder, { recursive: true, force: true });
  const rows = [...journaledRows(tape)];
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, rows[0]?.atMs ?? 0);
  for (const row of rows) {
    if (row.kind === "note") {
      writer.note(row.atMs, row.note, row.atMs);
      continue;
    }
    const bytes = Buffer.from(change(row) ?? row.text);
    const whole = [0, bytes.length] as const;
    if (row.kind === "step") writer.step(row.atMs, bytes, whole, row.atMs);
    else writer.frame(row.atMs, bytes, whole, row.atMs);
  }
  writer.close(rows.at(-1)?.atMs ?? 0);
  return folder;
}

describe("pitboss replay --ledger", { timeout: allMs }, () => {
  test("proves a run that was killed as far as it is on the tape, and one that was stopped to its end", async () => {
    const ran = await pitboss("replay", "--tape", tape, "--ledger", dir);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toMatch(/^run 1, .*: equal as far as it is recorded; it was killed/m);
    expect(ran.out).toMatch(/^run 2, .*: equal to its end$/m);
    expect(ran.out).toMatch(/decided again: \d+ steps, \d+ facts, ledger rows 1 to \d+ equal/);
    const again = await pitboss(
      "replay",
      "--tape",
      tape,
      "--ledger",
      join(dir, "ledger.db"),
      "--json",
    );
    const { runs } = JSON.parse(again.out) as DecisionReport;
    expect(runs.map(({ end, difference }) => [end, difference])).toEqual([
      ["cut", null],
      ["stopped", null],
    ]);
    for (const { digest } of runs) expect(ran.out).toContain(`digest ${digest}`);
    const named = await pitboss(
      "replay",
      tape,
      "--config",
      join(dir, "service.toml"),
      "--run",
      "2",
      "--strict",
      "--json",
    );
    expect(named.code).toBe(0);
    expect(JSON.parse(named.out)).toEqual({ runs: runs.slice(1) });
    expect((await pitboss("replay", tape, "--ledger", dir, "--strict")).code).toBe(1);
  });

  test("tape-info counts what both runs were given, and names their code and end", async () => {
    const { out } = await pitboss("tape-info", tape);
    expect(out).toMatch(/^inputs of the engine \d+: .*\brequest kill 2\b/m);
    expect(out).toMatch(/^inputs of the engine .*\btick \d+/m);
    expect(out).toMatch(/^runs of a service 2$/m);
    const ends = out.match(/^ {2}from .*, paper, code .+, configuration \w+: steps \d+, .*$/gm);
    expect(ends?.map((line) => line.split(", ").at(-1))).toEqual([
      "no end recorded",
      "stopped in order",
    ]);
    const { engine } = JSON.parse((await pitboss("tape-info", tape, "--json")).out);
    expect(engine).toMatchObject({ damage: null, wakeUps: { steps: 0 }, runs: [{}, {}] });
    expect((await pitboss("tape-info", tape, "--heads")).out).not.toContain("inputs of");
  });

  test("names the first difference and ends with 1", async () => {
    const other = retold((row) =>
      row.kind === "step" && row.text.includes('"do":"kill"')
        ? row.text.replace('"note":"by the command line"', '"note":"by chance"')
        : null,
    );
    const ran = await pitboss("replay", "--tape", other, "--ledger", dir, "--run", "1");
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/^run 1, .*: DIFFERENT$/m);
    expect(ran.out).toMatch(/first difference: step \d+, ledger row \d+, tape row \d+, at /);
    expect(ran.out).toMatch(/input {5}request kill, correlation id kill/);
    expect(ran.out).toMatch(/expected {2}.*"note":"by the command line"/);
    expect(ran.out).toMatch(/got {7}.*"note":"by chance"/);
  });

  test("wrong use is told with 2; a tape without a run, or of other code, with 1", async () => {
    const used = async (...args: string[]) => {
      const { code, err } = await pitboss("replay", ...args);
      return [code, err.split("\n")[0]];
    };
    expect(await used("--ledger", dir)).toEqual([2, "replay: which tape or file?"]);
    expect(await used(tape, "--run", "1")).toEqual([2, "replay: --run needs --ledger or --config"]);
    expect(await used(tape, "--ledger", join(dir, "none"))).toEqual([
      2,
      `replay: ${join(dir, "none")}: there is no ledger`,
    ]);
    expect(await used(dir, "--ledger", dir)).toEqual([2, `replay: ${dir}: is no folder of a tape`]);
    expect(await used(tape, "--ledger", dir, "--fast")).toEqual([
      2,
      "replay: --fast is for books, not with a ledger",
    ]);
    expect(await used(tape, "--ledger", dir, "--run", "9")).toEqual([
      1,
      "replay: no run 9 is recorded on this tape",
    ]);
    const other = retold((row) =>
      row.kind === "step" ? row.text.replace('"version":1', '"version":2') : null,
    );
    expect(await used(other, "--ledger", dir)).toEqual([
      1,
      "replay: row 3 of the tape: a journal of version 2",
    ]);
    expect(existsSync(join(dir, "none"))).toBe(false);
  });

  test("nothing secret of the service stands on the tape", () => {
    const texts = inputsOn()
      .map((row) => (row.kind === "step" ? row.text : ""))
      .join("\n");
    expect(texts.length).toBeGreaterThan(1_000);
    expect(texts).not.toContain(privateKey);
    expect(texts).not.toContain(botToken);
  });
});
