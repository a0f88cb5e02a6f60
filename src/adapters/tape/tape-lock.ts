import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TapeError } from "./tape-error.ts";

const lockName = "recording.lock";

/** Holds a folder for one recording; a lock whose process is gone is taken over. @throws TapeError when it is held */
export function lockTape(folder: string): { readonly release: () => void } {
  const file = join(folder, lockName);
  for (let attempt = 0; ; attempt++) {
    try {
      const handle = openSync(file, "wx", 0o600);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return { release: () => unlinkSync(file) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(readFileSync(file, "utf8"));
    if (attempt > 0 || isAlive(holder)) {
      throw new TapeError(
        `${folder}: process ${holder} records into this folder; if that is no recording, remove ${file}`,
      );
    }
    unlinkSync(file);
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
