// A disk that fails under the real service (S1, S2, S3): what is asked for after the first failed commit does not happen,
// and a kill works all the same. The kernel itself refuses: a file size limit, and strace that answers a system call.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { traders } from "../../src/bot/local/desk.ts";
import { codeOf, scratchFolder } from "../adapters/sqlite/support.ts";
import { DeskRig } from "../desk/desk-rig.ts";

const allMs = 120_000;
const resting = `
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
`;

/** Whether the kernel's own tool can be used here; a test that needs one that is missing says so. */
function has(tool: string, args: readonly string[]): boolean {
  const found = spawnSync(tool, args, { stdio: "ignore" }).status === 0;
  if (!found) process.stdout.write(`SKIPPED a disk fault: ${tool} does not work on this machine\n`);
  return found;
}

const hasLimits = has("prlimit", ["--version"]);
const hasTrace = has("strace", ["-o", "/dev/null", "-e", "trace=none", "true"]);

function servicePid(rig: DeskRig): string {
  return String(rig.desk.servicePid);
}

/** One order rests, a card is shown; then the disk fails. Nothing more is sent, and the kill ends what rests. */
async function expectClosedAndKillable(
  rig: DeskRig,
  breakDisk: () => Promise<void>,
): Promise<void> {
  await rig.play(resting);
  await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY");
  const posts = (await rig.posts()).length;
  const kills = rig.told(/KILL/u).length;
  await breakDisk();
  await rig.play("!press ^Confirm");
  await rig.play("/buy selby-strait-reopens yes 10sh @0.61\n!expect could not be kept");
  expect((await rig.openOrders()).length).toBe(1);
  const toldOfIt = () =>
    rig.desk.emulator.events.filter(
      ({ dir, text }) => dir === "out" && text.startsWith("LEDGER FAILED"),
    );
  await rig.until("every trader is told", () => toldOfIt().length >= traders.length);
  await rig.play("/kill the disk");
  await rig.until("the venue has no order", async () => (await rig.openOrders()).length === 0);
  await rig.until("the kill is told", () => rig.told(/KILL/u).length > kills);
  expect((await rig.posts()).length, rig.transcript()).toBe(posts);
  expect(await rig.trades()).toEqual([]);
  expect(await rig.balance()).toBe(1_000_000_000);
}

/** After the cause is gone and the service started anew, both books agree and a buy works or is refused by a kill. */
async function expectSoundAfterRestart(rig: DeskRig): Promise<void> {
  await rig.play("!crash now\n!restart\n/orders\n!expect No open orders");
  expect((await rig.posts()).length).toBe(1);
  expect(await rig.balance()).toBe(1_000_000_000);
}

describe("a disk that fails under the service", () => {
  test.skipIf(!hasLimits)(
    "S1: full: nothing is sent that could not be written down, and a kill cancels what rests",
    { timeout: allMs },
    async () => {
      await using rig = await DeskRig.open();
      await expectClosedAndKillable(rig, async () => {
        // No file of the service may grow any more, which is what a full disk does to it.
        const limited = spawnSync("prlimit", ["--pid", servicePid(rig), "--fsize=4096"]);
        expect(limited.status).toBe(0);
      });
      await expectSoundAfterRestart(rig);
    },
  );

  test.skipIf(!hasTrace)(
    "S2: EIO on fsync: the same, and no later commit is believed even when the disk works again",
    { timeout: allMs },
    async () => {
      await using rig = await DeskRig.open();
      let tracer: ChildProcess | null = null;
      await expectClosedAndKillable(rig, async () => {
        tracer = await harmSyncs(servicePid(rig), "error=EIO");
      });
      await endOf(tracer);
      await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!refute CONFIRM BUY");
      expect((await rig.posts()).length).toBe(1);
      await expectSoundAfterRestart(rig);
    },
  );
  test.skipIf(!hasTrace)(
    "S10: each fsync takes two seconds: what is pressed after a kill is refused, and the kill cancels what rests",
    { timeout: allMs },
    async () => {
      await using rig = await DeskRig.open();
      await rig.play(resting);
      await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY");
      const tracer = await harmSyncs(servicePid(rig), "delay_exit=2000000");
      // The kill waits for its commit; the press right behind it must find the gate closed already.
      rig.desk.emulator.send(traders[0].id, "/kill while the disk is slow");
      expect(rig.pressAll(/^Confirm/u)).toBe(1);
      await rig.until("the venue has no order", async () => (await rig.openOrders()).length === 0);
      await rig.until("the kill is told", () => rig.told(/KILL/u).length > 0);
      await endOf(tracer);
      await rig.play("/orders\n!expect No open orders");
      expect((await rig.posts()).length, rig.transcript()).toBe(1);
      expect(await rig.trades()).toEqual([]);
    },
  );
});

/** Makes every fsync and fdatasync of a process fail, or end late, from now on. */
async function harmSyncs(pid: string, how: string): Promise<ChildProcess> {
  const syncs = "fsync,fdatasync";
  const args = ["-f", "-p", pid, "-e", `trace=${syncs}`, "-e", `inject=${syncs}:${how}`];
  const tracer = spawn("strace", [...args, "-o", "/dev/null"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  // It says so once it is attached to the process and its threads.
  await once(tracer.stderr, "data");
  return tracer;
}

async function endOf(tracer: ChildProcess | null): Promise<void> {
  if (tracer === null || tracer.exitCode !== null) return;
  tracer.kill("SIGINT");
  await once(tracer, "exit");
}

describe("S3: a place that cannot be written", () => {
  test("a file system of the kernel's own: refused with a typed error, nothing is opened elsewhere", async () => {
    expect(await codeOf(openLedger("/sys/ledger.db"))).toMatch(/^ledger_(io|failed)$/u);
  });

  test("a folder that lost its permission, for a user who is not root: the service's ledger refuses to open", async () => {
    const folder = scratchFolder();
    const file = join(folder, "state", "ledger.db");
    mkdirSync(join(folder, "state"));
    await (await openLedger(file)).close();
    const before = statSync(file).size;
    const script = join(folder, "open.mjs");
    const ledger = new URL("../../src/adapters/sqlite/ledger-file.ts", import.meta.url).href;
    writeFileSync(
      script,
      `try { (await import(${JSON.stringify(ledger)})).openLedgerFile(process.argv[2]); console.log("opened"); }
       catch (error) { console.log(error.code); }`,
    );
    chmodSync(folder, 0o755);
    chmodSync(file, 0o444);
    chmodSync(join(folder, "state"), 0o555);
    const isRoot = process.getuid?.() === 0;
    const nobody = 65_534;
    const child = spawnSync(process.execPath, [script, file], {
      encoding: "utf8",
      ...(isRoot && { uid: nobody, gid: nobody }),
    });
    chmodSync(join(folder, "state"), 0o755);
    expect(child.stdout.trim(), child.stderr).toMatch(/^ledger_(io|not_durable|failed)$/u);
    expect(statSync(file).size).toBe(before);
  });
});
