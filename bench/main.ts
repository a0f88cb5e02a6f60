// `npm run bench [-- --only NAME[,NAME]] [--full] [--json]`: what the hot paths cost, beside the usual way to do the same.
import { parseArgs } from "node:util";
import { booksCase } from "./cases/books.ts";
import { depthCase } from "./cases/depth.ts";
import { frameCase } from "./cases/frame.ts";
import { hashCase } from "./cases/hash.ts";
import { journalCase } from "./cases/journal.ts";
import { killCase } from "./cases/kill.ts";
import { orderCase } from "./cases/order.ts";
import { resyncCase } from "./cases/resync.ts";
import { scaleCase } from "./cases/scale.ts";
import { searchCase } from "./cases/search.ts";
import { setsCase } from "./cases/sets.ts";
import { signCase } from "./cases/sign.ts";
import { socketsCase } from "./cases/sockets.ts";
import { startCase } from "./cases/start.ts";
import { storageCase } from "./cases/storage.ts";
import { tapeCase } from "./cases/tape.ts";
import type { BenchCase } from "./support/bench-case.ts";
import { machineFacts, machinePace } from "./support/machine.ts";
import { caseText, closingText, headText, type NamedResult } from "./support/report.ts";

const cases: readonly BenchCase[] = [
  frameCase,
  booksCase,
  hashCase,
  depthCase,
  setsCase,
  searchCase,
  signCase,
  orderCase,
  killCase,
  socketsCase,
  scaleCase,
  resyncCase,
  startCase,
  storageCase,
  tapeCase,
  journalCase,
];

const help = `usage: npm run bench [-- --only NAME[,NAME]] [--full] [--json]
Measures the hot paths beside a baseline that does the same work the usual way; results are compared first.
  --only NAMES  any of ${cases.map((one) => one.name).join(", ")}
  --full        more rounds, three times as long
  --json        one JSON object on stdout instead of tables
Progress goes to stderr. Aims are printed as met or missed and never fail; exit code 1 means that results differ.
example: npm run bench -- --only frame,sign`;

const rounds = 5;
const roundsFull = 15;

/** Runs the chosen benchmarks; resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const names = values.only?.split(",") ?? cases.map((one) => one.name);
  const unknown = names.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`bench: there is no ${unknown.join(", ")}\n\n${help}\n`);
    return 2;
  }
  const startedAt = performance.now();
  const facts = machineFacts();
  if (!values.json) process.stdout.write(headText(facts));
  const results: NamedResult[] = [];
  for (const one of cases.filter(({ name }) => names.includes(name))) {
    const paceBefore = machinePace();
    const caseAt = performance.now();
    const before = process.cpuUsage();
    const result = await one.run({
      rounds: values.full ? roundsFull : rounds,
      full: values.full,
      progress: (text) => process.stderr.write(`${seconds(startedAt)} ${text}\n`),
    });
    const { user, system } = process.cpuUsage(before);
    const tookMs = performance.now() - caseAt;
    const processorMs = (user + system) / 1_000;
    const pace = [paceBefore, machinePace()] as const;
    const named = { name: one.name, tookMs, processorMs, pace, ...result };
    results.push(named);
    if (!values.json) process.stdout.write(caseText(named));
  }
  const tookMs = performance.now() - startedAt;
  if (values.json) {
    const ratios = Object.assign({}, ...results.map((result) => result.ratios)) as object;
    process.stdout.write(`${JSON.stringify({ facts, tookMs, results, ratios })}\n`);
  } else process.stdout.write(closingText(results, tookMs));
  return 0;
}

function seconds(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)}s`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUse = error instanceof TypeError && "code" in error;
  const text = error instanceof Error ? (error.stack ?? error.message) : "unknown failure";
  process.stderr.write(`bench: ${isUse ? `${error.message}\n\n${help}` : text}\n`);
  process.exitCode = isUse ? 2 : 1;
}
