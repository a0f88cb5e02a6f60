import { existsSync, rmSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { createInterface } from "node:readline";
import { ConfigError } from "../../config/config-error.ts";
import { readOwnFile } from "../../config/own-file.ts";
import {
  addressOfKey,
  KeystoreError,
  newPrivateKey,
  openKeystore,
  sealKeystore,
} from "../adapters/keys/keystore.ts";
import { askSecret } from "../adapters/system/secret-prompt.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";

const help = `usage: pitboss key-import --out FILE [--new] [--password-file FILE] [--stdin] [--json]
Makes the encrypted keystore (JSON v3, scrypt) that [relayer] keystore names. The key is typed, never an argument.
  --out FILE            the keystore to write, mode 0600; an existing file is never replaced
  --new                 make a new key instead of asking for one
  --password-file FILE  the password, from a file of mode 0600; else it is asked twice
  --stdin               read the key, then the password, as lines of standard input instead of asking
  --json                one JSON object with the address and the file
exit code: 0 written, 1 could not be written, 2 wrong use
example: pitboss key-import --out config/keystore.json`;

const passwordCharsMin = 12;
const ownerOnly = 0o600;

/** The person gave up, or what came is unusable; told as it stands. */
class InputError extends Error {
  override readonly name = "InputError";
}

/** `pitboss key-import`: a private key becomes a keystore. Resolves to the exit code. */
export async function keyImportCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(
    args,
    {
      out: { type: "string" },
      new: { type: "boolean" },
      "password-file": { type: "string" },
      stdin: { type: "boolean" },
      json: { type: "boolean" },
    },
    help,
  );
  if (!read.ok) return read.exitCode;
  const { values } = read;
  if (values.out === undefined)
    return refused("key-import: name the file to write with --out FILE");
  const out = resolve(values.out);
  if (existsSync(out)) {
    return refused(`${out}: exists already and is never replaced: choose another name`);
  }
  try {
    const ask = values.stdin ? linesOf(process.stdin) : terminal;
    const key = values.new ? newPrivateKey() : normalized(await ask("private key (not shown): "));
    const address = addressOfKey(key);
    const password = await newPassword(values["password-file"], ask, values.stdin);
    await write(out, key, password);
    if (values.json) process.stdout.write(`${JSON.stringify({ address, keystore: out })}\n`);
    else process.stdout.write(written(out, address, values.new));
    return exitDone;
  } catch (error) {
    if (
      error instanceof InputError ||
      error instanceof KeystoreError ||
      error instanceof ConfigError
    ) {
      return refused(error.message);
    }
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    process.stderr.write(`${out}: cannot be written (${code}): nothing was kept\n`);
    return exitFailed;
  }
}

function refused(message: string): number {
  process.stderr.write(`${message}\n`);
  return exitWrongUse;
}

type Ask = (question: string) => Promise<string>;

const terminal: Ask = async (question) => {
  const typed = await askSecret(question);
  if (typed === null) {
    throw new InputError(
      process.stdin.isTTY
        ? "given up: nothing was written"
        : "there is no terminal to ask on: use --stdin, and never an argument",
    );
  }
  return typed.trim();
};

function linesOf(input: NodeJS.ReadableStream): Ask {
  const lines = createInterface({ input, terminal: false })[Symbol.asyncIterator]();
  return async () => {
    const next = await lines.next();
    if (next.done === true) throw new InputError("standard input ended too early");
    return next.value.trim();
  };
}

function normalized(text: string): string {
  return text.startsWith("0x") ? text : `0x${text}`;
}

async function newPassword(file: string | undefined, ask: Ask, once: boolean): Promise<string> {
  const password = file === undefined ? await ask("new password: ") : passwordIn(file);
  if (password.length < passwordCharsMin) {
    throw new InputError(`the password is too short: at least ${passwordCharsMin} characters`);
  }
  if (file === undefined && !once && (await ask("the same again: ")) !== password) {
    throw new InputError("the two passwords differ: nothing was written");
  }
  return password;
}

function passwordIn(file: string): string {
  const text = readOwnFile(resolve(file));
  if (text === null) throw new InputError(`${file}: there is no such file`);
  return text.split(/\r?\n/, 1)[0] ?? "";
}

/** Written, then opened again from the disk: a keystore that cannot be opened is found now, not when money is in it. */
async function write(out: string, key: string, password: string): Promise<void> {
  const text = await sealKeystore(key, password);
  writeFileSync(out, `${text}\n`, { mode: ownerOnly, flag: "wx" });
  try {
    const { privateKey } = await openKeystore(readOwnFile(out) ?? "", password);
    if (privateKey.toLowerCase() === key.toLowerCase()) return;
    throw new KeystoreError("does not give the same key back: nothing was kept");
  } catch (error) {
    rmSync(out, { force: true });
    throw error;
  }
}

function written(out: string, address: string, isNew: boolean): string {
  const backup = isNew
    ? "This key exists nowhere else. Copy the file and the password to two other places before you send money.\n"
    : "";
  return `written: ${out} (opened again to prove it)
address: ${address}
${backup}in the config, under [relayer]:
  keystore = "${basename(out)}"
  signer = "${address}"
`;
}
