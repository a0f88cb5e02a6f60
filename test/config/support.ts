import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";

export const privateKey = `0x${"ab".repeat(32)}`;
export const botToken = "123456789:AAF3kLm9_canary-canary-canary-42xyz";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with a config file and, when given, a secrets file. */
export function desk(config: string, secrets?: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-config-"));
  folders.push(folder);
  writeFileSync(join(folder, "desk.toml"), config);
  if (secrets !== undefined) {
    writeFileSync(join(folder, "secrets.local.toml"), secrets);
    chmodSync(join(folder, "secrets.local.toml"), mode);
  }
  return join(folder, "desk.toml");
}

export function faultsOf(file: string, purpose?: "service"): readonly string[] {
  try {
    loadConfig(file, purpose);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map((fault) => fault.replace(file, "FILE"));
    throw error;
  }
  return [];
}

export const goodSecrets = `[relayer]\nprivate_key = "${privateKey}"\n[telegram]\nbot_token = "${botToken}"\n`;
