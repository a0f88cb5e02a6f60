import { nextDueMs, runDue } from "../exchange/time-steps.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { Heartbeats } from "./heartbeats.ts";

/** Longest sleep between two looks, so that a clock that jumps is noticed. */
const MAX_SLEEP_MS = 1000;

/** Runs whatever is due: settlement, delays, expiry and silent heartbeats. One timer, armed for the next due time. */
export class Clockwork {
  readonly #state: VenueState;
  readonly #heartbeats: Heartbeats;
  #timer: NodeJS.Timeout | null = null;
  #armedForMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(state: VenueState, heartbeats: Heartbeats) {
    this.#state = state;
    this.#heartbeats = heartbeats;
    state.afterAct = () => this.arm();
  }

  /** Sets the timer unless one is already due sooner. */
  arm(): void {
    if (this.#stopped) return;
    const due = Math.min(
      nextDueMs(this.#state) ?? Number.POSITIVE_INFINITY,
      this.#heartbeats.nextDueMs() ?? Number.POSITIVE_INFINITY,
    );
    if (!Number.isFinite(due) || (this.#timer !== null && this.#armedForMs <= due)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#armedForMs = due;
    const sleepMs = Math.min(Math.max(due - this.#state.now(), 1), MAX_SLEEP_MS);
    this.#timer = setTimeout(() => this.run(), sleepMs);
    this.#timer.unref();
  }

  /** Does what is due now and arms the timer for the rest. */
  run(): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    runDue(this.#state);
    this.#heartbeats.runDue();
    this.arm();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
