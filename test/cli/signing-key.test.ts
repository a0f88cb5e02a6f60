import { spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { sealKeystore } from "../../src/adapters/keys/keystore.ts";
import { openSigningKey } from "../../src/signing-key.ts";
import { desk, faultsOf, goodSecrets } from "../config/support.ts";

// Hardhat's published account 0: it guards nothing.
const key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const signer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const other = `0x${"1".repeat(40)}`;
const password = "correct horse battery";
const launcher = fileURLToPath(new URL("../../bin/pitboss.mjs", import.meta.url));
const sealed = sealKeystore(key, password);

afterEach(() => {
  delete process.env["CREDENTIALS_DIRECTORY"];
});

const keystoreKeys = `keystore = "key.json"\nsigner = "${signer}"\n`;

/** A config with a keystore beside it, and the password in a file unless another place is meant. */
async function lockedDesk(
  relayer = `${keystoreKeys}keystore_password_file = "pw"\n`,
): Promise<string> {
  const file = desk(`[relayer]\n${relayer}`);
  writeFileSync(join(dirname(file), "key.json"), await sealed, { mode: 0o600 });
  writeFileSync(join(dirname(file), "pw"), `${password}\n`, { mode: 0o600 });
  return file;
}

async function refusal(file: string): Promise<string> {
  try {
    await openSigningKey(loadConfig(file));
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new TypeError("the key was opened");
}

describe("the key that signs", () => {
  test("comes from the keystore with the password of its file, and both are to be hidden", async () => {
    const opened = await openSigningKey(loadConfig(await lockedDesk()));
    expect(opened).toEqual({ privateKey: key, signer, secrets: [key, password] });
  });

  test("the systemd credential is taken before the file", async () => {
    const file = await lockedDesk(`${keystoreKeys}keystore_password_file = "none"\n`);
    const folder = dirname(file);
    writeFileSync(join(folder, "keystore-password"), password, { mode: 0o400 });
    process.env["CREDENTIALS_DIRECTORY"] = folder;
    expect((await openSigningKey(loadConfig(file))).signer).toBe(signer);
  });

  test("a loose keystore, a loose password file and missing ones are refused with the repair", async () => {
    const file = await lockedDesk();
    const keystore = join(dirname(file), "key.json");
    chmodSync(keystore, 0o644);
    expect(await refusal(file)).toMatch(/key\.json: has mode 0644.*chmod 600/);
    chmodSync(keystore, 0o600);
    chmodSync(join(dirname(file), "pw"), 0o640);
    expect(await refusal(file)).toMatch(/pw: has mode 0640.*chmod 600/);
    expect(
      await refusal(await lockedDesk(`${keystoreKeys}keystore_password_file = "no"\n`)),
    ).toContain("there is no such file");
    expect(await refusal(await lockedDesk(keystoreKeys))).toContain("no password, and no terminal");
  });

  test("a wrong password and another key than the configured one are refused", async () => {
    const file = await lockedDesk();
    writeFileSync(join(dirname(file), "pw"), "wrong password here", { mode: 0o600 });
    expect(await refusal(file)).toContain("the password is wrong");
    const wrong = await lockedDesk(
      `keystore = "key.json"\nkeystore_password_file = "pw"\nsigner = "${other}"\n`,
    );
    expect(await refusal(wrong)).toContain(`the key's address is ${signer}`);
    const plain = desk(`[relayer]\nsigner = "${other}"\n`, goodSecrets);
    expect(await refusal(plain)).toContain("relayer.signer was");
  });

  test("a wallet that contradicts its kind is refused, as soon as the signer is known", async () => {
    const held = await lockedDesk(
      `${keystoreKeys}keystore_password_file = "pw"\nfunder = "${other}"\n`,
    );
    expect(await refusal(held)).toContain("signature_type = 0 is a plain wallet");
    for (const type of [1, 2, 3]) {
      const own = await lockedDesk(
        `keystore = "key.json"\nkeystore_password_file = "pw"\nsignature_type = ${type}\nfunder = "${signer}"\n`,
      );
      expect(await refusal(own)).toContain(
        `signature_type = ${type} needs the address of the wallet`,
      );
    }
  });

  test("64 hex digits that are no key are refused, unseen", async () => {
    const file = desk("", `[relayer]\nprivate_key = "0x${"0".repeat(64)}"\n`);
    expect(await refusal(file)).toContain("secrets.local.toml: relayer.private_key: that is not");
  });

  test("a service names one key, and its address when it is locked", () => {
    const service = '[telegram]\nwhitelist = [1]\n[relayer]\nkeystore = "key.json"\n';
    expect(faultsOf(desk(service, goodSecrets), "service").join("\n")).toMatch(
      /both there: remove one[\s\S]*relayer\.signer is missing/,
    );
  });
});

/** Runs the command with these lines on standard input. */
async function importKey(lines: string, ...args: string[]) {
  const child = spawn(process.execPath, [launcher, "key-import", "--stdin", ...args]);
  child.stdin.end(lines);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = child.exitCode ?? (await new Promise((done) => child.on("close", done)));
  return { code, out, errors };
}

describe("pitboss key-import", () => {
  test("writes a keystore of mode 0600 that opens, and shows the address but not the key", async () => {
    const out = join(dirname(desk("")), "made.json");
    const done = await importKey(`${key.slice(2)}\n${password}\n`, "--out", out, "--json");
    expect(done).toMatchObject({ code: 0, errors: "" });
    expect(JSON.parse(done.out)).toEqual({ address: signer, keystore: out });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(`${done.out}${readFileSync(out, "utf8")}`).not.toContain(key.slice(2));
    const again = await importKey(`${key}\n${password}\n`, "--out", out);
    expect(again).toMatchObject({ code: 2 });
    expect(again.errors).toContain("never replaced");
  });

  test("makes a new key when asked to", async () => {
    const out = join(dirname(desk("")), "new.json");
    const done = await importKey(`${password}\n`, "--new", "--out", out);
    expect(done.code).toBe(0);
    expect(done.out).toMatch(/address: 0x[0-9a-fA-F]{40}\nThis key exists nowhere else/);
  });

  test("refuses what is no key and a short password, and writes nothing", async () => {
    const out = join(dirname(desk("")), "none.json");
    const bad = await importKey(`canary-no-key\n${password}\n`, "--out", out);
    expect(bad.code).toBe(2);
    expect(bad.errors).toContain("not a private key");
    expect(bad.errors).not.toContain("canary");
    expect((await importKey(`${key}\nshort\n`, "--out", out)).errors).toContain("too short");
    expect(existsSync(out)).toBe(false);
  });
});
