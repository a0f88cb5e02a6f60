import type { Clock } from "../ports/system.ts";

/**
 * The wall clock at the start, carried on by the monotonic one: a step of the machine's clock in the middle of a run
 * neither ends cards early nor stops every wait until the clock has caught up.
 */
export type SteadyClock = Clock & {
  /** How far the machine's wall clock is ahead of this one now; other than 0 after a step or a suspend. */
  readonly wallAheadMs: () => number;
  /** Goes forward to the machine's wall clock. Never back: time that was used stays used. */
  readonly followWall: () => void;
};

export function steadyClock(machine: Clock): SteadyClock {
  let baseMs = machine.nowMs() - machine.monotonicMs();
  const nowMs = () => baseMs + machine.monotonicMs();
  const wallAheadMs = () => machine.nowMs() - nowMs();
  return {
    nowMs: () => Math.floor(nowMs()),
    monotonicMs: () => machine.monotonicMs(),
    after: (delayMs, callback) => machine.after(delayMs, callback),
    wallAheadMs,
    followWall() {
      baseMs += Math.max(0, wallAheadMs());
    },
  };
}
