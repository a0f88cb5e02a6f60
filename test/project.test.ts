import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");

describe("the project's own files", () => {
  test("every optional dependency is in the lockfile, or npm ci fails elsewhere", () => {
    const packages = JSON.parse(read("package-lock.json")).packages as Record<
      string,
      { optionalDependencies?: Record<string, string> }
    >;
    const missing: string[] = [];
    for (const [path, entry] of Object.entries(packages)) {
      for (const name of Object.keys(entry.optionalDependencies ?? {})) {
        const nested = path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`;
        if (!(nested in packages) && !(`node_modules/${name}` in packages)) missing.push(name);
      }
    }
    expect(missing, "run: node bin/complete-lockfile.mjs").toEqual([]);
    expect(Object.keys(packages).length).toBeGreaterThan(50);
  });

  test("the lockfile names no download host", () => {
    expect(read("package-lock.json")).not.toContain('"resolved"');
  });

  test("dependencies are pinned exactly and only one package may run an install script", () => {
    const manifest = JSON.parse(read("package.json")) as Record<string, Record<string, unknown>>;
    for (const group of ["dependencies", "devDependencies", "optionalDependencies"]) {
      for (const version of Object.values(manifest[group] ?? {})) {
        expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      }
    }
    const allowed = Object.entries(manifest["allowScripts"] ?? {}).filter(([, yes]) => yes);
    expect(allowed.map(([name]) => name)).toEqual(["node"]);
  });

  test("every package is known by its hash, none comes from git or an address, and each install script is decided on (X4)", () => {
    type Entry = {
      readonly version?: string;
      readonly integrity?: string;
      readonly optional?: boolean;
      readonly os?: readonly string[];
      readonly cpu?: readonly string[];
      readonly hasInstallScript?: boolean;
    };
    const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Entry> };
    const manifest = JSON.parse(read("package.json")) as { allowScripts: Record<string, boolean> };
    const faults: string[] = [];
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (path === "") continue;
      // Builds for other systems have no hash where the registry left them out; npm never fetches them here.
      const isForeign = entry.optional === true && (entry.os ?? entry.cpu) !== undefined;
      if (entry.integrity?.startsWith("sha512-") !== true && !isForeign)
        faults.push(`${path}: no hash`);
      if (!/^\d+\.\d+\.\d+/.test(entry.version ?? "")) faults.push(`${path}: no plain version`);
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      if (entry.hasInstallScript === true && !(name in manifest.allowScripts)) {
        faults.push(`${path}: an install script that nobody decided on`);
      }
    }
    expect(faults).toEqual([]);
  });
});
