// Reads a file that holds a secret, after it was shown that nobody else can read, replace or publish it.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "./config-error.ts";
import { isTrackedByGit } from "./git-index.ts";

const fileBytesMax = 65_536;
const ownerReads = 0o400;
const ownerWrites = 0o600;
const othersWrite = 0o002;
const groupWrites = 0o020;

/**
 * The file's text, or null when there is none. Opens without following a link, then checks the opened file itself, so
 * that nothing can be swapped in between. Throws ConfigError with the command that repairs it.
 */
export function readOwnFile(file: string): string | null {
  if (!existsSync(file) && !isLink(file)) return null;
  if (isLink(file)) {
    throw faultOf(
      file,
      "is a symbolic link, so its owner and mode prove nothing",
      `rm ${quoted(file)} && install -m 600 /dev/null ${quoted(file)}  and write the secrets into it`,
    );
  }
  checkPlace(file);
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    throw faultOf(file, "cannot be opened", `ls -l ${quoted(file)}`);
  }
  try {
    checkHandle(file, handle);
    return readFileSync(handle, "utf8");
  } finally {
    closeSync(handle);
  }
}

/** Mode 0600, or 0400 for a file that is never written again; nothing else. */
function checkHandle(file: string, handle: number): void {
  const status = fstatSync(handle);
  if (!status.isFile()) throw faultOf(file, "is not an ordinary file", `ls -ld ${quoted(file)}`);
  if (process.getuid !== undefined && status.uid !== process.getuid()) {
    throw faultOf(
      file,
      `belongs to user ${status.uid}, not to the one that runs this`,
      `sudo chown ${process.getuid()} ${quoted(file)}`,
    );
  }
  const mode = status.mode & 0o7777;
  if (mode !== ownerWrites && mode !== ownerReads) {
    const shown = mode.toString(8).padStart(4, "0");
    throw faultOf(file, `has mode ${shown}, it must be 0600`, `chmod 600 ${quoted(file)}`);
  }
  if (status.size > fileBytesMax)
    throw faultOf(file, `is larger than ${fileBytesMax} bytes`, `ls -l ${quoted(file)}`);
}

/** Who can write the folder can put another file in its place; what git tracks is on its way to other machines. */
function checkPlace(file: string): void {
  const folder = dirname(file);
  if ((statSync(folder).mode & othersWrite) !== 0) {
    throw faultOf(file, "lies in a folder that everybody can write", `chmod o-w ${quoted(folder)}`);
  }
  if (isTrackedByGit(file)) {
    throw faultOf(
      file,
      "is tracked by git, so the secret is in every clone: treat it as stolen, and",
      `git rm --cached ${quoted(file)}`,
    );
  }
}

/** For real money the group must not be able to replace the file either. Null when all is well. */
export function groupWritableFault(file: string): string | null {
  const folder = dirname(file);
  if ((statSync(folder).mode & groupWrites) === 0) return null;
  return `${file}: lies in a folder that its group can write: type  chmod g-w ${quoted(folder)}`;
}

function faultOf(file: string, problem: string, command: string): ConfigError {
  return new ConfigError([`${file}: ${problem}: type  ${command}`]);
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
