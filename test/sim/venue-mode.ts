import type { PostAnswer } from "../../src/adapters/polymarket/classify.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** What the venue takes now (polymarket-trading 9; reliability 2.4). */
export type Mode = "normal" | "restarting" | "post-only" | "cancel-only" | "disabled";

/** After every restart the venue takes only resting orders for this long. */
const postOnlyMs = 120_000;

/** Windows in which the venue restarts, takes only resting orders, or takes nothing. Most worlds have one or none. */
export class VenueMode {
  mode: Mode = "normal";
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #chance: Chance;

  constructor(scheduler: Scheduler, faults: Faults, chance: Chance) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#chance = chance;
  }

  /** Plans the windows of the time in which faults strike. */
  plan(activeMs: number): void {
    const kind = this.#chance.weighted({ none: 20, restart: 22, "cancel-only": 28, disabled: 28 });
    if (kind === "none") return;
    this.#scheduler.after(this.#chance.int(activeMs * 0.1, activeMs * 0.6), () => {
      if (kind === "restart") this.#restart();
      else this.#enter(kind, this.#chance.int(5_000, 25_000), () => this.end());
    });
  }

  /** Normal from now on. */
  end(): void {
    this.mode = "normal";
  }

  #restart(): void {
    this.#enter("restarting", this.#chance.int(5_000, 40_000), () => {
      this.#enter("post-only", postOnlyMs, () => this.end());
    });
  }

  #enter(mode: Mode, forMs: number, then: () => void): void {
    if (!this.#faults.on) return;
    this.#faults.count(`mode.${mode}`);
    this.mode = mode;
    this.#scheduler.after(forMs, then);
  }

  get takesCancels(): boolean {
    return this.mode !== "restarting" && this.mode !== "disabled";
  }

  /** How an order that would match at once, or rest, is refused now; null when it is taken. */
  refusal(isMarketable: boolean): PostAnswer | null {
    switch (this.mode) {
      case "normal":
        return null;
      case "restarting":
        return { status: 425, body: '{"error":"service not ready"}', retryAfter: null };
      case "post-only":
        if (!isMarketable) return null;
        return {
          status: 503,
          body: '{"code":"post_only_mode","error":"Trading is in post-only mode"}',
          retryAfter: null,
        };
      case "cancel-only":
        return modeAnswer("Trading is currently cancel-only. New orders are not accepted");
      default:
        return modeAnswer("Trading is currently disabled. Check polymarket.com for updates");
    }
  }
}

function modeAnswer(error: string): PostAnswer {
  return { status: 503, body: JSON.stringify({ error }), retryAfter: null };
}
