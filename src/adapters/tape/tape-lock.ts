import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TapeError } from "./tape-error.ts";

const lockName = "recording.lock";

/** Holds a folder for one recording; a lock whose process is gone is taken over. @throws TapeError when it is held */
export function lockTape(folder: string): { readonly release: () => void } {
  const file = join(folder, lockName);
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: "wx", mode: 0o600 });
      return { release: () => unlinkSync(file) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const [pid, start = ""] = readFileSync(file, "utf8").split(" ");
    if (attempt > 0 || isAlive(Number(pid), start)) {
      throw new TapeError(
        `${folder}: process ${pid} records into this folder; if that is no recording, remove ${file}`,
      );
    }
    unlinkSync(file);
  }
}

/** In a container every start has the same process id: only with its start does it name one process. */
function isAlive(pid: number, start: string): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return start === startOf(pid);
}

/** When a process began, in clock ticks since the machine's own start (proc(5)), where /proc tells; else "". */
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
