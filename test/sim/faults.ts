import { Chance } from "./chance.ts";

/** The engine process is gone: unwinds what it was doing at a named point. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}

/** Decides and counts faults. Each is a function of the seed, the request and how often that request was made. */
export class Faults {
  /** Off while the run is to converge. */
  on = true;
  readonly counts = new Map<string, number>();
  readonly #seed: number;
  readonly #nth = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Which fault strikes this request; `none` when faults are off. The stream serves the fault's own details. */
  decide<K extends string>(
    request: string,
    id: string,
    weights: Readonly<Record<K | "none", number>>,
  ): { readonly fault: K | "none"; readonly chance: Chance } {
    const key = `${request}:${id}`;
    const nth = (this.#nth.get(key) ?? 0) + 1;
    this.#nth.set(key, nth);
    const chance = new Chance(this.#seed, `${key}:${nth}`);
    const fault = this.on ? chance.weighted<K | "none">(weights) : "none";
    if (fault !== "none") this.count(`${request}.${fault}`);
    return { fault, chance };
  }

  count(fault: string): void {
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
  }
}
