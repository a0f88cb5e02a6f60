import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../config/config-error.ts";
import { configHash } from "../../config/config-hash.ts";
import { loadConfig } from "../../config/load.ts";
import { Secret, secretKeys, secretsIn } from "../../config/secrets.ts";
import { botToken, desk, faultsOf, goodSecrets, privateKey } from "./support.ts";

const totpSecret = "canarycanarycanarycanary22";

describe("secrets", () => {
  test.each([0o644, 0o640, 0o660, 0o700, 0o500])(
    "mode %o is refused with the command to type",
    (mode) => {
      const faults = faultsOf(desk("", goodSecrets, mode));
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(
        /has mode 0\d{3}, it must be 0600: type {2}chmod 600 \S+secrets\.local\.toml$/,
      );
    },
  );

  test("a symbolic link is refused, even to a good file and even when it dangles", () => {
    const file = desk("");
    const target = join(file, "..", "elsewhere.toml");
    symlinkSync(target, join(file, "..", "secrets.local.toml"));
    expect(faultsOf(file)[0]).toContain("symbolic link");
    writeFileSync(target, goodSecrets, { mode: 0o600 });
    expect(faultsOf(file)[0]).toContain("symbolic link");
  });

  test("in the main file they are refused, unseen", () => {
    const faults = faultsOf(desk(`[relayer]\nprivate_key = "${privateKey}"\n`));
    expect(faults[0]).toContain("relayer.private_key is a secret and must not stand here");
    expect(faults.join()).not.toContain("abab");
  });

  test("any other key in the overlay is refused", () => {
    const faults = faultsOf(
      desk("", `${goodSecrets}whitelist = [1]\n[risk]\nmax_open_orders = 2000\n`),
    );
    expect(faults).toHaveLength(2);
    expect(faults[0]).toContain("telegram.whitelist does not belong in the secrets file");
    expect(faults[1]).toContain("risk.max_open_orders does not belong in the secrets file");
  });

  test("a malformed secret is refused without being shown", () => {
    for (const bad of [
      `[relayer]\nprivate_key = "${privateKey.slice(2)}"`,
      `[telegram]\nbot_token = "canary-canary"`,
      '[telegram]\nwebhook_secret = "canary-too-short"',
      `[telegram]\ntotp_secret = "${"canary".repeat(4)}c"`,
      `[telegram]\ntotp_secret = "${"canary".repeat(5)}1"`,
      `[telegram]\ntotp_secret = "${"canary ".repeat(5)}"`,
      "[telegram]\nbot_token = canary-not-even-toml",
      '[storage]\npassword = "canary with spaces"',
    ]) {
      const faults = faultsOf(desk("", bad));
      expect(faults).toHaveLength(1);
      expect(faults.join()).not.toMatch(/abab|canary/);
    }
  });

  test("are all found for the redaction, and none of them changes the configuration's hash", () => {
    const secrets = `[relayer]\nprivate_key = "${privateKey}"\nrelayer_api_key = "canary-relayer-key"\n[telegram]\nbot_token = "${botToken}"\nwebhook_secret = "${"canary".repeat(6)}"\ntotp_secret = "${totpSecret}"\n[storage]\npassword = "canary-of-a-database"\n`;
    const config = loadConfig(desk("", secrets));
    const found = [
      privateKey,
      "canary-relayer-key",
      botToken,
      "canary".repeat(6),
      totpSecret,
      "canary-of-a-database",
    ];
    expect(secretsIn(config).toSorted()).toEqual(found.toSorted());
    expect(found).toHaveLength(secretKeys.length);
    const bare = loadConfig(desk(""));
    expect(configHash({ ...config, service: bare.service })).toBe(configHash(bare));
  });

  test("never print", () => {
    const secret = new Secret("canary");
    const config = loadConfig(desk("", goodSecrets));
    for (const printed of [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
      inspect(config, { depth: 9 }),
      JSON.stringify(config),
      String(new ConfigError([String(secret)])),
    ]) {
      expect(printed).not.toMatch(/canary|abab/);
      expect(printed).toContain("[redacted]");
    }
    expect(secret.reveal()).toBe("canary");
  });
});
