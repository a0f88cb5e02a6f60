import type { EngineApi } from "../engine/api/engine-api.ts";
import type { CodeStep } from "../engine/api/requests.ts";
import type { DeskMode } from "../engine/api/views.ts";

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** The little that the bot asks of a logger. Every text that may hold foreign errors is redacted before it gets here. */
export type BotLog = {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

/** Everything that the bot needs from outside. */
export type BotDeps = {
  readonly api: EngineApi;
  readonly log: BotLog;
  /** Numeric Telegram user ids; nobody else gets an answer. Must not be empty. */
  readonly whitelist: readonly number[];
  readonly minOrderUsd: number;
  readonly confirmTtlSeconds: number;
  /** Commands that raise risk are refused when they are older; default 60,000. */
  readonly messageMaxAgeMs?: number;
  /** Says what a one-time code is; without it resuming needs none, and digits are just digits. */
  readonly judgeCode?: (digits: string) => CodeStep;
  readonly token: string;
  /** Base URL of the Bot API; the public one by default. */
  readonly apiRoot?: string;
  now(): number;
  /** `bytes` random bytes as hex text. */
  randomHex(bytes: number): string;
  readonly mode: DeskMode;
};

/** Wrong use of the bot's own interface, found at start: the service must not come up. */
export class BotConfigError extends Error {
  override readonly name = "BotConfigError";
}
