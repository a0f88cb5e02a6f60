import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { killFileIn, killFileName } from "../../../src/adapters/system/kill-file.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kill-file-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const path = () => join(dir, killFileName);

describe("a kill file", () => {
  test("that is not there is no kill; its words are the note, in one line of 200 characters", () => {
    const file = killFileIn(dir);
    expect(file.note()).toBeNull();
    expect(file.write("wrong prices")).toBe(true);
    expect(file.note()).toBe("wrong prices");
    writeFileSync(path(), `a\u001b[31m\nb\u202e${"x".repeat(5_000)}`);
    const note = file.note() ?? "";
    expect(note).toMatch(/^a \[31m b x+$/u);
    expect(note).toHaveLength(200);
  });

  test("that cannot be read kills all the same: empty, a folder, a link to elsewhere", () => {
    const file = killFileIn(dir);
    writeFileSync(path(), "");
    expect(file.note()).toBe("");
    rmSync(path());
    mkdirSync(path());
    expect(file.note()).toBe("");
    rmSync(path(), { recursive: true });
    writeFileSync(join(dir, "secret"), "a secret");
    symlinkSync(join(dir, "secret"), path());
    expect(file.note()).toBe("");
  });

  test("is told once each time it appears, the first look included, and is put aside once kept", async () => {
    const told: string[] = [];
    const file = killFileIn(dir);
    file.write("early");
    const end = file.watch((note) => told.push(note));
    expect(told).toEqual(["early"]);
    file.honoured();
    expect(existsSync(path())).toBe(false);
    await vi.waitFor(() => {
      if (file.note() === null) file.write("late");
      expect(told.length).toBeGreaterThan(1);
    });
    end();
    expect(told).toEqual(["early", "late"]);
  });

  test("in a folder that cannot be written is no file, and says so", () => {
    expect(killFileIn(join(dir, "gone")).write("x")).toBe(false);
  });
});
