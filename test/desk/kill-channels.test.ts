// The kill's other channels on the real service: a file, and the command line when nobody answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { controlSocketName } from "../../src/adapters/system/control-protocol.ts";
import { honouredFileName, killFileName } from "../../src/adapters/system/kill-file.ts";
import { DeskRig } from "./desk-rig.ts";

const allMs = 120_000;
const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const rest = `
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
`;

async function pitboss(...args: string[]) {
  const child = spawn(process.execPath, [mainFile, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: child.exitCode, out, errors };
}

describe("the kill file", () => {
  test(
    "kills a running desk whose control socket is gone, cancels, and is kept by name",
    async () => {
      await using rig = await DeskRig.open();
      await rig.play(rest);
      // Telegram answers nothing any more, neither the poll nor a message.
      await rig.play(
        "!fault chat status method=getUpdates code=502 times=9999\n!fault chat status code=502 times=9999",
      );
      rmSync(join(rig.dir, controlSocketName));
      writeFileSync(join(rig.dir, killFileName), "wrong\u0007 prices\n");
      await rig.until("no order is open", async () => (await rig.openOrders()).length === 0);
      await rig.until("it is in the ledger", () => existsSync(join(rig.dir, honouredFileName)));
      expect(existsSync(join(rig.dir, killFileName))).toBe(false);
      expect(readFileSync(join(rig.dir, honouredFileName), "utf8")).toContain("prices");
    },
    allMs,
  );

  test(
    "left by `pitboss kill` while nothing runs, it makes the next start killed",
    async () => {
      await using rig = await DeskRig.open();
      await rig.play(rest);
      await rig.desk.crash("now");
      const { code, errors } = await pitboss("kill", "enough", "--state", rig.dir);
      expect(code).toBe(3);
      expect(errors).toContain("the next start is killed and cancels every open order");
      expect((await rig.openOrders()).length).toBe(1);
      await rig.play("!restart");
      await rig.until("no order is open", async () => (await rig.openOrders()).length === 0);
      await rig.play(
        "/status\n!expect KILLED since .* enough\n/buy selby-strait-reopens yes $10\n!expect kill switch is on",
      );
      expect((await rig.posts()).length).toBe(1);
    },
    allMs,
  );
});
