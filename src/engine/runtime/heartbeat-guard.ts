import type { HeartbeatPort } from "../ports/heartbeat.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";
import type { Stepper } from "./stepper.ts";

/** Decides when the venue's dead-man switch is armed, and brings into the engine whether the venue hears us. */
export class HeartbeatGuard {
  readonly #heartbeat: HeartbeatPort;
  readonly #state: EngineState;
  #armed = false;

  constructor(heartbeat: HeartbeatPort, state: EngineState, stepper: Stepper) {
    this.#heartbeat = heartbeat;
    this.#state = state;
    heartbeat.listen((detail) => {
      stepper.run({ kind: "heartbeat.changed", detail }, "heartbeat");
    });
  }

  /**
   * Called on every tick. Beats only while orders rest or may rest. A killed desk does not beat: the venue then cancels
   * what our own cancels did not reach.
   */
  tick(): void {
    this.#heartbeat.progress();
    const armed = this.#state.killed === null && this.#hasResting();
    if (armed === this.#armed) return;
    this.#armed = armed;
    this.#heartbeat.setArmed(armed);
  }

  #hasResting(): boolean {
    return openOrders(this.#state).some(
      ({ draft }) => draft.timeInForce === "gtc" || draft.timeInForce === "gtd",
    );
  }
}
