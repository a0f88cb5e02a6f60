import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";

/** Folder of the recorded payloads, or null when this machine has none. */
export const recordedData: string | null = (() => {
  const root = new URL("../../..", import.meta.url).pathname;
  const dir = resolve(root, process.env["PITBOSS_DATA"] ?? "../shared/data");
  return existsSync(join(dir, "books")) ? dir : null;
})();

/** Says how many tests a file leaves out; answers whether they are to be skipped. */
export function skipped(tests: number): boolean {
  if (recordedData !== null) return false;
  process.stdout.write(`SKIPPED ${tests} tests: recorded data not found\n`);
  return true;
}

export function recordedPath(name: string): string {
  return join(recordedData ?? "", name);
}

export function recordedNames(folder: string): string[] {
  return readdirSync(recordedPath(folder)).sort();
}

export function recordedText(name: string): string {
  const bytes = readFileSync(recordedPath(name));
  return name.endsWith(".gz") ? gunzipSync(bytes).toString("utf8") : bytes.toString("utf8");
}

export function recordedJson(name: string): unknown {
  return JSON.parse(recordedText(name));
}
