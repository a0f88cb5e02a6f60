import { randomFillSync } from "node:crypto";
import type { Entropy } from "../../engine/ports/system.ts";

/** Bits of 64 beyond the 53 that a number holds exactly. */
const surplusBits = 11n;

/** Asking the kernel costs as much for one byte as for thousands, so they are drawn ahead. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** Calls back with fresh random bytes, which are overwritten afterwards: none is ever given twice. */
function draw<T>(bytes: number, read: (drawn: Buffer) => T): T {
  if (bytes > pool.length) return read(randomFillSync(Buffer.alloc(bytes)));
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = pool.subarray(used, used + bytes);
  used += bytes;
  const value = read(drawn);
  drawn.fill(0);
  return value;
}

/** The machine's cryptographic random numbers. */
export const systemEntropy: Entropy = {
  hex: (bytes) => draw(bytes, (drawn) => drawn.toString("hex")),
  salt: () => draw(8, (drawn) => Number(drawn.readBigUInt64BE() >> surplusBits)),
};
