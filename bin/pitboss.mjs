#!/usr/bin/env node
// Launcher for any Node >= 20: starts src/main.ts on the pinned Node and passes signals and exit code through.
// `--node FILE` runs another entry file of the project (the benchmarks) the same way.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { findNode, missingNode, projectRoot, withCompileCache } from "./pinned-node.mjs";

const node = findNode();
if (node === null) {
  process.stderr.write(`${missingNode}\n`);
  process.exit(2);
}
let args = process.argv.slice(2);
let entry = join(projectRoot, "src", "main.ts");
if (args[0] === "--node" && args[1] !== undefined) {
  entry = join(projectRoot, args[1]);
  args = args.slice(2);
}
// A small young generation keeps a service that runs for weeks tens of megabytes smaller, at no cost that shows.
const nodeFlags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4"];
const child = spawn(node, [...nodeFlags, entry, ...args], {
  stdio: "inherit",
  env: withCompileCache(process.env),
});
// A terminal sends Ctrl-C to the whole group: the child has it already, and a second one would cut its stop short.
// Without a terminal the signal came to us alone.
const hasTerminal = [process.stdin, process.stdout, process.stderr].some((one) => one.isTTY);
process.on("SIGINT", () => {
  if (!hasTerminal) child.kill("SIGINT");
});
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.on("SIGHUP", () => child.kill("SIGHUP"));
child.on("exit", (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0));
});
