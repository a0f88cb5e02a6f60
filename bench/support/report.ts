import { type CaseResult, countText, durationText, type Row } from "./bench-case.ts";
import type { MachineFacts } from "./machine.ts";

/** The machine, on top of everything. */
export function headText(facts: MachineFacts): string {
  return [
    `node ${facts.node} (V8 ${facts.v8}), ${facts.cores} cores of ${facts.cpu}, ${facts.memoryGib} GiB`,
    `${facts.system}, state on ${facts.stateFileSystem}, load ${facts.load.toFixed(2)}, ${facts.at}`,
    "Medians are medians of the rounds' medians (lowest and highest beside them), p99 is over all operations;",
    "x is the baseline's median divided by the row's.",
    "",
  ].join("\n");
}

const header = ["", "median", "lowest", "highest", "p99", "a second", "x"] as const;

/** One benchmark as a table, its notes and its aims. */
export function caseText({ title, rows, notes, aims, pace }: NamedResult): string {
  const times = pace.map((one) => one.toFixed(2)).join(" and ");
  const lines = [
    "",
    title,
    `  just before and after, JSON.parse took ${times} times what it takes on the machine of performance.md`,
  ];
  if (rows.length > 0) lines.push(...tableLines([header, ...rows.map(cells)]));
  lines.push(...notes.map((note) => `  ${note}`));
  lines.push(
    ...aims.map(({ what, is, met }) => `  aim ${met ? "met   " : "missed"} ${what}: ${is}`),
  );
  return `${lines.join("\n")}\n`;
}

function cells({ label, timing, ratio }: Row): readonly string[] {
  return [
    label,
    durationText(timing.medianNs),
    durationText(timing.lowestNs),
    durationText(timing.highestNs),
    durationText(timing.p99Ns),
    countText(timing.perSecond),
    typeof ratio === "number" ? ratio.toPrecision(3) : (ratio ?? ""),
  ];
}

function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) => {
    const texts = widths.map((width, column) => {
      const text = row[column] ?? "";
      return column === 0 ? text.padEnd(width) : text.padStart(width);
    });
    return `  ${texts.join("  ")}`;
  });
}

/** What one benchmark found, and what it took: wall time, and processor time of all threads of this process. */
export type NamedResult = CaseResult & {
  readonly name: string;
  readonly tookMs: number;
  readonly processorMs: number;
  /** Of the machine, before and after. */
  readonly pace: readonly [number, number];
};

/** Time by benchmark, aims in one count, and the last line: every ratio by name. */
export function closingText(results: readonly NamedResult[], tookMs: number): string {
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const times = results.map(
    (one) => `${one.name} ${seconds(one.tookMs)} (${seconds(one.processorMs)})`,
  );
  const aims = results.flatMap((result) => result.aims);
  const met = aims.filter((aim) => aim.met).length;
  const ratios = results
    .flatMap((result) => Object.entries(result.ratios))
    .map(([name, value]) => `${name}=${Number(value.toPrecision(3))}`);
  return [
    "",
    `seconds by benchmark, in brackets those of the processor: ${times.join(", ")}`,
    `aims met ${met} of ${aims.length}, took ${(tookMs / 1_000).toFixed(0)} s`,
    `ratios ${ratios.join(" ")}`,
    "",
  ].join("\n");
}
