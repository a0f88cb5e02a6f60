import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import {
  checkKeystore,
  newPrivateKey,
  openKeystore,
  scryptNMin,
  sealKeystore,
} from "../../../src/adapters/keys/keystore.ts";

// Hardhat's published account 0: it guards nothing.
const key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const password = "correct horse battery";

/** A keystore with another key derivation in it; nothing is opened, so the cipher text does not matter. */
function withKdf(kdf: string, kdfparams: Record<string, unknown>): string {
  return JSON.stringify({ version: 3, address: address.slice(2), crypto: { kdf, kdfparams } });
}

describe("a keystore", () => {
  test("opens to the key it was made of, here and in another wallet, and with no other password", async () => {
    const text = await sealKeystore(key, password);
    expect(text).not.toContain(key.slice(2));
    expect(await openKeystore(text, password)).toEqual({ privateKey: key, address });
    expect((await Wallet.fromEncryptedJson(text, password)).address).toBe(address);
    const error = await openKeystore(text, "wrong password").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "KeystoreError" });
    expect((error as Error).cause).toBeUndefined();
    expect(String(error)).toContain("the password is wrong, or the file is damaged");
    expect(String(error)).not.toContain("wrong password");
  });

  test("is made with scrypt of at least 131072", async () => {
    const text = await sealKeystore(key, password);
    const { Crypto: crypto } = JSON.parse(text) as { Crypto: { kdf: string; kdfparams: unknown } };
    expect(crypto).toMatchObject({ kdf: "scrypt", kdfparams: { n: scryptNMin, r: 8, p: 1 } });
    expect(() => checkKeystore(text)).not.toThrow();
  });

  test("with a foreign address written in it is refused", async () => {
    const text = await sealKeystore(key, password);
    const swapped = text.replace(/"address":"[0-9a-f]{40}"/, `"address":"${"1".repeat(40)}"`);
    await expect(openKeystore(swapped, password)).rejects.toThrow("does not open");
  });

  test.each([
    ["a weak derivation", withKdf("scrypt", { n: 8192, r: 8, p: 1 }), "locked too weakly"],
    ["the other derivation", withKdf("pbkdf2", { c: 1_000_000 }), "not locked with scrypt"],
    ["a trap for the memory", withKdf("scrypt", { n: 2 ** 30, r: 8, p: 1 }), "out of bounds"],
    ["text for a number", withKdf("scrypt", { n: "131072", r: 8, p: 1 }), "out of bounds"],
    ["version 1", JSON.stringify({ version: 1 }), "not a keystore of version 3"],
    ["no JSON", "0xabc", "not a keystore of version 3"],
  ])("%s is refused before any password is tried", async (_, text, why) => {
    await expect(openKeystore(text, password)).rejects.toThrow(why);
  });

  test("new keys differ", () => {
    expect(newPrivateKey()).toMatch(/^0x[0-9a-f]{64}$/);
    expect(newPrivateKey()).not.toBe(newPrivateKey());
  });
});
