import { randomUUID } from "node:crypto";
import { cancelWhere } from "../exchange/cancel-orders.ts";
import type { ApiKey } from "../exchange/records.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import type { HttpReply } from "./route.ts";
import { reply } from "./route.ts";

type Beat = { readonly key: ApiKey; readonly expectedId: string; readonly diesAtMs: number };

/** The dead-man switch: armed by a key's first beat, it cancels that key's orders when beats stop. */
export class Heartbeats {
  readonly #beats = new Map<string, Beat>();
  readonly #state: VenueState;
  readonly #timeoutMs: number;

  constructor(state: VenueState, timeoutMs: number) {
    this.#state = state;
    this.#timeoutMs = timeoutMs;
  }

  /** Accepts the expected id (or "" when not armed) and hands out the next; else 400 with the expected one. */
  beat(key: ApiKey, id: string): HttpReply {
    const armed = this.#beats.get(key.key);
    if (armed !== undefined && armed.expectedId !== id) {
      const text = "Invalid Heartbeat ID";
      return reply({ error_msg: text, heartbeat_id: armed.expectedId }, 400);
    }
    if (armed === undefined && id !== "") {
      return reply({ error_msg: "Invalid Heartbeat ID", heartbeat_id: "" }, 400);
    }
    const expectedId = randomUUID();
    const diesAtMs = this.#state.now() + this.#timeoutMs;
    this.#beats.set(key.key, { key, expectedId, diesAtMs });
    return reply({ heartbeat_id: expectedId, status: "ok" });
  }

  /** The older route without ids keeps an armed switch alive and arms a new one. */
  plainBeat(key: ApiKey): HttpReply {
    const expectedId = this.#beats.get(key.key)?.expectedId ?? randomUUID();
    const diesAtMs = this.#state.now() + this.#timeoutMs;
    this.#beats.set(key.key, { key, expectedId, diesAtMs });
    return reply({ status: "ok" });
  }

  nextDueMs(): number | null {
    const times = [...this.#beats.values()].map((beat) => beat.diesAtMs);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Cancels the orders of keys that fell silent, and disarms them. */
  runDue(): void {
    const nowMs = this.#state.now();
    for (const [name, beat] of this.#beats) {
      if (beat.diesAtMs > nowMs) continue;
      this.#beats.delete(name);
      cancelWhere(this.#state, beat.key.account, (order) => order.owner === name);
    }
  }
}
