import type { HeartbeatPort } from "../ports/heartbeat.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Stepper } from "./stepper.ts";

/** Decides when the venue's dead-man switch is armed, and brings into the engine whether the venue hears us. */
export class HeartbeatGuard {
  readonly #heartbeat: HeartbeatPort;
  readonly #state: EngineState;
  #armed = false;
  /** True from the first order that could rest, also of an earlier run: the venue may have the switch armed since then. */
  #wanted = false;

  constructor(heartbeat: HeartbeatPort, state: EngineState, stepper: Stepper) {
    this.#heartbeat = heartbeat;
    this.#state = state;
    heartbeat.listen((detail) => {
      stepper.run({ kind: "heartbeat.changed", detail }, "heartbeat");
    });
  }

  /**
   * Called on every tick. Beats from the first order that may rest, and then always: a switch that was armed and lapsed
   * would sweep away the next order before its first beat. A killed desk does not beat: the venue then cancels what our own
   * cancels did not reach.
   */
  tick(): void {
    this.#heartbeat.progress();
    this.#wanted ||= this.#hasRested();
    const armed = this.#state.killed === null && this.#wanted;
    if (armed === this.#armed) return;
    this.#armed = armed;
    this.#heartbeat.setArmed(armed);
  }

  #hasRested(): boolean {
    for (const { draft } of this.#state.orders.values()) {
      if (draft.timeInForce === "gtc" || draft.timeInForce === "gtd") return true;
    }
    return false;
  }
}
