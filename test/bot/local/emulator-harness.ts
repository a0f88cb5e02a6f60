import { Bot } from "grammy";
import type { BotApiEmulator, EmulatorOptions } from "../../../src/bot/local/emulator.ts";
import { startEmulator } from "../../../src/bot/local/emulator.ts";

export const token = "1000000001:TESTTOKEN";
export const trader = 1001;

/** A clock that a test moves by hand. */
export class HandClock {
  nowMs = 1_790_000_000_000;
  readonly read = (): number => this.nowMs;
}

/** An emulator with one trader who opened the chat; disposing closes it. */
export async function openEmulator(
  options: Partial<EmulatorOptions> = {},
): Promise<BotApiEmulator & AsyncDisposable> {
  const emulator = await startEmulator({ token, firstId: 100, ...options });
  emulator.addUser(trader, "Ann");
  return Object.assign(emulator, { [Symbol.asyncDispose]: () => emulator.close() });
}

/** The true grammY client, pointed at the emulator. */
export function botFor(emulator: BotApiEmulator): Bot {
  return new Bot(token, { client: { apiRoot: emulator.apiRoot, timeoutSeconds: 40 } });
}

/** Waits until the condition holds; throws after ten seconds. */
export async function until(emulator: BotApiEmulator, holds: () => boolean): Promise<void> {
  const found = await emulator.until(() => (holds() ? true : undefined), 10_000);
  if (found !== true) throw new WaitError(`never held: ${String(holds)}`);
}

class WaitError extends Error {
  override readonly name = "WaitError";
}

/** Polls a condition that no chat event announces. */
export async function untilTrue(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new WaitError(`never held: ${String(holds)}`);
}

/** A plain call as any HTTP client makes it. */
export async function call(
  emulator: BotApiEmulator,
  method: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
  const response = await fetch(`${emulator.apiRoot}/bot${token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(fields),
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

/** A valid PNG header of the given size; enough for a server that does not decode it. */
export function pngOf(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x89504e47);
  view.setUint32(4, 0x0d0a1a0a);
  view.setUint32(8, 13);
  view.setUint32(12, 0x49484452);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return bytes;
}
