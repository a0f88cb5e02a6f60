// The network between the bot and Telegram, broken by a proxy: a kill is seen all the same, and what is said arrives.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBot, type TelegramDesk } from "../../src/bot/bot.ts";
import { type BotApiEmulator, startEmulator } from "../../src/bot/local/emulator.ts";
import { startPolling } from "../../src/bot/transport/polling.ts";
import type { Transport } from "../../src/bot/transport/trouble.ts";
import { botDeps, type LogLine, TestClock, token, trader } from "../bot/support/bot-rig.ts";
import { DeskDouble } from "../bot/support/desk-double.ts";
import { until } from "../engine/support/live-desk.ts";
import { FaultProxy, type Harm } from "./proxy.ts";

let emulator: BotApiEmulator;
let proxy: FaultProxy;
let double: DeskDouble;
let desk: TelegramDesk;
let transport: Transport;
let log: LogLine[];

beforeEach(async () => {
  const clock = new TestClock();
  double = new DeskDouble(clock.now);
  log = [];
  emulator = await startEmulator({ token, nowMs: clock.now });
  emulator.addUser(trader, "Ann");
  proxy = await FaultProxy.open(Number(new URL(emulator.apiRoot).port));
  desk = createBot(botDeps(double, clock, log, { apiRoot: proxy.url, whitelist: [trader] }));
  desk.start();
  transport = startPolling(desk, { onTrouble: () => undefined });
  await until("the bot polls", () => emulator.isPolled);
});
afterEach(async () => {
  await transport.stop();
  await desk.stop();
  await proxy[Symbol.asyncDispose]();
  await emulator.close();
});

const page = "<html><body>502 Bad Gateway</body></html>";
const replaced = (status: number, body: string | Buffer): Harm => ({
  do: "answer",
  status,
  body,
  isForwarded: true,
});
const harms: readonly (readonly [string, Harm])[] = [
  ["reset before it arrived", { do: "reset-before" }],
  ["cut in its body", { do: "cut-request", part: 0.5 }],
  ["answered and the answer cut", { do: "cut-answer", part: 0.5 }],
  ["answered with a wrong length", { do: "claim-more", bytes: 100 }],
  ["answered with a page of HTML", replaced(502, page)],
  ["answered with nothing", replaced(200, "")],
  ["answered with an empty list", replaced(200, "[]")],
  ["answered with null", replaced(200, "null")],
  ["answered with 4 MiB of brackets", replaced(200, Buffer.alloc(4 * 1024 * 1024, "["))],
];

function said(pattern: RegExp): number {
  return emulator.events.filter((one) => one.dir === "out" && pattern.test(one.text)).length;
}

describe("a poll for updates that is", () => {
  test.each(harms)(
    "%s: the kill is seen by a later poll, once, and acknowledged",
    async (_name, harm) => {
      let harmed = 0;
      proxy.add({ ...harm, path: /getUpdates/u, onHit: () => (harmed += 1) });
      // The poll that waits already is answered by this; the next one is the one that is harmed, with the kill in it.
      emulator.send(trader, "/status");
      await until("the first message was taken", () => double.received.size === 1);
      emulator.send(trader, "/kill the line");
      await until("the gate is closed", () => double.calls.includes("gate closed"));
      await until("the kill is kept", () => double.isKilled);
      await until("it is acknowledged", () => said(/KILL/u) > 0);
      await until("every update is confirmed", () => emulator.pendingUpdates === 0);
      expect(harmed).toBe(1);
      expect(double.calls.filter((call) => call.startsWith("kill ")).length).toBe(1);
    },
  );
});

describe("a message to the trader that is", () => {
  test.each(harms)(
    "%s: it arrives, twice at most, and the kill after it is not held up",
    async (_name, harm) => {
      proxy.add({ ...harm, path: /sendMessage/u });
      emulator.send(trader, "/status");
      await until("it was sent", () =>
        proxy.requests.some(({ path }) => /sendMessage/u.test(path)),
      );
      emulator.send(trader, "/kill the line");
      await until("the kill is kept", () => double.isKilled);
      await until("it is acknowledged", () => said(/KILL/u) > 0);
      await until("nothing waits", () => double.outbox.every(({ state }) => state === "sent"));
      const shown = said(/PAPER · STATUS/u);
      expect(shown).toBeLessThanOrEqual(2);
      const secret = token.split(":")[1] ?? "";
      expect(JSON.stringify(log)).not.toContain(secret);
    },
  );
});

test("a message that is never answered holds up the next one of its chat for seconds, not for as long as a poll", async () => {
  proxy.add({ do: "black-hole", path: /sendMessage/u });
  emulator.send(trader, "/status");
  await until("it was sent", () => said(/STATUS|Trading on/u) > 0);
  emulator.send(trader, "/kill the line");
  await until("the kill is kept", () => double.isKilled);
  const acknowledged = (): boolean => said(/KILL/u) > 0;
  expect(acknowledged()).toBe(false);
  await expect.poll(acknowledged, { timeout: 25_000 }).toBe(true);
});
