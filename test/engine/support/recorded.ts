import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const root = new URL("../../..", import.meta.url).pathname;

/** The folder of recorded data, or null when this machine has none. */
export function recordedDataDir(): string | null {
  const dir = process.env["PITBOSS_DATA"] ?? join(root, "../shared/data");
  return existsSync(join(dir, "books")) ? dir : null;
}

/** Says that tests were left out, in the words that the project's check looks for. */
export function saySkipped(count: number): void {
  process.stdout.write(`SKIPPED ${count} tests: recorded data not found\n`);
}

export function readJson(dir: string, path: string): unknown {
  const bytes = readFileSync(join(dir, path));
  const text = path.endsWith(".gz") ? gunzipSync(bytes).toString("utf8") : bytes.toString("utf8");
  return JSON.parse(text) as unknown;
}

export function filesIn(dir: string, folder: string): string[] {
  return readdirSync(join(dir, folder)).map((name) => join(folder, name));
}
