// Plays drawn cycles on desks that are thrown away after one round, several desks at a time if wanted.

import { playCycle } from "./cycle.ts";
import { cyclesPerDesk, type Draw, drawOf } from "./draw.ts";
import { CycleFailure, KillDesk } from "./kill-desk.ts";

export type KillRun = {
  readonly cycles: number;
  readonly from: number;
  readonly timeScale: number;
  readonly seed: number;
  readonly workers: number;
};

export type CycleEnd = {
  readonly draw: Draw;
  /** What did not hold, or null. */
  readonly violation: string | null;
  readonly ms: number;
  /** The command that plays it again, with what came before it on the same desk. */
  readonly repeat: string;
  /** Chat and log of a violation; empty otherwise. */
  readonly transcript: string;
};

export type KillTotals = {
  cycles: number;
  /** Different points that were reached. */
  points: number;
  /** Orders that the venues accepted. */
  orders: number;
  restarts: number;
  violations: number;
  seconds: number;
};

/** Runs the cycles and tells each one's end. A point that was drawn and not reached is a violation. */
export async function runKills(
  run: KillRun,
  tell: (end: CycleEnd, done: number) => void,
): Promise<KillTotals> {
  const totals = { cycles: 0, points: 0, orders: 0, restarts: 0, violations: 0, seconds: 0 };
  const reached = new Set<string>();
  const startedMs = performance.now();
  const rounds = roundsOf(run);
  const worker = async (): Promise<void> => {
    for (let round = rounds.shift(); round !== undefined; round = rounds.shift()) {
      await playRound(run, round, totals, (end) => {
        totals.cycles += 1;
        if (end.violation === null) reached.add(end.draw.point);
        else totals.violations += 1;
        totals.points = reached.size;
        tell(end, totals.cycles);
      });
    }
  };
  await Promise.all(Array.from({ length: run.workers }, worker));
  totals.seconds = (performance.now() - startedMs) / 1000;
  return totals;
}

/** The cycles of each desk: rounds begin at multiples of a desk's life. */
function roundsOf({ cycles, from }: KillRun): Draw["cycle"][][] {
  const all = Array.from({ length: cycles }, (_, i) => from + i);
  return [...Map.groupBy(all, (cycle) => Math.floor(cycle / cyclesPerDesk)).values()];
}

async function playRound(
  run: KillRun,
  cycles: readonly number[],
  totals: KillTotals,
  tell: (end: CycleEnd) => void,
): Promise<void> {
  const { seed, timeScale } = run;
  const left = [...cycles];
  /** Cycles that a slow machine disturbed: each is played once more, on a desk of its own. */
  const again = new Set<number>();
  while (left.length > 0) {
    await using desk = await KillDesk.open(timeScale);
    for (let cycle = left.shift(); cycle !== undefined; cycle = left.shift()) {
      const startedMs = performance.now();
      const draw = drawOf(seed, cycle);
      const violation = await violationOf(() => playCycle({ desk, draw, timeScale }));
      if (violation !== null && desk.wasTooSlow && !again.has(cycle)) {
        again.add(cycle);
        left.unshift(cycle);
        process.stderr.write(
          `cycle=${cycle} again: the machine was too slow, the service halted\n`,
        );
        break;
      }
      const first = cycle - (cycle % cyclesPerDesk);
      const many = cycle - first + 1;
      tell({
        draw,
        violation,
        ms: Math.round(performance.now() - startedMs),
        repeat: `npm run kill -- --seed ${seed} --from ${first} --cycles ${many} --time-scale ${timeScale}`,
        transcript: violation === null ? "" : desk.transcript(),
      });
      // What follows a violation would stumble over it: the rest of the round gets a desk of its own.
      if (violation !== null) break;
    }
    totals.restarts += desk.restarts;
    totals.orders += desk.venue.orders.length;
  }
}

async function violationOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof CycleFailure) return error.message;
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
