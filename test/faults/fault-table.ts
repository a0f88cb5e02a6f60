// Reads docs/faults.md: which test shows which fault, and what a run says about these tests.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const tableFile = new URL("../../docs/faults.md", import.meta.url);
const root = new URL("../..", import.meta.url).pathname;

export type NamedTest = {
  /** Path below the project. */
  readonly file: string;
  /** Words of its title as they stand in the file; `%s` and `${…}` are filled in by the run. */
  readonly words: string;
};

export type FaultRow = {
  readonly id: string;
  readonly tests: readonly NamedTest[];
  /** Why there is no test, or null when there is one. */
  readonly reason: string | null;
};

export type FaultTable = {
  readonly rows: readonly FaultRow[];
  /** The closed list of reasons. */
  readonly reasons: readonly string[];
};

/** The 18 kill points and 104 faults, in order. */
export const expectedIds: readonly string[] = [
  ...idsOf("K", 0, 17),
  ...idsOf("N", 1, 15),
  ...idsOf("V", 1, 30),
  ...idsOf("S", 1, 10),
  ...idsOf("C", 1, 5),
  ...idsOf("H", 1, 10),
  ...idsOf("E", 1, 6),
  ...idsOf("T", 1, 13),
  ...idsOf("O", 1, 8),
  ...idsOf("X", 1, 7),
];

function idsOf(letter: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `${letter}${from + i}`);
}

/** Parses the document; `text` replaces it in tests. */
export function readFaultTable(text = readFileSync(tableFile, "utf8")): FaultTable {
  const lines = text.split("\n");
  const reasons = lines.flatMap((line) => /^\* (.+)$/u.exec(line)?.[1] ?? []);
  const rows = lines.flatMap((line) => {
    const cells = /^\| ([A-Z]\d+) \|.*\| ([^|]+) \|$/u.exec(line);
    return cells === null ? [] : [rowOf(cells[1] ?? "", cells[2] ?? "")];
  });
  return { rows, reasons };
}

function rowOf(id: string, shownBy: string): FaultRow {
  const reason = /^not shown: (.+)$/u.exec(shownBy)?.[1] ?? null;
  const tests = reason === null ? shownBy.split("<br>").map(namedTest) : [];
  return { id, tests, reason };
}

function namedTest(text: string): NamedTest {
  const [, file = "", words = ""] = /^`([^`]+)` › (.+)$/u.exec(text) ?? [];
  return { file, words };
}

/** One file of vitest's JSON report. */
export type ReportedFile = {
  readonly name: string;
  readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
};

/** Named tests that a run does not show as passed, each with what it shows instead. */
export function notShown(
  table: FaultTable,
  report: readonly ReportedFile[],
): readonly { readonly id: string; readonly test: NamedTest; readonly status: string }[] {
  const byFile = new Map(report.map((one) => [relative(root, one.name), one.assertionResults]));
  return table.rows.flatMap(({ id, tests }) =>
    tests.flatMap((test) => {
      const pattern = patternOf(test.words);
      const hits = (byFile.get(test.file) ?? []).filter(({ title }) => pattern.test(title));
      if (hits.length === 0) return [{ id, test, status: "did not run" }];
      const bad = hits.find(({ status }) => status !== "passed");
      return bad === undefined ? [] : [{ id, test, status: bad.status }];
    }),
  );
}

/** The words anywhere in a title, with anything where a run fills something in. */
function patternOf(words: string): RegExp {
  const parts = words.split(/%[sdijo]|%\.\d+s|\$\{[^}]*\}/u);
  return new RegExp(parts.map(escaped).join(".*"), "su");
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`);
}
