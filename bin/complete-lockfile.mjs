#!/usr/bin/env node
// Adds to package-lock.json each optional dependency that an `npm install` on this platform left out; without
// them `npm ci` fails with "Missing: ... from lock file". Run it after every change of dependencies.
// usage: node bin/complete-lockfile.mjs [--check]   exit 0 complete, 1 something was missing
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./pinned-node.mjs";

const words = {
  os: ["darwin", "linux", "win32", "freebsd", "openbsd", "android", "sunos", "aix", "netbsd"],
  cpu: [
    "x64",
    "arm64",
    "arm",
    "ia32",
    "riscv64",
    "ppc64",
    "s390x",
    "loong64",
    "wasm32",
    "mips64el",
  ],
};

/** What some packages call the same processors. */
const otherNames = { ppc64: "ppc64le", x64: "amd64" };

/** The platform that a package name spells out, e.g. "@x/binding-linux-x64-gnu". */
function platformOf(name) {
  const parts = name.split(/[-/@]/);
  const os = words.os.filter(
    (word) => parts.includes(word) || (word === "win32" && parts.includes("windows")),
  );
  const cpu = words.cpu.filter(
    (word) => parts.includes(word) || parts.includes(otherNames[word] ?? word),
  );
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }) };
}

/** Names what one lockfile lacks, and adds it unless it is only checked. */
function complete(file) {
  const lock = JSON.parse(readFileSync(file, "utf8"));
  const packages = lock.packages;
  const missing = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const nested = path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`;
      if (packages[nested] !== undefined || packages[`node_modules/${name}`] !== undefined)
        continue;
      missing.push({ name, version: range.replace(/^[\^~]/, "") });
    }
  }
  for (const { name, version } of missing) {
    packages[`node_modules/${name}`] = { version, ...platformOf(name), optional: true };
  }
  if (missing.length > 0 && !process.argv.includes("--check")) {
    const sorted = Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1));
    lock.packages = Object.fromEntries(sorted);
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  }
  return missing.length;
}

const files = ["package-lock.json", "test/heavy/package-lock.json"];
const missing = files.reduce((sum, file) => sum + complete(join(projectRoot, file)), 0);
process.stdout.write(`${missing} optional packages were missing from the lockfiles\n`);
process.exitCode = process.argv.includes("--check") && missing > 0 ? 1 : 0;
