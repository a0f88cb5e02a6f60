// Finds the Node that this project pins, so that the machine's own Node may be any version >= 20.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const wantedMajor = 24;

/** Path of a Node 24 executable, or null when neither the pinned one nor the running one fits. */
export function findNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const pinned = join(projectRoot, "node_modules", "node", "bin", name);
  if (existsSync(pinned)) return pinned;
  const major = Number(process.versions.node.split(".")[0]);
  return major >= wantedMajor ? process.execPath : null;
}

/**
 * An environment in which Node keeps what it compiled: every start after the first one reads it instead of compiling again.
 * The files are checked against their sources; a folder that cannot be written costs nothing but the gain.
 */
export function withCompileCache(env) {
  return { NODE_COMPILE_CACHE: join(projectRoot, ".cache", "compile"), ...env };
}

export const missingNode = `pitboss: Node ${wantedMajor} is missing. Run "npm ci" here (it installs the pinned Node), or install Node >= ${wantedMajor} and try again.`;
