import { randomBytes } from "node:crypto";
import type { Entropy } from "../../engine/ports/system.ts";

/** Bits of 64 beyond the 53 that a number holds exactly. */
const surplusBits = 11n;

/** The machine's cryptographic random numbers. */
export const systemEntropy: Entropy = {
  hex: (bytes) => randomBytes(bytes).toString("hex"),
  salt: () => Number(randomBytes(8).readBigUInt64BE() >> surplusBits),
};
