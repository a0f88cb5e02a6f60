import { createHash } from "node:crypto";
import type { Hasher } from "../../../src/engine/ports/hasher.ts";

/** The engine's hash functions straight on node:crypto, without the shortcut that the adapter takes. */
export const plainHasher: Hasher = {
  sha1Hex: (text) => createHash("sha1").update(text).digest("hex"),
  sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  sha1Search: (prefix, candidates, suffix, wantedHex) =>
    candidates.find(
      (candidate) =>
        createHash("sha1").update(prefix).update(candidate).update(suffix).digest("hex") ===
        wantedHex,
    ) ?? null,
};
