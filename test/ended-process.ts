import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

export type EndedProcess = AsyncDisposable & {
  /** What it would have written into a lock: its id and when it began, in clock ticks of /proc. */
  readonly lock: { readonly pid: number; readonly startedAt: string };
};

const limitMs = 60_000;
const lookMs = 5;

/** A process that has ended and that its parent, which goes on, never looks after: the system still lists it. */
export async function endedUnnoticed(): Promise<EndedProcess> {
  // `sleep` takes the shell's place and knows nothing of the shell's child. That one ends when it is told to: a shell
  // that were still there might look after it.
  const parent = spawn("sh", ["-c", "(read line <&3) & echo $!; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore", "pipe"],
  });
  const [, stdout, , line] = parent.stdio;
  if (!(line instanceof Writable) || stdout === null) throw new Error("the shell has no pipes");
  const [data] = (await once(stdout, "data")) as [Buffer];
  const pid = Number(data.toString());
  const nameOf = () => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim();
  await until("the shell's place is taken", () => nameOf() === "sleep");
  line.end("\n");
  await until(`process ${pid} ends`, () => statOf(pid)[0] === "Z");
  const fields = statOf(pid);
  return {
    lock: { pid, startedAt: fields[19] ?? "" },
    [Symbol.asyncDispose]: async () => {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    },
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await sleep(lookMs);
  }
}

function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
