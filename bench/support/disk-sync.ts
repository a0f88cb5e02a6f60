import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./race.ts";

/** About what one transaction of a single order writes. */
const blockBytes = 16 * 1024;
const blocks = 64;
const restMs = 10;

/** What no ledger can be faster than: overwriting a piece of an existing file and waiting for the disk, in the same rounds. */
export function diskSync(
  folder: string,
  syncsPerRound: number,
): Contender & { readonly close: () => void } {
  const file = openSync(join(folder, "sync.bin"), "w");
  const block = Buffer.alloc(blockBytes, 1);
  for (let i = 0; i < blocks; i++) writeSync(file, block, 0, blockBytes, i * blockBytes);
  fdatasyncSync(file);
  return {
    name: "bare sync of the disk",
    async round() {
      const samplesNs = new Float64Array(syncsPerRound);
      for (let i = 0; i < syncsPerRound; i++) {
        await new Promise((resolve) => setTimeout(resolve, restMs));
        const startedAt = performance.now();
        writeSync(file, block, 0, blockBytes, (i % blocks) * blockBytes);
        fdatasyncSync(file);
        samplesNs[i] = (performance.now() - startedAt) * 1e6;
      }
      return { samplesNs, elapsedNs: samplesNs.reduce((sum, one) => sum + one, 0) };
    },
    close: () => closeSync(file),
  };
}
