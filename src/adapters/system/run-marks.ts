// Which runs of a service ended in order, so that one that crashes again and again does not trade in between.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const runMarksName = "runs.json";
const keptMax = 20;

export type RunMarks = {
  /** Earlier runs that began within the last `windowMs` and did not end in order. */
  readonly crashesWithin: (windowMs: number) => number;
  /** This run ends in order. */
  readonly ended: () => void;
};

/** Marks the start of a run. A file that cannot be read counts as no crash, one that cannot be written as no mark. */
export function openRunMarks(stateDir: string, nowMs: number): RunMarks {
  const path = join(stateDir, runMarksName);
  const earlier = readStarts(path);
  writeStarts(path, [...earlier, nowMs].slice(-keptMax));
  return {
    crashesWithin: (windowMs) =>
      earlier.filter((startMs) => startMs <= nowMs && nowMs - startMs < windowMs).length,
    ended: () => writeStarts(path, []),
  };
}

function readStarts(path: string): number[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(value) ? value.filter((one) => Number.isSafeInteger(one)) : [];
  } catch {
    return [];
  }
}

function writeStarts(path: string, starts: readonly number[]): void {
  try {
    writeFileSync(`${path}.new`, JSON.stringify(starts), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // A disk that takes nothing is told of by the ledger.
  }
}
