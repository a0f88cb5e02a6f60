// One writer, one signer: an exclusive lock that the kernel gives back when its holder dies, however it dies.
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import type { Lease, LeaseInfo, LeaseResult } from "../../engine/ports/lease.ts";
import { LogError } from "../../engine/ports/log-error.ts";
import { logErrorOf } from "./sqlite-error.ts";

const holderCharsMax = 4096;
const ownerOnly = 0o600;
const ownerOnlyFolder = 0o700;

/**
 * Takes the lease at `file` or says who has it; never waits. The lock is SQLite's own file lock (fcntl), held by an
 * open exclusive transaction that writes nothing. Throws LogError when the folder cannot be used.
 */
export function acquireLease(file: string, info: LeaseInfo): LeaseResult {
  let database: Database.Database;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: ownerOnlyFolder });
    createFile(file);
    database = new Database(file, { timeout: 0 });
  } catch (error) {
    throw logErrorOf(error, `lease ${file}`);
  }
  try {
    // Journal and temporary data stay in memory: nothing but the lock is wanted from this file.
    database.pragma("journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const failure = logErrorOf(error, `lease ${file}`);
    if (failure.code === "ledger_locked") return { ok: false, place: file, heldBy: readNote(file) };
    throw failure;
  }
  const inode = statSync(file).ino;
  writeFileSync(noteOf(file), JSON.stringify(info), { mode: ownerOnly });
  let held = true;
  return {
    ok: true,
    lease: {
      place: file,
      isHeld: () => held && statSync(file, { throwIfNoEntry: false })?.ino === inode,
      release: () => {
        if (!held) return;
        held = false;
        rmSync(noteOf(file), { force: true });
        database.close();
      },
    },
  };
}

/** All or none of several leases, taken in the given order. */
export function acquireLeases(files: readonly string[], info: LeaseInfo): LeaseResult {
  const taken: Lease[] = [];
  const releaseAll = () => {
    for (const lease of taken) lease.release();
  };
  for (const file of files) {
    let result: LeaseResult;
    try {
      result = acquireLease(file, info);
    } catch (error) {
      releaseAll();
      throw error;
    }
    if (!result.ok) {
      releaseAll();
      return result;
    }
    taken.push(result.lease);
  }
  const first = taken[0];
  if (first === undefined) throw new LogError("ledger_failed", "no lease file was named");
  const isHeld = () => taken.every((lease) => lease.isHeld());
  return { ok: true, lease: { place: first.place, isHeld, release: releaseAll } };
}

/**
 * The files that one service must hold: one in its state folder, and one for each venue and signer in the user's own
 * folder, so that two state folders cannot trade with one key.
 */
export function leaseFiles(place: {
  readonly stateDir: string;
  readonly venueHost: string;
  readonly signer: string;
  /** Base folder of per-user state: $XDG_STATE_HOME, else ~/.local/state. */
  readonly userStateDir: string;
}): string[] {
  const name = `${place.venueHost}-${place.signer}`.toLowerCase().replace(/[^a-z0-9.-]/g, "_");
  return [
    join(place.stateDir, "service.lease"),
    join(place.userStateDir, "pitboss", "leases", `${name}.lease`),
  ];
}

/**
 * Makes the file when there is none. An existing one is never opened here: closing any handle of it would give back
 * the lock that this process may hold on it (fcntl locks belong to process and file, not to a handle).
 */
function createFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", ownerOnly));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function noteOf(file: string): string {
  return `${file}.json`;
}

function readNote(file: string): LeaseInfo | null {
  try {
    const note: unknown = JSON.parse(readFileSync(noteOf(file), "utf8").slice(0, holderCharsMax));
    if (typeof note !== "object" || note === null) return null;
    const { pid, sinceMs, purpose } = note as Record<string, unknown>;
    return typeof pid === "number" && typeof sinceMs === "number" && typeof purpose === "string"
      ? { pid, sinceMs, purpose }
      : null;
  } catch {
    // The holder is between lock and note, or the note was removed: the lock alone decides.
    return null;
  }
}
