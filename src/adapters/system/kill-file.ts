// The kill that needs neither Telegram nor the control socket: a file called KILL in the state folder.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { noteCharsMax } from "./control-protocol.ts";

/** A file of this name in the state folder kills the desk, running or at its next start. */
export const killFileName = "KILL";
/** What the file is renamed to once the kill is in the ledger. */
export const honouredFileName = "KILL.honoured";

const noteBytesMax = 1024;
/** One look at a folder's entry costs microseconds; a watch of the folder would wake for every write of the ledger. */
const lookEveryMs = 200;

export type KillFile = {
  /** The note in the file (perhaps empty), or null when there is no file. Total: an unreadable file kills, too. */
  readonly note: () => string | null;
  /** Writes the file, so that the next start is killed; false when not even that works. */
  readonly write: (note: string) => boolean;
  /** Renames the file: its kill is in the ledger now. */
  readonly honoured: () => void;
  /** Calls back for each file that appears, those present already included; the returned function ends it. */
  readonly watch: (onKill: (note: string) => void) => () => void;
};

export function killFileIn(stateDir: string): KillFile {
  const path = join(stateDir, killFileName);
  const stamp = (): string | null => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    return status === undefined ? null : `${status.ino} ${status.mtimeMs}`;
  };
  const note = (): string | null => (stamp() === null ? null : noteIn(path));
  return {
    note,
    write(text) {
      try {
        writeFileSync(path, `${text}\n`, { mode: 0o600 });
        return true;
      } catch {
        return false;
      }
    },
    honoured() {
      try {
        renameSync(path, join(stateDir, honouredFileName));
      } catch {
        // It stays: the next start is killed once more, which costs a resume and no money.
      }
    },
    watch(onKill) {
      let seen: string | null = null;
      const look = (): void => {
        const now = safely(stamp);
        if (now !== null && now !== seen) onKill(note() ?? "");
        seen = now;
      };
      look();
      const timer = setInterval(look, lookEveryMs);
      return () => clearInterval(timer);
    },
  };
}

/** A folder that cannot be looked at is no kill; the next look tells. */
function safely(stamp: () => string | null): string | null {
  try {
    return stamp();
  } catch {
    return null;
  }
}

function noteIn(path: string): string {
  let file: number | null = null;
  try {
    // Neither a link nor a pipe may lead this look elsewhere or hold it up.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) return "";
    const bytes = Buffer.alloc(noteBytesMax);
    const text = bytes.toString("utf8", 0, readSync(file, bytes, 0, noteBytesMax, 0));
    return text
      .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
      .trim()
      .slice(0, noteCharsMax);
  } catch {
    return "";
  } finally {
    if (file !== null) closeSync(file);
  }
}
