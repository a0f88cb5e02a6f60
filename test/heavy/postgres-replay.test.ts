// What a service decided is decided again from its tape and its ledger in PostgreSQL, beside the service that goes on.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isTapeFolder } from "../../src/adapters/tape/tape-reader.ts";
import { tapeSteps } from "../../src/adapters/tape/tape-steps.ts";
import type { DecisionReport } from "../../src/cli/decision-replay.ts";
import { meddle } from "../contract/homes.ts";
import { DeskRig } from "../desk/desk-rig.ts";
import { PostgresServer } from "./postgres.ts";

const allMs = 300_000;
const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const tapeOf = (rig: DeskRig) => join(rig.dir, "tape");

let server: PostgresServer;
let rig: DeskRig;

/** True once an input of the service with this text is on the disk. */
function isTaped(part: string): boolean {
  if (!isTapeFolder(tapeOf(rig))) return false;
  return [...tapeSteps(tapeOf(rig))].some((row) => row.text.includes(part));
}

/** Changes the database of the desk as nobody should. */
const alter = (sql: string) =>
  meddle({ kind: "postgres", url: server.url("replayed"), witnessFile: "" }, sql);

async function replay(...more: string[]) {
  const config = join(rig.dir, "desk.toml");
  const child = spawn(
    process.execPath,
    [mainFile, "replay", "--tape", tapeOf(rig), "--config", config, "--json", ...more],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, out, err };
}

const runsOf = (out: string) => (JSON.parse(out) as DecisionReport).runs;

/** A run that is killed in the middle, one that is stopped in order, and one that goes on. */
beforeAll(async () => {
  server = await PostgresServer.open();
  await meddle(
    { kind: "postgres", url: server.url(), witnessFile: "" },
    "CREATE DATABASE replayed",
  );
  rig = await DeskRig.open(
    ["--still"],
    [
      "storage.kind=postgres",
      `storage.url=${server.url("replayed")}`,
      "storage.connect_timeout_ms=30000",
      "storage.statement_timeout_ms=30000",
      "storage.tape_dir=tape",
    ],
  );
  await rig.play(`
/buy selby-strait-reopens yes 10sh @0.62 fak
!expect CONFIRM BUY
!press ^Confirm
!expect FILLED BUY Yes
`);
  // Rows wait up to a second for the disk: what is killed before that is not on the tape.
  await rig.until("the tape has the order", () => isTaped('"do":"confirm"'));
  await rig.play(`
!crash now
!restart
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
/kill
!expect KILL
!restart
/status
!expect KILL
`);
}, allMs);

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

describe("a replay of decisions from a ledger in PostgreSQL", { timeout: allMs }, () => {
  test("gives every run's facts again, one after another, while the service goes on", async () => {
    const { code, out, err } = await replay();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const runs = runsOf(out);
    expect(runs.map(({ end, difference }) => [end, difference])).toEqual([
      ["cut", null],
      ["stopped", null],
      ["cut", null],
    ]);
    const [first, second, third] = runs;
    expect(first?.fromSeq).toBe(1);
    expect(second).toMatchObject({ unproved: 0 });
    expect(third?.fromSeq).toBe((second?.toSeq ?? 0) + 1);
    for (const { steps, facts } of runs) expect([steps > 5, facts > 0]).toEqual([true, true]);
    // Asked again for a run that does not change any more, it says the same.
    const again = await replay("--run", "2", "--strict");
    expect(again.code).toBe(0);
    expect(runsOf(again.out)).toEqual([second]);
  });

  test("refuses a database in which a row is not what was written", async () => {
    const [, second] = runsOf((await replay()).out);
    await alter(
      `UPDATE ledger SET body = replace(body, '"spend":null', '"spend":1') WHERE kind = 'plan.approved' AND seq >= ${second?.fromSeq}`,
    );
    const { code, out, err } = await replay("--run", "2");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^replay: ledger row \d+ is missing or is not what was written: restore/);
  });
});
