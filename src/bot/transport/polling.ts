import { GrammyError } from "grammy";
import type { Update } from "grammy/types";
import type { TelegramDesk } from "../bot.ts";
import { killerOf } from "../kill-scanner.ts";
import { describeError } from "../redact.ts";
import { withinMs } from "../within.ts";
import {
  allowedUpdates,
  pause,
  type Transport,
  type TransportTrouble,
  troubleOf,
} from "./trouble.ts";

const pollTimeoutSeconds = 25;
const updatesAPoll = 100;
const firstBackoffMs = 500;
const maxBackoffMs = 15_000;
/** A batch that is not kept after this long holds up the next poll no longer: a kill may be waiting in it. */
const batchTimeoutMs = 10_000;

export type PollingOptions = {
  /** Called at each trouble, loudly: the gate of the desk stays as it is, a person has to look. */
  onTrouble(trouble: TransportTrouble): void;
};

/**
 * Long polling. An update is confirmed to Telegram (by asking for later ones) only after its batch was kept in the ledger,
 * so a crash in between delivers it again instead of losing it. The library's own loop would stop at 409 and 401; this one
 * reports and goes on with growing waits.
 */
export function startPolling(desk: TelegramDesk, options: PollingOptions): Transport {
  const poller = new Poller(desk, options);
  const running = poller.run();
  return {
    health: () => poller.health(),
    async stop() {
      poller.stop();
      await running;
    },
  };
}

class Poller {
  private readonly desk: TelegramDesk;
  private readonly options: PollingOptions;
  private readonly ending = new AbortController();
  private failures = 0;
  private lastContactMs: number | null = null;
  private offset = 0;

  constructor(desk: TelegramDesk, options: PollingOptions) {
    this.desk = desk;
    this.options = options;
  }

  health() {
    return {
      up: this.failures === 0 && this.lastContactMs !== null,
      lastContactMs: this.lastContactMs,
    };
  }

  stop(): void {
    this.ending.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.ending;
    let hasBegun = false;
    while (!signal.aborted) {
      if (hasBegun) await this.attempt(() => this.pollOnce());
      else hasBegun = await this.attempt(() => this.begin());
    }
  }

  private async begin(): Promise<void> {
    await this.desk.init(this.ending.signal);
    // A webhook of an earlier configuration would keep updates away from polling.
    await this.desk.bot.api.deleteWebhook({}, this.apiSignal());
    // A quiet first poll ends only after its whole wait; the desk is in contact before that.
    this.lastContactMs = this.desk.deps.now();
  }

  private async pollOnce(): Promise<void> {
    const updates = await this.desk.bot.api.getUpdates(
      {
        offset: this.offset,
        limit: updatesAPoll,
        timeout: pollTimeoutSeconds,
        allowed_updates: allowedUpdates,
      },
      this.apiSignal(),
    );
    this.lastContactMs = this.desk.deps.now();
    const last = updates.at(-1);
    if (last === undefined) return;
    await handleBatch(this.desk, updates, batchTimeoutMs);
    this.offset = last.update_id + 1;
  }

  /** grammY declares the signal of its polyfill, which differs from Node's in its type only. */
  private apiSignal() {
    return this.ending.signal as unknown as Parameters<typeof this.desk.bot.api.getUpdates>[1];
  }

  /** True when it worked; else reports and waits. */
  private async attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.failures = 0;
      return true;
    } catch (error) {
      if (this.ending.signal.aborted) return false;
      this.failures += 1;
      const backoffMs = Math.min(
        maxBackoffMs,
        firstBackoffMs * 2 ** Math.min(10, this.failures - 1),
      );
      const asked = error instanceof GrammyError ? error.parameters.retry_after : undefined;
      const retryInMs = asked === undefined ? backoffMs : asked * 1000;
      this.options.onTrouble(troubleOf(error, describeError(error), retryInMs));
      await pause(retryInMs, this.ending.signal);
      return false;
    }
  }
}

/** Handles a batch: kills first, then each chat in order with the chats side by side; not longer than `limitMs`. */
export async function handleBatch(
  desk: TelegramDesk,
  updates: readonly Update[],
  limitMs: number,
): Promise<void> {
  const isKill = (update: Update) => killerOf(update, desk.deps.whitelist) !== null;
  const chats = new Map<number, Update[]>();
  for (const update of updates.filter((one) => !isKill(one))) {
    const chatId = chatOf(update);
    const list = chats.get(chatId);
    if (list === undefined) chats.set(chatId, [update]);
    else list.push(update);
  }
  const all = [
    ...updates.filter(isKill).map((update) => handleOne(desk, update)),
    ...[...chats.values()].map(async (list) => {
      for (const update of list) await handleOne(desk, update);
    }),
  ];
  await withinMs(Promise.all(all), limitMs);
}

function chatOf(update: Update): number {
  const message = update.callback_query?.message ?? update.message ?? update.edited_message;
  return message?.chat.id ?? 0;
}

async function handleOne(desk: TelegramDesk, update: Update): Promise<void> {
  try {
    await desk.handle(update);
  } catch (error) {
    desk.deps.log.error("an update could not be handled", {
      updateId: update.update_id,
      error: describeError(error),
    });
  }
}
