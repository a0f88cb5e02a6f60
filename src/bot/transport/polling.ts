import { GrammyError } from "grammy";
import type { TelegramDesk } from "../bot.ts";
import { describeError } from "../redact.ts";
import {
  allowedUpdates,
  pause,
  type Transport,
  type TransportTrouble,
  troubleOf,
} from "./trouble.ts";
import { UpdatesInHand } from "./updates-in-hand.ts";

const pollTimeoutSeconds = 25;
const updatesAPoll = 100;
const firstBackoffMs = 500;
const maxBackoffMs = 15_000;
/** Updates that are not kept after this long hold up the next poll no longer: a kill may be behind them. */
const peekAfterMs = 500;
/** As many updates as one poll gives, none of them kept for this long, hide what is behind them: they are given up. */
const giveUpAfterMs = 10_000;

export type PollingOptions = {
  /** Called at each trouble, loudly: the gate of the desk stays as it is, a person has to look. */
  onTrouble(trouble: TransportTrouble): void;
};

/**
 * Long polling. An update is confirmed to Telegram (by asking for later ones) only after it and all before it were kept in
 * the ledger, so a crash in between delivers them again instead of losing them; what comes behind them is seen all the same,
 * by asking again from the same place. The library's own loop would stop at 409 and 401; this one reports and goes on with
 * growing waits.
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
  private readonly inHand: UpdatesInHand;
  /** Since when a full poll gave nothing that could be confirmed; null while something can. */
  private stuckSinceMs: number | null = null;

  constructor(desk: TelegramDesk, options: PollingOptions) {
    this.desk = desk;
    this.options = options;
    this.inHand = new UpdatesInHand(desk);
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
        timeout: this.inHand.isEmpty ? pollTimeoutSeconds : 0,
        allowed_updates: allowedUpdates,
      },
      this.apiSignal(),
    );
    this.lastContactMs = this.desk.deps.now();
    this.inHand.take(updates);
    if (this.inHand.isEmpty) return;
    await this.inHand.wait(peekAfterMs);
    const settled = this.inHand.settle();
    if (settled !== null) this.stuckSinceMs = null;
    const last = settled ?? this.giveUp(updates.length);
    if (last !== null) this.offset = last + 1;
  }

  /** The last resort: a poll that is full of what cannot be kept would never show the kill behind it. */
  private giveUp(polled: number): number | null {
    const nowMs = this.desk.deps.now();
    if (polled < updatesAPoll) this.stuckSinceMs = null;
    else this.stuckSinceMs ??= nowMs;
    if (this.stuckSinceMs === null || nowMs - this.stuckSinceMs < giveUpAfterMs) return null;
    this.stuckSinceMs = null;
    this.desk.deps.log.error("updates were given up unkept, so that what is behind them is seen", {
      updates: polled,
    });
    return this.inHand.giveUp();
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
