import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { groupWritableFault, readOwnFile } from "../../config/own-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pitboss-own-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function secret(name = "secret"): string {
  const file = join(folder, name);
  writeFileSync(file, "canary", { mode: 0o600 });
  return file;
}

function git(...args: string[]): void {
  execFileSync("git", ["-C", folder, ...args], { stdio: "ignore" });
}

describe("a file with a secret (X1)", () => {
  test("is read when it is its owner's alone, 0600 or 0400, and null when there is none", () => {
    const file = secret();
    expect(readOwnFile(file)).toBe("canary");
    chmodSync(file, 0o400);
    expect(readOwnFile(file)).toBe("canary");
    expect(readOwnFile(join(folder, "none"))).toBeNull();
  });

  test.each([0o644, 0o640, 0o604, 0o700, 0o4600])("mode %o is refused with the repair", (mode) => {
    const file = secret();
    chmodSync(file, mode);
    expect(() => readOwnFile(file)).toThrow(/it must be 0600: type {2}chmod 600/);
  });

  test("a link, a folder in its place and a folder that everybody can write are refused", () => {
    symlinkSync(secret(), join(folder, "link"));
    expect(() => readOwnFile(join(folder, "link"))).toThrow("symbolic link");
    mkdirSync(join(folder, "dir"));
    expect(() => readOwnFile(join(folder, "dir"))).toThrow("not an ordinary file");
    chmodSync(folder, 0o777);
    expect(() => readOwnFile(secret())).toThrow(/everybody can write: type {2}chmod o-w/);
  });

  test("a folder that the group can write is named for real money", () => {
    expect(groupWritableFault(secret())).toBeNull();
    chmodSync(folder, 0o770);
    expect(groupWritableFault(secret())).toMatch(/its group can write: type {2}chmod g-w/);
  });

  // Index versions 2 and 4 store names differently.
  test.each(["2", "4"])(
    "tracked by git (index version %s) is refused, ignored is not",
    (version) => {
      git("init", "-q");
      git("config", "index.version", version);
      mkdirSync(join(folder, "config", "deep"), { recursive: true });
      for (const name of ["a", "config/b", "config/deep/c", "config/secret", "z".repeat(200)]) {
        secret(name);
      }
      expect(readOwnFile(join(folder, "config", "secret"))).toBe("canary");
      git("add", "a", "config/b", "config/deep/c", "z".repeat(200));
      expect(readOwnFile(join(folder, "config", "secret"))).toBe("canary");
      git("add", "config/secret");
      expect(() => readOwnFile(join(folder, "config", "secret"))).toThrow(
        /is tracked by git.*type {2}git rm --cached/,
      );
      expect(() => readOwnFile(join(folder, "config", "deep", "c"))).toThrow("is tracked by git");
    },
  );

  test("an index that cannot be read counts as tracking", () => {
    git("init", "-q");
    writeFileSync(join(folder, ".git", "index"), "DIRC????");
    expect(() => readOwnFile(secret())).toThrow("is tracked by git");
  });
});
