// `npm run sim -- --seeds N [--from S]`: the whole service in a simulated world, one run a seed.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { catchDefect } from "./defect-hunt.ts";
import { type Defect, defects } from "./defects.ts";
import { type Property, properties } from "./judge.ts";
import { runSeeds } from "./pool.ts";
import { type SimResult, simulate } from "./simulation.ts";

const help = `usage: npm run sim -- [--seeds N] [--from S] [--fresh] [--minutes M] [--workers W] [--ignore P,P] [--json]
Runs the engine and the bot against a simulated venue, chat, disk and clock; every fault is drawn from the seed.
  --seeds N    how many seeds (default 100)
  --from S     the first seed (default 1); "--from S --seeds 1" replays one
  --fresh      draw the first seed from the clock and print it
  --minutes M  begin no seed after so long (default: no bound)
  --workers W  threads (default: one a core)
  --ignore P   look past violations of these properties (any of ${properties.join(", ")})
  --defects    switch on each deliberate defect instead; a line for each: checker, seed, what it saw
  --json       one JSON object a seed on stdout, in the order of the seeds
exit 1 on a violation, on a seed that shows too little, or when 1,000 seeds show a fault less than 100 times
example: npm run sim -- --seeds 1000
`;

type How = {
  readonly from: number;
  readonly seeds: number;
  readonly minutes: number;
  readonly workers: number;
  readonly json: boolean;
  readonly ignored: readonly Property[];
};

const progressEveryMs = 2_000;

type Totals = {
  seeds: number;
  thin: number;
  steps: number;
  orders: number;
  faults: number;
  violations: number;
};

function add(totals: Totals, kinds: Map<string, number>, result: SimResult): void {
  totals.seeds++;
  totals.steps += result.steps;
  totals.orders += result.orders;
  for (const [kind, count] of result.faults) {
    totals.faults += count;
    kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  }
  if (result.violation !== null) totals.violations++;
  else if (isThin(result)) {
    totals.thin++;
    process.stderr.write(`thin seed=${result.seed}: too few steps, intents, crashes or kills\n`);
  }
}

/** A seed that does not show what every seed must. */
function isThin({ steps, intents, crashes, kills }: SimResult): boolean {
  return steps < 2_000 || intents < 20 || crashes < 1 || kills < 1;
}

function sorted(kinds: ReadonlyMap<string, number>): [string, number][] {
  return [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
}

function print(result: SimResult, json: boolean): void {
  if (json) {
    const faults = Object.fromEntries(sorted(result.faults));
    process.stdout.write(`${JSON.stringify({ ...result, faults })}\n`);
  }
  if (result.violation === null) return;
  const { property, detail } = result.violation;
  const replay = `npm run sim -- --seeds 1 --from ${result.seed}`;
  process.stderr.write(
    `violation seed=${result.seed} ${property}: ${detail}\n  replay: ${replay}\n`,
  );
}

/** Fault kinds, of which a thousand seeds must show each a hundred times. */
function rareKinds(kinds: ReadonlyMap<string, number>, seeds: number): string[] {
  return [...kinds].filter(([, count]) => count * 10 < seeds).map(([kind]) => kind);
}

async function run(how: How): Promise<number> {
  const totals: Totals = { seeds: 0, thin: 0, steps: 0, orders: 0, faults: 0, violations: 0 };
  const kinds = new Map<string, number>();
  const startedMs = performance.now();
  let toldMs = startedMs;
  await runSeeds({
    ...how,
    options: { ignored: how.ignored },
    boundMs: how.minutes * 60_000,
    onResult: (result) => {
      add(totals, kinds, result);
      print(result, how.json);
      if (performance.now() - toldMs < progressEveryMs) return;
      toldMs = performance.now();
      process.stderr.write(`${totals.seeds}/${how.seeds} seeds, ${totals.violations} violations\n`);
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const { seeds, steps, orders, faults, violations } = totals;
  const rare = seeds >= 1_000 ? rareKinds(kinds, seeds) : [];
  for (const [kind, count] of sorted(kinds)) process.stderr.write(`fault ${kind} ${count}\n`);
  if (rare.length > 0) process.stderr.write(`too rare: ${rare.join(", ")}\n`);
  const pace = Math.round(steps / seconds);
  process.stdout.write(
    `sim seeds=${seeds} steps=${steps} orders=${orders} faults=${faults} violations=${violations} steps_per_s=${pace}\n`,
  );
  return violations + totals.thin > 0 || rare.length > 0 ? 1 : 0;
}

/** Every defect with the checker that names it; the same seed must be clean without the defect. */
async function huntDefects(): Promise<number> {
  let missed = 0;
  for (const [name, defect] of Object.entries<Defect>(defects)) {
    const caught = await catchDefect(defect);
    const clean = caught === null ? null : (await simulate(caught.seed)).violation;
    const isCaught = caught !== null && clean === null;
    if (!isCaught) missed++;
    const found =
      caught === null ? "not caught" : `seed ${caught.seed}: ${caught.violation.detail}`;
    const unclean = clean === null ? "" : ` (without the defect: ${clean.detail})`;
    process.stdout.write(`defect ${name} ${defect.property} ${found}${unclean}\n`);
  }
  process.stdout.write(`defects=${Object.keys(defects).length} missed=${missed}\n`);
  return missed > 0 ? 1 : 0;
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    fresh: { type: "boolean", default: false },
    minutes: { type: "string", default: "100000" },
    workers: { type: "string", default: String(availableParallelism()) },
    ignore: { type: "string", default: "" },
    defects: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const how: How = {
  from: values.fresh ? freshSeed(Date.now()) : Number(values.from),
  seeds: Number(values.seeds),
  minutes: Number(values.minutes),
  workers: Number(values.workers),
  json: values.json,
  ignored: properties.filter((one) => values.ignore.split(",").includes(one)),
};
const isRight =
  Number.isSafeInteger(how.from) &&
  [how.seeds, how.workers].every((count) => Number.isSafeInteger(count) && count >= 1) &&
  how.minutes > 0;
if (values.help) process.stdout.write(help);
else if (!isRight) {
  process.stderr.write(help);
  process.exitCode = 2;
} else if (values.defects) process.exitCode = await huntDefects();
else {
  if (values.fresh) process.stderr.write(`first seed ${how.from}\n`);
  process.exitCode = await run(how);
}

/** A first seed that nobody has run before. */
function freshSeed(nowMs: number): number {
  return 1_000_000 + (Math.floor(nowMs / 1000) % 1_000_000_000);
}
