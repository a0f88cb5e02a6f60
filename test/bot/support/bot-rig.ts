import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { createBot, type TelegramDesk } from "../../../src/bot/bot.ts";
import type { BotDeps, LogFields } from "../../../src/bot/bot-deps.ts";
import { type BotApiEmulator, startEmulator } from "../../../src/bot/local/emulator.ts";
import type { ChatEvent } from "../../../src/bot/local/emulator-types.ts";
import { startPolling } from "../../../src/bot/transport/polling.ts";
import type { Transport, TransportTrouble } from "../../../src/bot/transport/trouble.ts";
import { DeskDouble } from "./desk-double.ts";

export const trader = 42;
export const otherTrader = 43;
export const stranger = 666;
export const token = "1000000001:TEST-TOKEN-abcdefghijklmnopqrstuvwxyz0";

/** A moment that tests move. */
export class TestClock {
  offsetMs = 0;
  readonly now = () => Date.now() + this.offsetMs;
}

export type LogLine = {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
};

export type Rig = {
  readonly emulator: BotApiEmulator;
  readonly double: DeskDouble;
  readonly desk: TelegramDesk;
  readonly transport: Transport;
  readonly clock: TestClock;
  readonly log: LogLine[];
  readonly troubles: TransportTrouble[];
  stop(): Promise<void>;
};

export function botDeps(
  double: DeskDouble,
  clock: TestClock,
  log: LogLine[],
  more: Partial<BotDeps> = {},
): BotDeps {
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) => {
      log.push({ level, message, fields });
    };
  return {
    api: double,
    log: { info: write("info"), warn: write("warn"), error: write("error") },
    whitelist: [trader, otherTrader],
    minOrderUsd: 1,
    confirmTtlSeconds: 45,
    token,
    now: clock.now,
    randomHex: (bytes) => randomBytes(bytes).toString("hex"),
    mode: "paper",
    ...more,
  };
}

/** The bot with its real client on the real emulator over loopback; only the engine is a double. */
export async function startRig(
  prepare: (double: DeskDouble, clock: TestClock) => void = () => {},
  more: Partial<BotDeps> = {},
): Promise<Rig> {
  const clock = new TestClock();
  const double = new DeskDouble(clock.now);
  prepare(double, clock);
  const emulator = await startEmulator({ token, nowMs: clock.now });
  emulator.addUser(trader, "Ann");
  emulator.addUser(otherTrader, "Ben");
  emulator.addUser(stranger, "Eve");
  const log: LogLine[] = [];
  const troubles: TransportTrouble[] = [];
  const desk = createBot(botDeps(double, clock, log, { apiRoot: emulator.apiRoot, ...more }));
  desk.start();
  const transport = startPolling(desk, { onTrouble: (trouble) => troubles.push(trouble) });
  await until(() => desk.bot.isInited());
  return {
    emulator,
    double,
    desk,
    transport,
    clock,
    log,
    troubles,
    async stop() {
      await transport.stop();
      await desk.stop();
      await emulator.close();
    },
  };
}

/** Waits until the bot has said something that matches, in a chat; the event itself. */
export async function heard(
  rig: Rig,
  pattern: RegExp,
  chatId: number = trader,
  after = 0,
): Promise<ChatEvent> {
  const find = () =>
    rig.emulator.events.find(
      (event) =>
        event.seq > after &&
        event.dir === "out" &&
        event.chatId === chatId &&
        pattern.test(event.text),
    );
  const event = await rig.emulator.until(find, 5_000);
  const said = rig.emulator.events.map((one) => `${one.kind}: ${one.text}`).join("\n---\n");
  expect(event, `nothing matched ${pattern.source}; there was:\n${said}`).toBeDefined();
  return event as ChatEvent;
}

/** Everything that the bot has said in a chat, edits and toasts included. */
export function said(rig: Rig, chatId: number = trader): string {
  return rig.emulator.events
    .filter((event) => event.dir === "out" && event.chatId === chatId)
    .map((event) => event.text)
    .join("\n---\n");
}

/** Waits for a condition that no message shows. */
export async function until(check: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!check()) {
    if (Date.now() > end) expect.fail("the condition did not come true within 5 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function lastSeq(rig: Rig): number {
  return rig.emulator.events.at(-1)?.seq ?? 0;
}

/** Presses a button of the message that matches; the callback query's id. */
export async function press(
  rig: Rig,
  message: RegExp,
  label: string | RegExp,
  userId: number = trader,
): Promise<string> {
  const event = await heard(rig, message, userId);
  return rig.emulator.press(userId, event.messageId ?? 0, label);
}

/** Label texts of a message's buttons as they are now. */
export function labels(
  rig: Rig,
  messageId: number | null,
  chatId: number = trader,
): readonly string[] {
  const message = rig.emulator.history(chatId).find((one) => one.message_id === messageId);
  return (message?.reply_markup?.inline_keyboard ?? []).flat().map((button) => button.text);
}
