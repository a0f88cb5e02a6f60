// The state directory of the offline desk: one holder at a time, a marker that makes deleting safe, own secrets.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { newTotpSecret } from "../totp.ts";
import { DeskError } from "./desk-errors.ts";

const markerName = "desk.json";
const lockName = "desk.lock";
const secretsName = "secrets.local.toml";
/** Tries to take a lock whose holder died in between. */
const lockTriesMax = 5;

export interface DeskSecrets {
  readonly privateKey: string;
  readonly botToken: string;
  readonly webhookSecret: string;
  /** Null: resuming needs no code. */
  readonly totpSecret: string | null;
}

export interface DeskState extends Disposable {
  readonly dir: string;
  /** Whether this state had a desk before. */
  readonly isReturning: boolean;
  readonly secrets: DeskSecrets;
}

/**
 * Takes the state directory for this process. `withCodes` adds a secret, so that resuming needs one-time codes from then
 * on. `isFresh` deletes what an earlier desk left, but only in a directory
 * with a desk's marker. Throws `DeskError` 2 when another process holds it, when deleting is not safe or when the folder
 * cannot be written.
 */
export function openDeskState(path: string, isFresh: boolean, withCodes = false): DeskState {
  const dir = resolve(path);
  try {
    return takeDeskState(dir, isFresh, withCodes);
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new DeskError(
      `the state folder ${dir} cannot be used (${error.message}): make it writable, or choose another one with --state`,
      2,
    );
  }
}

function takeDeskState(dir: string, isFresh: boolean, withCodes: boolean): DeskState {
  const found = existsSync(dir) ? readdirSync(dir) : [];
  const isDesk = found.includes(markerName);
  const isForeign = found.some((name) => name !== lockName) && !isDesk;
  if (isFresh && isForeign) {
    throw new DeskError(
      `--fresh deletes only a desk's own state, and ${dir} has no ${markerName}`,
      2,
    );
  }
  mkdirSync(dir, { recursive: true });
  takeLock(dir);
  if (isFresh) {
    for (const name of found) if (name !== lockName) rmSync(join(dir, name), { recursive: true });
  }
  // A folder with other files in it stays without the marker, so that --fresh never deletes them.
  if (!isForeign && (isFresh || !isDesk)) {
    const marker = { kind: "pitboss desk state", version: 1, createdAt: new Date().toISOString() };
    writeFileSync(join(dir, markerName), `${JSON.stringify(marker)}\n`);
  }
  const release = (): void => rmSync(join(dir, lockName), { force: true });
  const secrets = keepSecrets(join(dir, secretsName), withCodes);
  return { dir, isReturning: isDesk && !isFresh, secrets, [Symbol.dispose]: release };
}

interface Lock {
  readonly pid: number;
  /** Tells a process from a later one with the same id; empty where the system does not say. */
  readonly startedAt: string;
}

function takeLock(dir: string): void {
  const path = join(dir, lockName);
  const own: Lock = { pid: process.pid, startedAt: startOf(process.pid) };
  for (let tries = 0; tries < lockTriesMax; tries += 1) {
    try {
      writeFileSync(path, `${JSON.stringify(own)}\n`, { flag: "wx" });
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = readLock(path);
    if (holder !== null && isAlive(holder)) {
      throw new DeskError(
        `the desk in ${dir} is held by process ${holder.pid}: end it first, or open another one with --state`,
        2,
      );
    }
    rmSync(path, { force: true });
  }
  throw new DeskError(`the desk in ${dir} is being taken by another process`, 2);
}

function readLock(path: string): Lock | null {
  try {
    const lock = JSON.parse(readFileSync(path, "utf8")) as Partial<Lock>;
    const { pid, startedAt = "" } = lock;
    return typeof pid === "number" && pid > 0 ? { pid, startedAt } : null;
  } catch {
    // A lock that was cut short or removed in between holds nobody out.
    return null;
  }
}

function isAlive(lock: Lock): boolean {
  try {
    process.kill(lock.pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return lock.startedAt === startOf(lock.pid);
}

/** Start time of a process in clock ticks since boot, where /proc shows it. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // One that ended and that its parent has not looked after holds nothing, however long it is listed.
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

function keepSecrets(path: string, withCodes: boolean): DeskSecrets {
  const known = existsSync(path) ? readFileSync(path, "utf8") : "";
  const read = (key: string): string | undefined =>
    new RegExp(`^${key} = "([^"]+)"$`, "m").exec(known)?.[1];
  const secrets: DeskSecrets = {
    privateKey: read("private_key") ?? `0x${randomBytes(32).toString("hex")}`,
    botToken: read("bot_token") ?? `1000000001:${randomBytes(26).toString("base64url")}`,
    webhookSecret: read("webhook_secret") ?? randomBytes(24).toString("base64url"),
    totpSecret: read("totp_secret") ?? (withCodes ? newTotpSecret() : null),
  };
  const lines = [
    "# Made by the offline desk for its paper account and its own chat; worth nothing elsewhere.",
    "[relayer]",
    `private_key = "${secrets.privateKey}"`,
    "",
    "[telegram]",
    `bot_token = "${secrets.botToken}"`,
    `webhook_secret = "${secrets.webhookSecret}"`,
    ...(secrets.totpSecret === null ? [] : [`totp_secret = "${secrets.totpSecret}"`]),
    "",
  ];
  writeFileSync(path, lines.join("\n"), { mode: 0o600 });
  chmodSync(path, 0o600);
  return secrets;
}
