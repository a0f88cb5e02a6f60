import { createBot } from "../../../src/bot/bot.ts";
import { startPolling } from "../../../src/bot/transport/polling.ts";
import type { Engine } from "../../../src/engine/runtime/engine.ts";
import type { Chance } from "../chance.ts";
import { whitelist } from "./person.ts";
import type { ApiAnswer, Caller, SimTelegram } from "./telegram.ts";

export type BotParts = {
  readonly engine: Engine;
  readonly telegram: SimTelegram;
  readonly caller: Caller;
  readonly chance: Chance;
  readonly nowMs: () => number;
  readonly onError: (message: string, detail: string) => void;
};

const token = "1000000001:SIMULATED-TOKEN-abcdefghijklmnopqrst0";

/** Starts the whole bot on an engine: its own handlers, dispatcher, outbox and poller; only the Bot API is simulated. */
export function startBot(parts: BotParts): void {
  const { engine, telegram, caller, chance } = parts;
  const desk = createBot({
    api: engine,
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (message, fields) => parts.onError(message, JSON.stringify(fields ?? {})),
    },
    whitelist,
    minOrderUsd: 1,
    confirmTtlSeconds: 45,
    token,
    now: parts.nowMs,
    randomHex: (bytes) => chance.hex(bytes),
    mode: "paper",
  });
  // Nothing goes past this transformer to a socket.
  const call = (method: string, payload: object): Promise<ApiAnswer> =>
    telegram.call(caller, method, payload as Readonly<Record<string, unknown>>);
  desk.bot.api.config.use((async (_next: unknown, method: string, payload: object) => {
    const answer = await call(method, payload);
    // A transformer that is added later stands outside the bot's own, which looks for kills: its place is here.
    if (method === "getUpdates" && answer.ok) desk.closeGateOnKill(answer.result as never);
    return answer;
  }) as never);
  desk.start();
  startPolling(desk, { onTrouble: () => undefined });
}
