import { createHash, hash } from "node:crypto";
import type { Hasher } from "../../engine/ports/hasher.ts";

/** The hash functions of the engine, on node:crypto. */
export function createHasher(): Hasher {
  return {
    sha1Hex: (text) => hash("sha1", text, "hex"),
    sha256Hex: (text) => hash("sha256", text, "hex"),
    sha1Search(prefix, candidates, suffix, wantedHex) {
      // The prefix holds the whole book; hashing it once makes a thousand candidates cost little more than one.
      const start = createHash("sha1").update(prefix);
      for (const candidate of candidates) {
        if (start.copy().update(candidate).update(suffix).digest("hex") === wantedHex) {
          return candidate;
        }
      }
      return null;
    },
  };
}
