// docs/faults.md stays true: every fault once, every named test there, no reason but those of the list.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expectedIds, notShown, readFaultTable } from "./fault-table.ts";

const root = new URL("../../", import.meta.url);
const table = readFaultTable();

describe("the table of faults", () => {
  test("has each of the 104 faults and 18 kill points once, in order", () => {
    expect(expectedIds.length).toBe(104 + 18);
    expect(table.rows.map(({ id }) => id)).toEqual(expectedIds);
  });

  test("every row names its test or one reason of the list, and every reason of the list is used", () => {
    const used = new Set<string>();
    for (const { id, tests, reason } of table.rows) {
      expect(tests.length > 0 !== (reason !== null), id).toBe(true);
      if (reason === null) continue;
      expect(table.reasons, id).toContain(reason);
      used.add(reason);
    }
    expect([...used].sort()).toEqual([...table.reasons].sort());
  });

  test("every named test is in its file", () => {
    const missing: string[] = [];
    for (const { id, tests } of table.rows) {
      for (const { file, words } of tests) {
        const path = new URL(file, root);
        const text =
          file.endsWith(".test.ts") && existsSync(path) ? readFileSync(path, "utf8") : "";
        // A title stands in quotes, or in the list of a test that is run for each entry.
        const quoted = [`"${words}`, `\`${words}`, `'${words}`].some((start) =>
          text.includes(start),
        );
        if (!quoted || words === "") missing.push(`${id}: ${file} > ${words}`);
      }
    }
    expect(missing).toEqual([]);
  });
});

describe("a run", () => {
  const row = (shownBy: string) => readFaultTable(`| N1 | a | b | ${shownBy} |`);
  const file = new URL("test/x.test.ts", root).pathname;
  const reported = (title: string, status: string) => [
    { name: file, assertionResults: [{ title, status }] },
  ];
  const named = row("`test/x.test.ts` › after %d ms it is %s (P3)");

  test("shows a named test that passed, whatever was filled in", () => {
    expect(notShown(named, reported("after 5 ms it is gone (P3)", "passed"))).toEqual([]);
  });

  test.each([
    ["failed", reported("after 5 ms it is gone (P3)", "failed"), "failed"],
    ["was skipped", reported("after 5 ms it is gone (P3)", "skipped"), "skipped"],
    ["is not there", reported("after 5 ms it is gone", "passed"), "did not run"],
    ["is in a file that did not run", [], "did not run"],
  ])("does not show one that %s", (_what, report, status) => {
    expect(notShown(named, report)).toMatchObject([{ id: "N1", status }]);
  });
});
