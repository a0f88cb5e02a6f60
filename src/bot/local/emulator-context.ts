// What every method of the emulated API works on.
import type { ChatStore } from "./emulator-chats.ts";
import type { FileStore } from "./emulator-files.ts";
import type { Params } from "./emulator-params.ts";
import type { User } from "./emulator-types.ts";
import type { UpdateQueue } from "./emulator-updates.ts";
import type { WebhookSender } from "./emulator-webhook.ts";

/** A press that waits for its answer. */
export interface CallbackQueryRecord {
  readonly id: string;
  readonly userId: number;
  readonly chatId: number;
  readonly messageId: number;
  readonly label: string;
  readonly data: string;
  readonly atMs: number;
}

export interface InlineQueryRecord {
  readonly userId: number;
  readonly atMs: number;
  results: readonly unknown[] | null;
}

export interface BotContext {
  readonly bot: User;
  readonly nowMs: () => number;
  readonly chats: ChatStore;
  readonly files: FileStore;
  readonly updates: UpdateQueue;
  readonly webhook: WebhookSender;
  readonly callbackQueries: Map<string, CallbackQueryRecord>;
  readonly inlineQueries: Map<string, InlineQueryRecord>;
  /** Command lists by scope and language, as `scope|language`. */
  readonly commands: Map<string, readonly unknown[]>;
  /** Forum topics by `chat:thread`. */
  readonly topics: Map<string, string>;
  /** Texts and menu buttons set for the profile, by method and language or chat. */
  readonly profile: Map<string, unknown>;
}

export type Method = (context: BotContext, params: Params) => unknown;
