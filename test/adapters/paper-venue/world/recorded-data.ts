import { existsSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../../../..", import.meta.url).pathname;

/** The folder of recorded data, or null when this machine has none. */
export function recordedDataDir(): string | null {
  const dir = process.env["PITBOSS_DATA"] ?? join(root, "../shared/data");
  return existsSync(join(dir, "books")) ? dir : null;
}

/** Says that tests were left out, in the words that the project's check looks for. */
export function saySkipped(count: number): void {
  process.stdout.write(`SKIPPED ${count} tests: recorded data not found\n`);
}
