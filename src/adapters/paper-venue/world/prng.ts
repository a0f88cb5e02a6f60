import { createHash } from "node:crypto";

/** Numbers that depend on nothing but the seed and how many were drawn before. */
export type Prng = {
  /** Uniform in [0, 1) with 32 random bits. */
  next(): number;
  /** Uniform integer in [min, max], both included. */
  int(min: number, max: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Standard normal, by the sum of twelve uniforms: only + and -, so the same on every machine. */
  normal(): number;
  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
};

/** sfc32 (Doty-Humphrey's small fast counter generator), seeded from SHA-256 of seed and tag. */
export function createPrng(seed: number, tag: string): Prng {
  const digest = createHash("sha256").update(`pitboss:prng:${seed}:${tag}`).digest();
  let a = digest.readInt32LE(0);
  let b = digest.readInt32LE(4);
  let c = digest.readInt32LE(8);
  let counter = digest.readInt32LE(12);
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  };
  const int = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    normal: () => {
      let sum = -6;
      for (let i = 0; i < 12; i++) sum += next();
      return sum;
    },
    pick: <T>(list: readonly T[]): T => list[int(0, list.length - 1)] as T,
  };
}
