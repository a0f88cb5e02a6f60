/** Everything random in a simulation comes from here: the same seed gives the same run on any machine. */

/** xmur3-like hash of text to 32 bits; good enough to make the streams of different names independent. */
function hash32(text: string): number {
  let h = 1_779_033_703 ^ text.length;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3_432_918_353);
    h = (h << 13) | (h >>> 19);
  }
  h = Math.imul(h ^ (h >>> 16), 2_246_822_507);
  h = Math.imul(h ^ (h >>> 13), 3_266_489_909);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A stream of chance with its own state (splitmix32). */
export class Chance {
  #state: number;

  constructor(seed: number, name: string) {
    this.#state = hash32(`${seed}:${name}`);
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e_37_79_b9) | 0;
    let t = this.#state ^ (this.#state >>> 16);
    t = Math.imul(t, 0x21_f0_aa_ad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x73_5a_2d_97);
    t ^= t >>> 15;
    return (t >>> 0) / 4_294_967_296;
  }

  /** Integer in [from, to], both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** True with probability `p`. */
  happens(p: number): boolean {
    return this.next() < p;
  }

  /** One of the items, or undefined of none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.int(0, items.length - 1)];
  }

  /** One of the names by weight; the weights need not add up to anything. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return (entries.at(-1) ?? entries[0] ?? ["" as K, 0])[0];
  }

  /** Lower-case hex digits of so many bytes. */
  hex(bytes: number): string {
    let text = "";
    for (let i = 0; i < bytes; i++) text += this.int(0, 255).toString(16).padStart(2, "0");
    return text;
  }
}
