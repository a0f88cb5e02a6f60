// `node test/faults/shown-in-run.ts REPORT`: every test that docs/faults.md names ran and passed, by vitest's JSON report.
import { readFileSync } from "node:fs";
import { notShown, type ReportedFile, readFaultTable } from "./fault-table.ts";

type Report = { readonly testResults: readonly ReportedFile[] };

const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Report;
const table = readFaultTable();
const missing = notShown(table, report.testResults);
// A test that cannot run on this machine says so itself; that is no fault of the table.
const isSkipped = (status: string): boolean => status === "skipped" || status === "pending";
for (const { id, test, status } of missing) {
  process.stdout.write(`faults: ${id} ${status}: ${test.file} > ${test.words}\n`);
}
const failed = missing.filter(({ status }) => !isSkipped(status)).length;
const shown = table.rows.filter(({ reason }) => reason === null).length;
process.stdout.write(
  `faults: ${shown} of ${table.rows.length} rows name their test, ${missing.length} tests not shown by this run\n`,
);
process.exitCode = failed > 0 ? 1 : 0;
