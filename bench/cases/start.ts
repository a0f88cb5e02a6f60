import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BenchCase, BenchContext, CaseResult } from "../support/bench-case.ts";
import { durationText } from "../support/bench-case.ts";
import { BenchError } from "../support/bench-error.ts";
import { type Round, timingOf } from "../support/race.ts";

/** `npm start` until the desk is ready, and the service's own memory half a minute later. */
export const startCase: BenchCase = { name: "start", run };

const runs = 3;
const wantedStartMs = 5_000;
const wantedMb = 200;
const settleMs = 30_000;
const readyLimitMs = 60_000;
const stopLimitMs = 15_000;
const projectRoot = fileURLToPath(new URL("../../", import.meta.url));

async function run(context: BenchContext): Promise<CaseResult> {
  const rounds: Round[] = [];
  const memories: number[] = [];
  for (let i = 0; i < runs; i++) {
    context.progress(`start: run ${i + 1}/${runs}`);
    const folder = mkdtempSync(join(tmpdir(), "pitboss-bench-start-"));
    try {
      const desk = await startDesk(folder);
      rounds.push({ samplesNs: Float64Array.of(desk.readyNs), elapsedNs: desk.readyNs });
      try {
        if (i === runs - 1) {
          context.progress(`start: waiting ${settleMs / 1_000} s for the memory to settle`);
          await new Promise((resolve) => setTimeout(resolve, settleMs));
          const mb = serviceMb(folder);
          if (mb !== null) memories.push(mb);
        }
      } finally {
        await stopDesk(desk.process);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const timing = timingOf("npm start until ready", rounds);
  const rows = [{ label: timing.name, timing, ratio: null }];
  const slowestNs = timing.highestNs;
  const memory = memories[0];
  return {
    title: "Start: offline desk with venue, service and chat, fresh state, no terminal",
    rows,
    notes: [
      memory === undefined
        ? "the service's memory was not measured: no /proc on this system"
        : `the service alone holds ${memory.toFixed(0)} MB (VmRSS) ${settleMs / 1_000} s after ready`,
    ],
    ratios: {
      start_under_5s: (wantedStartMs * 1e6) / timing.medianNs,
      ...(memory === undefined ? {} : { memory_under_200_mb: wantedMb / memory }),
    },
    aims: [
      {
        what: "ready in under 5 s, slowest of the runs",
        is: durationText(slowestNs),
        met: slowestNs < wantedStartMs * 1e6,
      },
      {
        what: `service under ${wantedMb} MB ${settleMs / 1_000} s after ready`,
        is: memory === undefined ? "not measured" : `${memory.toFixed(0)} MB`,
        met: memory !== undefined && memory < wantedMb,
      },
    ],
  };
}

/** Starts the desk as `npm start` does; its input stays open, so that it stays. */
async function startDesk(
  folder: string,
): Promise<{ readonly process: ChildProcess; readonly readyNs: number }> {
  const startedAt = performance.now();
  const args = [join(projectRoot, "bin", "pitboss.mjs"), "tgbot-run-local"];
  const child = spawn(process.execPath, [...args, "--state", join(folder, "desk")], {
    cwd: projectRoot,
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, XDG_STATE_HOME: join(folder, "user") },
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const timer = setTimeout(() => reject(new BenchError("the desk was not ready")), readyLimitMs);
  child.once("exit", () => reject(new BenchError("the desk ended at its start")));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("Paper desk ready")) resolve(performance.now());
  });
  try {
    return { process: child, readyNs: ((await promise) - startedAt) * 1e6 };
  } catch (error) {
    child.kill("SIGTERM");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Ends the desk by the end of its input, as a person does with Ctrl-D. */
async function stopDesk(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const timer = setTimeout(() => child.kill("SIGTERM"), stopLimitMs);
  child.stdin?.end();
  await exited;
  clearTimeout(timer);
}

/** Resident memory of the service of this desk in MB; null where there is no /proc. */
function serviceMb(folder: string): number | null {
  let pids: string[];
  try {
    pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return null;
  }
  for (const pid of pids) {
    const command = readOr(`/proc/${pid}/cmdline`);
    if (!command.includes("run-service") || !command.includes(folder)) continue;
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readOr(`/proc/${pid}/status`))?.[1];
    if (kib !== undefined) return (Number(kib) * 1_024) / 1e6;
  }
  throw new BenchError("the service of the desk is not running");
}

/** A process may end between being listed and being read. */
function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
