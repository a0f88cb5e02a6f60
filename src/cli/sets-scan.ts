import { resolve } from "node:path";
import { noFee } from "../engine/domain/fees.ts";
import {
  formatShares,
  parseRate,
  parseShares,
  type Rate,
  type Shares,
} from "../engine/domain/numbers.ts";
import { formatDecimal } from "../engine/lib/decimal.ts";
import { costOfSet, type SetCost } from "../engine/strategies/complete-sets.ts";
import { exitDone, exitWrongUse, readArguments } from "./arguments.ts";
import { type RecordedSet, readRecordedSets, SetFileError } from "./complete-set-files.ts";

const help = `usage: pitboss sets-scan --size N [--data DIR] [--fee-rate R] [--json]

What N shares of YES in every outcome of an event cost, by walking the recorded asks: one of them will pay N dollars.
Figures are dollars for one dollar of payoff. An event is complete when it declares at least 3 outcomes and every one
of them fills the whole size.

  --size N       shares of each outcome
  --data DIR     folder with complete-sets/ (default PITBOSS_DATA, else ../shared/data)
  --fee-rate R   taker fee rate of all markets, e.g. 0.04 (default 0)
  --json         one object for programs

example: pitboss sets-scan --data ../shared/data --size 100 --fee-rate 0.04 --json`;

const minOutcomes = 3;
/** Recorded data beside the project. */
const usualData = new URL("../../../shared/data", import.meta.url).pathname;

type EventStatus = "complete" | "incomplete" | "too_few_outcomes";

type ScannedEvent = {
  readonly eventId: string;
  readonly title: string;
  readonly outcomes: number;
  readonly cost: string | null;
  readonly fee: string | null;
  readonly allIn: string | null;
  readonly status: EventStatus;
  readonly reason: string | null;
};

type Scan = {
  readonly size: string;
  readonly feeRate: string;
  readonly complete: number;
  readonly min: string | null;
  readonly median: string | null;
  readonly minAllIn: string | null;
  readonly events: readonly ScannedEvent[];
};

/** `pitboss sets-scan`: 0 done, 2 wrong use or unreadable data. */
export function setsScanCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(
    args,
    {
      data: { type: "string" },
      size: { type: "string" },
      "fee-rate": { type: "string" },
      json: { type: "boolean" },
    },
    help,
  );
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const size = parseShares(parsed.values.size ?? "");
  const rate = parseRate(parsed.values["fee-rate"] ?? "0");
  if (size === null || size === 0) return Promise.resolve(wrongUse("--size is a number of shares"));
  if (rate === null) return Promise.resolve(wrongUse("--fee-rate is between 0 and 1"));
  const dir = resolve(parsed.values.data ?? process.env["PITBOSS_DATA"] ?? usualData);
  try {
    const scan = scanSets(readRecordedSets(dir, { rate }), size, rate);
    process.stdout.write(parsed.values.json ? `${JSON.stringify(scan)}\n` : textOf(scan));
    return Promise.resolve(exitDone);
  } catch (error) {
    if (!(error instanceof SetFileError)) throw error;
    return Promise.resolve(wrongUse(error.message));
  }
}

function wrongUse(mistake: string): number {
  process.stderr.write(`sets-scan: ${mistake}\n${help}\n`);
  return exitWrongUse;
}

/** Money of a set as an exact fraction: micro-dollars times `feeScale`, so that fees need no rounding. */
type ExactCost = { readonly cost: bigint; readonly fee: bigint };

function scanSets(sets: readonly RecordedSet[], size: Shares, rate: Rate): Scan {
  // A fee is rate * C * (q - C) / q with the rate in millionths: over this denominator it is a whole number.
  const feeScale = BigInt(size) * 1_000_000n;
  const perShare = (value: bigint, decimals: number) =>
    rounded(value * 1_000_000n, feeScale * BigInt(size), decimals);
  const found: ExactCost[] = [];
  const events = sets.map((set): ScannedEvent => {
    const { eventId, title, outcomes } = set;
    const refusal = refusalOf(set);
    const walked =
      refusal === null
        ? costOfSet(
            set.legs.map((leg) => ({ ...leg, fee: noFee })),
            size,
          )
        : null;
    if (walked === null) {
      const status = outcomes < minOutcomes ? "too_few_outcomes" : "incomplete";
      const reason = refusal ?? "not every outcome has asks for the whole size";
      return { eventId, title, outcomes, cost: null, fee: null, allIn: null, status, reason };
    }
    const exact = exactCost(walked, feeScale, rate);
    found.push(exact);
    return {
      eventId,
      title,
      outcomes,
      cost: perShare(exact.cost, 6),
      fee: perShare(exact.fee, 6),
      allIn: perShare(exact.cost + exact.fee, 6),
      status: "complete",
      reason: null,
    };
  });
  const costs = found.map(({ cost }) => cost).sort(ascending);
  const allIn = found.map(({ cost, fee }) => cost + fee).sort(ascending);
  const [min] = costs;
  const [minAllIn] = allIn;
  const median = medianOf(costs);
  return {
    size: formatShares(size),
    feeRate: formatDecimal(rate, 6),
    complete: found.length,
    min: min === undefined ? null : perShare(min, 4),
    median: median === null ? null : perShare(median, 4),
    minAllIn: minAllIn === undefined ? null : perShare(minAllIn, 6),
    events: events.toSorted(byAllIn),
  };
}

function refusalOf({ outcomes, legs }: RecordedSet): string | null {
  if (outcomes < minOutcomes) return `${outcomes} outcomes, fewer than ${minOutcomes}`;
  const missing = outcomes - legs.length;
  return missing === 0 ? null : `${missing} of ${outcomes} outcomes have no book`;
}

function exactCost(set: SetCost, feeScale: bigint, rate: Rate): ExactCost {
  const q = BigInt(set.shares);
  let fee = 0n;
  for (const leg of set.legs) {
    const cost = BigInt(leg.money);
    fee += BigInt(rate) * cost * (q - cost);
  }
  return { cost: BigInt(set.cost) * feeScale, fee };
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function medianOf(sorted: readonly bigint[]): bigint | null {
  const upper = sorted[Math.floor(sorted.length / 2)];
  if (upper === undefined) return null;
  const lower = sorted.length % 2 === 1 ? upper : (sorted[sorted.length / 2 - 1] ?? upper);
  return (lower + upper) / 2n;
}

/** value / divisor with so many decimals, half up. */
function rounded(value: bigint, divisor: bigint, decimals: number): string {
  const scaled =
    (2n * value * 10n ** BigInt(decimals) + 1_000_000n * divisor) / (2n * 1_000_000n * divisor);
  const digits = scaled.toString().padStart(decimals + 1, "0");
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function byAllIn(a: ScannedEvent, b: ScannedEvent): number {
  if (a.allIn === null || b.allIn === null) {
    return a.allIn === b.allIn ? (a.eventId < b.eventId ? -1 : 1) : a.allIn === null ? 1 : -1;
  }
  return Number(a.allIn) - Number(b.allIn);
}

/** Control characters of recorded titles must not reach the terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?").slice(0, 60);
}

function textOf(scan: Scan): string {
  const lines = scan.events.map((event) => {
    const figures =
      event.allIn === null
        ? `${event.status}: ${event.reason ?? ""}`
        : `cost ${event.cost ?? ""} fee ${event.fee ?? ""} all in ${event.allIn}`;
    return `${printable(event.title).padEnd(60)} ${String(event.outcomes).padStart(3)} outcomes  ${figures}`;
  });
  const summary = `size ${scan.size}, fee rate ${scan.feeRate}: complete ${scan.complete}, minimum ${scan.min ?? "-"}, median ${scan.median ?? "-"}, minimum with fees ${scan.minAllIn ?? "-"}`;
  return `${[...lines, summary].join("\n")}\n`;
}
