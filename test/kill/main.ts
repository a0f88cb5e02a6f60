// `npm run kill -- --cycles N`: kill -9 of the real service at every point of the order path, on its real file.
import { parseArgs } from "node:util";
import { type KillTotals, runKills } from "./run.ts";

const help = `usage: npm run kill -- [--cycles N] [--from C] [--time-scale X] [--seed S] [--workers N] [--json]
Kills the real service (SIGKILL) at a drawn point of the order path, starts it again on the same files, and compares
its books with the paper venue's after each crash. Venue and chat live on.
  --cycles N      how many crashes (default 36)
  --from C        the first cycle (default 0); desks live for 18 cycles, so a repeat begins at a multiple of 18
  --time-scale X  divides every wait of the protocol in service, venue and faults (default 100)
  --seed S        everything is drawn from it (default 1)
  --workers N     desks at the same time (default 1)
  --json          one JSON object a cycle on stdout
example: npm run kill -- --cycles 1000 --time-scale 100 --workers 2
`;

function whole(text: string, min: number, max: number): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && value >= min && value <= max ? value : null;
}

function lastLine({ cycles, points, orders, restarts, violations, seconds }: KillTotals): string {
  return `kill cycles=${cycles} points=${points} orders=${orders} restarts=${restarts} violations=${violations} seconds=${seconds.toFixed(1)}`;
}

const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "36" },
    from: { type: "string", default: "0" },
    "time-scale": { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    workers: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const cycles = whole(values.cycles, 1, 1_000_000);
const from = whole(values.from, 0, 1_000_000_000);
const timeScale = whole(values["time-scale"], 1, 1_000);
const seed = whole(values.seed, 0, 2 ** 31);
const workers = whole(values.workers, 1, 8);
if (values.help) process.stdout.write(help);
else if (
  cycles === null ||
  from === null ||
  timeScale === null ||
  seed === null ||
  workers === null
) {
  process.stderr.write(help);
  process.exitCode = 2;
} else {
  const totals = await runKills({ cycles, from, timeScale, seed, workers }, (end, done) => {
    if (values.json) process.stdout.write(`${JSON.stringify(end)}\n`);
    const { draw, violation, ms } = end;
    const how = draw.afterMs === 0 ? "at" : `${draw.afterMs} ms after`;
    const what = `${draw.point} ${draw.order} ${how} it${draw.isTwice ? ", twice" : ""}`;
    process.stderr.write(
      `${done}/${cycles} cycle=${draw.cycle} ${what}: ${violation ?? "ok"} (${ms} ms)\n`,
    );
    if (violation === null) return;
    process.stderr.write(
      `${end.transcript}\nviolation seed=${seed} cycle=${draw.cycle}\n  repeat: ${end.repeat}\n`,
    );
  });
  process.stdout.write(`${lastLine(totals)}\n`);
  process.exitCode = totals.violations > 0 ? 1 : 0;
}
