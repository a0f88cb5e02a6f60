import type { BotLog } from "./bot-deps.ts";

const minuteMs = 60_000;
const maxStrangers = 1_000;

/** One line for each stranger and minute, so that a flood of strangers is not a flood of lines. */
export class StrangerLog {
  private readonly log: BotLog;
  private readonly now: () => number;
  private readonly lastAtMs = new Map<string, number>();

  constructor(log: BotLog, now: () => number) {
    this.log = log;
    this.now = now;
  }

  note(userId: number | null, where: string): void {
    const key = String(userId);
    const last = this.lastAtMs.get(key);
    const nowMs = this.now();
    if (last !== undefined && nowMs - last < minuteMs) return;
    // A full table forgets everybody: strangers are then logged again, which is the lesser evil.
    if (this.lastAtMs.size >= maxStrangers) this.lastAtMs.clear();
    this.lastAtMs.set(key, nowMs);
    this.log.warn("message of a stranger ignored", { userId, where });
  }
}
