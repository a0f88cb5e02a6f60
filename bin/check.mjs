#!/usr/bin/env node
// Everything that must hold, in one command: format, lint, types, unused code, tests, then the count line.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findNode, missingNode, projectRoot, withCompileCache } from "./pinned-node.mjs";

const help = `usage: npm run check [-- [--fix-format] [--only STEP[,STEP]] [TEST-FILE...]]
steps: format lint types unused test
example: npm run check -- --only types,test test/engine`;

const node = findNode();
if (node === null) {
  process.stderr.write(`${missingNode}\n`);
  process.exit(2);
}
const args = process.argv.slice(2);
if (args.includes("--help")) {
  process.stdout.write(`${help}\n`);
  process.exit(0);
}
const bin = (pkg, file) => join(projectRoot, "node_modules", pkg, file);
const reportFile = join(projectRoot, ".cache", "vitest.json");
const fixFormat = args.includes("--fix-format");
const onlyAt = args.indexOf("--only");
const only = onlyAt >= 0 ? (args[onlyAt + 1] ?? "").split(",") : null;
const testFiles = args.filter(
  (arg, i) => !arg.startsWith("--") && (onlyAt < 0 || i !== onlyAt + 1),
);

const steps = {
  format: [bin("@biomejs/biome", "bin/biome"), "check", ...(fixFormat ? ["--write"] : []), "."],
  lint: [bin("oxlint", "bin/oxlint"), "--type-aware", "--deny-warnings", "."],
  types: [bin("typescript", "bin/tsc"), "-b"],
  unused: [bin("knip", "bin/knip.js"), "--no-progress"],
  test: [
    bin("vitest", "vitest.mjs"),
    "run",
    "-c",
    "test/vitest.config.ts",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...testFiles,
  ],
};

/**
 * The EVM, the compiler and the database server of some tests have a lockfile of their own, so that a trader's install stays small.
 * They are installed once for each lockfile; without them the tests fail loudly instead of being left out.
 */
function installHeavyParts() {
  const folder = join(projectRoot, "test", "heavy");
  const lock = readFileSync(join(folder, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules", ".installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return true;
  process.stdout.write(
    "── heavy test parts: installing an EVM, a Solidity compiler and a PostgreSQL server (115 MB, once)\n",
  );
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const result = spawnSync(npm, args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  if (result.status === 0) {
    writeFileSync(stamp, wanted);
    return true;
  }
  process.stderr.write(
    "── heavy test parts COULD NOT BE INSTALLED: the package registry did not give them. The tests of contract calls and of PostgreSQL cannot run, so this check fails. Try again with the registry in reach.\n",
  );
  return false;
}

/** Only runs that touch those tests need them. */
function needsHeavyParts() {
  return (
    testFiles.length === 0 ||
    testFiles.some((file) => "test/heavy".startsWith(file) || file.includes("heavy"))
  );
}

mkdirSync(join(projectRoot, ".cache"), { recursive: true });
rmSync(reportFile, { force: true });
const chosen = fixFormat ? ["format"] : (only ?? Object.keys(steps));
let failed = false;
for (const name of chosen) {
  const command = steps[name];
  if (command === undefined) {
    process.stderr.write(`check: unknown step "${name}"\n${help}\n`);
    process.exit(2);
  }
  if (name === "test" && needsHeavyParts() && !installHeavyParts()) {
    failed = true;
    break;
  }
  const startedAt = Date.now();
  process.stdout.write(`── ${name}\n`);
  // The services that tests start inherit it.
  const env = withCompileCache(process.env);
  const result = spawnSync(node, command, { cwd: projectRoot, stdio: "inherit", env });
  const ok = result.status === 0;
  process.stdout.write(`── ${name} ${ok ? "ok" : "FAILED"} (${Date.now() - startedAt} ms)\n`);
  if (!ok) {
    failed = true;
    break;
  }
}
// The table of faults names tests; only a whole run can show that each of them ran.
if (chosen.includes("test") && testFiles.length === 0 && !failed) {
  const shown = [join(projectRoot, "test/faults/shown-in-run.ts"), reportFile];
  const result = spawnSync(node, shown, { cwd: projectRoot, stdio: "inherit" });
  if (result.status !== 0) failed = true;
}
if (chosen.includes("test")) {
  try {
    const report = JSON.parse(readFileSync(reportFile, "utf8"));
    const failures = Math.max(report.numFailedTests, report.success && !failed ? 0 : 1);
    process.stdout.write(`${report.numPassedTests} passed, ${failures} failed\n`);
  } catch {
    process.stdout.write("0 passed, 1 failed\n");
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
