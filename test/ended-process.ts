import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export type EndedProcess = AsyncDisposable & {
  /** What it would have written into a lock: its id and when it began, in clock ticks of /proc. */
  readonly lock: { readonly pid: number; readonly startedAt: string };
};

const limitMs = 60_000;
const lookMs = 5;

/** A process that has ended and that its parent, which goes on, never looks after: the system still lists it. */
export async function endedUnnoticed(): Promise<EndedProcess> {
  // `sleep` takes the shell's place and knows nothing of the shell's child.
  const parent = spawn("sh", ["-c", "(exit 0) & echo $!; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [data] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(data.toString());
  const deadline = performance.now() + limitMs;
  let fields = statOf(pid);
  for (; fields[0] !== "Z"; fields = statOf(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} does not end`);
    await sleep(lookMs);
  }
  return {
    lock: { pid, startedAt: fields[19] ?? "" },
    [Symbol.asyncDispose]: async () => {
      parent.kill("SIGKILL");
      await once(parent, "exit");
    },
  };
}

function statOf(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
