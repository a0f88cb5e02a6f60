// Telegram out of reach or out of breath (T1, T4, T11) under the real desk: money is safe and a kill needs no chat.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { traders } from "../../src/bot/local/desk.ts";
import { DeskRig } from "../desk/desk-rig.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const allMs = 120_000;
const resting = `
/buy selby-strait-reopens yes 10sh @0.50
!expect CONFIRM BUY
!press ^Confirm
!expect RESTING BUY Yes
`;

/** The second channel, as a person at the machine uses it. */
async function localKill(dir: string): Promise<{ readonly code: unknown; readonly said: string }> {
  const args = [mainFile, "kill", "--state", dir, "--no-wait"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  const said = (await text(child.stdout)) + (await text(child.stderr));
  const [code] = await ended;
  return { code, said };
}

test("T1: Telegram is down for long: the desk stands, the local kill works, and what waited is told once it is back", {
  timeout: allMs,
}, async () => {
  await using rig = await DeskRig.open();
  await rig.play(resting);
  await rig.play("/orders\n!expect 1 open");
  const { emulator } = rig.desk;
  for (const method of ["getUpdates", "sendMessage", "editMessageText", "answerCallbackQuery"]) {
    emulator.fault({ name: "status", code: 502, method, times: 1_000_000 });
  }
  const told = rig.told(/./u).length;
  const { code, said } = await localKill(rig.dir);
  expect(code, said).toBe(0);
  await rig.until("no order is open", async () => (await rig.openOrders()).length === 0);
  expect(rig.told(/./u).length).toBe(told);
  emulator.clearFaults();
  await rig.until("the kill is told", () => rig.told(/KILL/u).length > 0);
  await rig.play("/buy selby-strait-reopens yes $10\n!expect kill switch is on");
  expect((await rig.posts()).length).toBe(1);
});

test("T11: the answer to sendMessage is lost after delivery: at most the message comes twice, never the order", {
  timeout: allMs,
}, async () => {
  await using rig = await DeskRig.open();
  const { emulator } = rig.desk;
  emulator.fault({ name: "drop-after", method: "sendMessage" });
  await rig.play("/buy selby-strait-reopens yes 10sh @0.62 fak\n!expect CONFIRM BUY");
  await rig.play("/orders\n!expect No open orders");
  expect(rig.told(/CONFIRM BUY/u).length).toBeLessThanOrEqual(2);
  emulator.fault({ name: "drop-after", method: "sendMessage", times: 2 });
  expect(rig.pressAll(/^Confirm/u)).toBeGreaterThan(0);
  await rig.until("the fill is told", () => rig.told(/· FILLED BUY Yes/u).length > 0);
  await rig.play("/positions\n!expect 1\\. Yes 10 shares");
  expect((await rig.posts()).length).toBe(1);
  expect((await rig.trades()).length).toBe(1);
});

test("T4: 429 with retry_after during a kill: the venue is flat at once, the acknowledgement comes once and later", {
  timeout: allMs,
}, async () => {
  await using rig = await DeskRig.open();
  await rig.play(resting);
  const slowed = { name: "too-many-requests", method: "sendMessage", retryAfterS: 2 } as const;
  rig.desk.emulator.fault({ ...slowed, chat: traders[0].id });
  await rig.play("/kill too much");
  await rig.until("no order is open", async () => (await rig.openOrders()).length === 0);
  expect(rig.told(/KILL ON/u).length).toBe(0);
  await rig.until("the kill is acknowledged", () => rig.told(/KILL ON/u).length > 0);
  await rig.play("/status\n!expect KILLED since");
  expect(rig.told(/KILL ON/u).length).toBe(1);
});
