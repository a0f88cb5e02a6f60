// Whether git tracks a file, read from the index itself: a service must not depend on a git program being there.
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

/** Fixed part of an index entry: times, ids, mode, size, SHA-1 and flags (git's index-format). */
const entryBytes = 62;
const headerBytes = 12;
const flagsAt = 60;
const extendedFlag = 0x4000;
const entryAlignment = 8;

/** True when the work tree around the file has it in its index. An index that cannot be read counts as tracking it. */
export function isTrackedByGit(file: string): boolean {
  const path = join(realpathSync(dirname(file)), basename(file));
  const root = workTreeOf(dirname(path));
  if (root === null) return false;
  const index = join(gitDirOf(root), "index");
  if (!existsSync(index)) return false;
  const name = relative(root, path);
  try {
    return namesOf(readFileSync(index)).includes(name);
  } catch {
    return true;
  }
}

function workTreeOf(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return null;
  }
}

/** A linked work tree has a file that names its folder. */
function gitDirOf(root: string): string {
  const git = join(root, ".git");
  if (statSync(git).isDirectory()) return git;
  return resolve(
    root,
    readFileSync(git, "utf8")
      .replace(/^gitdir: /, "")
      .trim(),
  );
}

/** Paths of an index of version 2, 3 or 4 with SHA-1 ids. @throws TypeError, RangeError for any other */
function namesOf(index: Buffer): string[] {
  const version = index.readUInt32BE(4);
  if (index.toString("latin1", 0, 4) !== "DIRC" || version < 2 || version > 4) {
    throw new TypeError("not an index that is known");
  }
  const names: string[] = [];
  let at = headerBytes;
  let previous = Buffer.alloc(0);
  for (let left = index.readUInt32BE(8); left > 0; left--) {
    const isExtended = (index.readUInt16BE(at + flagsAt) & extendedFlag) !== 0;
    let nameAt = at + entryBytes + (isExtended ? 2 : 0);
    let kept = Buffer.alloc(0);
    if (version === 4) {
      const strip = readOffset(index, nameAt);
      nameAt = strip.end;
      kept = previous.subarray(0, previous.length - strip.value);
    }
    const end = index.indexOf(0, nameAt);
    if (end < 0) throw new RangeError("an entry without an end");
    previous = Buffer.concat([kept, index.subarray(nameAt, end)]);
    names.push(previous.toString("utf8"));
    const length = end + 1 - at;
    at += version === 4 ? length : Math.ceil(length / entryAlignment) * entryAlignment;
  }
  return names;
}

/** Git's offset encoding: seven bits a byte, and one is added for each byte that follows. */
function readOffset(
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly end: number } {
  let at = start;
  let byte = bytes.readUInt8(at++);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    byte = bytes.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: at };
}
