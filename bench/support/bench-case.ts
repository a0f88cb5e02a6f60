import type { Timing } from "./race.ts";

/** What a benchmark may use. */
export type BenchContext = {
  /** Measured rounds of each race, at least 5. */
  readonly rounds: number;
  readonly full: boolean;
  /** One line on stderr for whoever waits. */
  readonly progress: (text: string) => void;
};

/** One line of a table. */
export type Row = {
  readonly label: string;
  readonly timing: Timing;
  /** How many times faster than the baseline of its group; null where there is nothing to compare with. */
  readonly ratio: number | "baseline" | null;
};

/** A figure that the project aims for. Missing one is printed and never fails. */
export type Aim = { readonly what: string; readonly is: string; readonly met: boolean };

export type CaseResult = {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Plain lines below the table. */
  readonly notes: readonly string[];
  /** Named figures for the last line of the output; larger is better. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly aims: readonly Aim[];
};

export type BenchCase = {
  readonly name: string;
  readonly run: (context: BenchContext) => Promise<CaseResult>;
};

/** Rows of a race whose last contender is the baseline, and the ratio of the first one's median to it. */
export function rowsAgainst(
  group: string,
  timings: readonly Timing[],
): { readonly rows: readonly Row[]; readonly ratio: number } {
  const baseline = timings.at(-1);
  const first = timings[0];
  const ratioOf = (timing: Timing): number => (baseline?.medianNs ?? Number.NaN) / timing.medianNs;
  const rows = timings.map((timing) => ({
    label: group === "" ? timing.name : `${group}: ${timing.name}`,
    timing,
    ratio: timing === baseline ? ("baseline" as const) : ratioOf(timing),
  }));
  return { rows, ratio: first === undefined ? Number.NaN : ratioOf(first) };
}

/** "12.3 us": three digits with the unit that fits. */
export function durationText(ns: number): string {
  if (!(ns >= 1_000)) return `${ns.toPrecision(3)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} us`;
  if (ns < 1e9) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e9).toPrecision(3)} s`;
}

/** "12,300": a count with three digits of meaning. */
export function countText(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 2 });
}

/** An aim that a ratio reaches or not. */
export function ratioAim(what: string, is: number, wanted: number): Aim {
  return { what: `${what} >= ${countText(wanted)}x`, is: `${countText(is)}x`, met: is >= wanted };
}
