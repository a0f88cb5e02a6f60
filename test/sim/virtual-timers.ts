/** Plans a call after virtual milliseconds; the returned function cancels it. */
export type PlanTimer = (delayMs: number, run: () => void) => () => void;

const realTimers = { set: globalThis.setTimeout, clear: globalThis.clearTimeout };

/** A timer handle as the code under test uses it: it can be cleared and told not to hold the process up. */
class VirtualTimer {
  readonly cancel: () => void;

  constructor(cancel: () => void) {
    this.cancel = cancel;
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

/**
 * Puts `setTimeout` and `clearTimeout` of this thread on virtual time, because the bot uses them directly. One
 * simulation runs at a time; `realTime` gives the real ones back.
 */
export function virtualTime(plan: PlanTimer): void {
  const set = (run: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) =>
    new VirtualTimer(plan(delayMs, () => run(...args)));
  const clear = (timer: unknown) => {
    if (timer instanceof VirtualTimer) timer.cancel();
    else realTimers.clear(timer as NodeJS.Timeout);
  };
  globalThis.setTimeout = set as unknown as typeof setTimeout;
  globalThis.clearTimeout = clear;
}

export function realTime(): void {
  globalThis.setTimeout = realTimers.set;
  globalThis.clearTimeout = realTimers.clear;
}
