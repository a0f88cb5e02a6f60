import type { Update } from "grammy/types";
import type { TelegramDesk } from "../bot.ts";
import { killerOf } from "../kill-scanner.ts";
import { describeError } from "../redact.ts";
import { withinMs } from "../within.ts";

/**
 * Updates that were read and are not confirmed to Telegram yet. Kills start at once; the others in each chat in their
 * order, with the chats side by side. One that is delivered again while it is in hand is not started again.
 */
export class UpdatesInHand {
  readonly #desk: TelegramDesk;
  readonly #open = new Map<number, Promise<void>>();
  readonly #done = new Set<number>();
  /** The newest work of each chat: the next update of the chat waits for it. */
  readonly #chats = new Map<number, Promise<void>>();

  constructor(desk: TelegramDesk) {
    this.#desk = desk;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#done.size === 0;
  }

  take(updates: readonly Update[]): void {
    for (const update of updates) {
      const id = update.update_id;
      if (this.#open.has(id) || this.#done.has(id)) continue;
      this.#open.set(
        id,
        this.#start(update).finally(() => {
          this.#open.delete(id);
          this.#done.add(id);
        }),
      );
    }
  }

  #start(update: Update): Promise<void> {
    if (killerOf(update, this.#desk.deps.whitelist) !== null) {
      return handleUpdate(this.#desk, update);
    }
    const chatId = chatOf(update);
    const before = this.#chats.get(chatId) ?? Promise.resolve();
    const work = before.then(() => handleUpdate(this.#desk, update));
    this.#chats.set(chatId, work);
    void work.finally(() => {
      if (this.#chats.get(chatId) === work) this.#chats.delete(chatId);
    });
    return work;
  }

  /** Waits until everything in hand is handled, but not longer than `limitMs`. */
  async wait(limitMs: number): Promise<void> {
    await withinMs(Promise.all(this.#open.values()), limitMs);
  }

  /** The newest update up to which all are handled, so that they may be confirmed; null when none is. Forgets them. */
  settle(): number | null {
    const firstOpen = Math.min(...this.#open.keys());
    const settled = [...this.#done].filter((id) => id < firstOpen);
    for (const id of settled) this.#done.delete(id);
    return settled.length === 0 ? null : Math.max(...settled);
  }

  /** The newest update in hand, handled or not. Forgets them all: whoever asks gives up what is still open. */
  giveUp(): number {
    const newest = Math.max(...this.#open.keys(), ...this.#done);
    this.#open.clear();
    this.#done.clear();
    return newest;
  }
}

function chatOf(update: Update): number {
  const message = update.callback_query?.message ?? update.message ?? update.edited_message;
  return message?.chat.id ?? 0;
}

/** Handles one update; what goes wrong is logged and ends there. */
export async function handleUpdate(desk: TelegramDesk, update: Update): Promise<void> {
  try {
    await desk.handle(update);
  } catch (error) {
    desk.deps.log.error("an update could not be handled", {
      updateId: update.update_id,
      error: describeError(error),
    });
  }
}
