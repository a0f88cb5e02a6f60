import { boundedInt } from "./faults.ts";

export type SocketFaultName = "ws-drop" | "ws-mute" | "ws-skip";

const MAX_MUTE_MS = 600_000;
const MAX_SKIPPED = 1_000_000;

/** Scripted faults of the sockets: dropped connections, silence behind a working PONG, lost frames. */
export class SocketFaults {
  readonly #now: () => number;
  #mutedUntilMs = 0;
  #skip = 0;
  #drop: (channel: string | null) => void = () => {};

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Who can drop connections: of one channel ("market" or "user"), or all for null. */
  set dropper(drop: (channel: string | null) => void) {
    this.#drop = drop;
  }

  add(name: SocketFaultName, params: Readonly<Record<string, unknown>>): void {
    if (name === "ws-drop") {
      this.#drop(typeof params.channel === "string" ? params.channel : null);
    } else if (name === "ws-mute") {
      this.#mutedUntilMs = this.#now() + boundedInt(params.ms, 1000, MAX_MUTE_MS);
    } else {
      this.#skip += boundedInt(params.n ?? params.times, 1, MAX_SKIPPED);
    }
  }

  clear(): void {
    this.#mutedUntilMs = 0;
    this.#skip = 0;
  }

  /** No data while muted; PONG still works. */
  muted(): boolean {
    return this.#now() < this.#mutedUntilMs;
  }

  /** True when this price_change frame is to be lost. */
  skipsPriceChange(): boolean {
    if (this.#skip === 0) return false;
    this.#skip -= 1;
    return true;
  }
}
