// Runs one script as a person would: the whole desk as a child process, judged by its exit code.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const scriptsDir = fileURLToPath(new URL("../scripts/", import.meta.url));
const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** A script that takes longer is ended; the longest one waits some ten seconds. */
const scriptMs = 60_000;
const outputCharsMax = 200_000;

export type Transport = "poll" | "webhook";

export interface ScriptEnd {
  readonly code: number | null;
  /** Why it failed, with the transcript's tail; for the reader of a red test. */
  readonly report: string;
}

/** Names of all scripts, without ".txt". */
export function scriptNames(): readonly string[] {
  return readdirSync(scriptsDir)
    .filter((name) => name.endsWith(".txt"))
    .map((name) => name.slice(0, -".txt".length))
    .sort();
}

/** Runs a script to its end; `code` is 0 when every expectation held. */
export async function runScriptFile(name: string, transport: Transport): Promise<ScriptEnd> {
  const file = join(scriptsDir, `${name}.txt`);
  const args = [mainFile, "tgbot-run-local", "--script", file, "--transport", transport];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let report = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (report.length < outputCharsMax) report += chunk.toString();
  });
  // The desk ends its own children when it is told to end; only a desk that hangs is killed.
  const soft = setTimeout(() => child.kill("SIGTERM"), scriptMs);
  const hard = setTimeout(() => child.kill("SIGKILL"), scriptMs + 10_000);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once("close", resolve);
  const code = await promise;
  clearTimeout(soft);
  clearTimeout(hard);
  return { code, report };
}
