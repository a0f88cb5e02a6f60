import type { EngineInput } from "../core/input.ts";
import type { Log } from "../ports/system.ts";
import type { VenuePort } from "../ports/venue.ts";
import type { SteadyClock } from "./steady-clock.ts";

/** The wall clock may wander this far from the monotonic one before it counts as a step. */
const stepMs = 500;
/** A reading of the venue's time that took longer says too little. */
const roundTripMaxMs = 2_000;
/** How soon a reading that is needed is tried again. */
const retryMs = 1_000;

export type TimeGuardParts = {
  readonly clock: SteadyClock;
  readonly venue: VenuePort;
  readonly logger: Log;
  /** A loop that did not run for longer was stalled. */
  readonly stallMs: number;
  /** How often the venue's time is read. */
  readonly checkMs: number;
  readonly isConnected: () => boolean;
  readonly dispatch: (input: EngineInput) => void;
};

/**
 * Watches time itself: a main loop that was blocked, a machine that was suspended, a wall clock that stepped, and the
 * distance to the venue's clock. What it finds goes into the engine as inputs, so that a replay decides the same.
 */
export class TimeGuard {
  readonly #parts: TimeGuardParts;
  #lastTickMs: number;
  #lastWallAheadMs: number;
  #nextCheckMs: number;
  #measuring = false;
  /** Set by a jump: orders are refused until the venue's time was read again. */
  #needsReading = false;

  constructor(parts: TimeGuardParts) {
    this.#parts = parts;
    this.#lastTickMs = parts.clock.monotonicMs();
    this.#lastWallAheadMs = parts.clock.wallAheadMs();
    this.#nextCheckMs = this.#lastTickMs + parts.checkMs;
  }

  /** Called on every tick, before anything is decided on it. */
  tick(): void {
    const { clock, stallMs, isConnected } = this.#parts;
    const nowMs = clock.monotonicMs();
    const gapMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    const wallAheadMs = clock.wallAheadMs();
    const steppedMs = wallAheadMs - this.#lastWallAheadMs;
    this.#lastWallAheadMs = wallAheadMs;
    if (gapMs > stallMs) this.#jumped(`the process did not run for ${Math.round(gapMs)} ms`);
    if (Math.abs(steppedMs) > stepMs) {
      this.#jumped(`the machine's clock jumped by ${Math.round(steppedMs)} ms`);
    }
    if (nowMs >= this.#nextCheckMs && isConnected()) void this.#measure();
  }

  /** A connection measured how far the venue is ahead of the machine's clock. */
  connected(aheadOfWallMs: number): void {
    const { clock } = this.#parts;
    this.note(clock.nowMs() + clock.wallAheadMs() + aheadOfWallMs);
  }

  #jumped(detail: string): void {
    const { logger, dispatch, clock } = this.#parts;
    logger.warn("time.jumped", { detail });
    dispatch({ kind: "time.jumped", detail });
    this.#needsReading = true;
    this.#nextCheckMs = clock.monotonicMs();
  }

  async #measure(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    const { clock, venue, checkMs, logger } = this.#parts;
    try {
      const reading = await venue.readTime();
      if (reading.ok && reading.value.roundTripMs <= roundTripMaxMs) {
        this.#nextCheckMs = clock.monotonicMs() + checkMs;
        this.#needsReading = false;
        this.note(reading.value.venueMs);
        return;
      }
      this.#nextCheckMs = clock.monotonicMs() + retryMs;
      const detail = reading.ok ? `took ${reading.value.roundTripMs} ms` : reading.error;
      logger.warn("clock.unread", { detail });
      if (this.#needsReading) this.#parts.dispatch({ kind: "clock.measured", offsetMs: null });
    } finally {
      this.#measuring = false;
    }
  }

  /** Takes the venue's time of this moment. Follows the machine's clock when that one is the right one. */
  note(venueMs: number): void {
    const { clock, dispatch, logger } = this.#parts;
    const wallAheadMs = clock.wallAheadMs();
    const behindMs = venueMs - clock.nowMs();
    if (wallAheadMs > stepMs && Math.abs(behindMs - wallAheadMs) + stepMs < Math.abs(behindMs)) {
      // A suspend stops the monotonic clock: the machine's own clock was set right again, ours has to follow.
      const byMs = Math.round(wallAheadMs);
      logger.warn("clock.followed", { byMs });
      clock.followWall();
      this.#lastWallAheadMs = clock.wallAheadMs();
      dispatch({ kind: "clock.followed", byMs });
    }
    dispatch({ kind: "clock.measured", offsetMs: Math.round(venueMs - clock.nowMs()) });
  }
}
