import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRunMarks, runMarksName } from "../../../src/adapters/system/run-marks.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "run-marks-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("counts starts that did not end in order, inside the window only; an end in order forgets them", () => {
  const windowMs = 300_000;
  openRunMarks(dir, 0);
  openRunMarks(dir, 100_000);
  openRunMarks(dir, 200_000);
  expect(openRunMarks(dir, 250_000).crashesWithin(windowMs)).toBe(3);
  const late = openRunMarks(dir, 400_000);
  expect(late.crashesWithin(windowMs)).toBe(2);
  late.ended();
  expect(openRunMarks(dir, 400_001).crashesWithin(windowMs)).toBe(0);
});

test("a damaged file counts nothing, and the file stays small", () => {
  writeFileSync(join(dir, runMarksName), "[1, 2");
  expect(openRunMarks(dir, 10).crashesWithin(1_000)).toBe(0);
  for (let run = 0; run < 100; run++) openRunMarks(dir, 20 + run);
  expect(openRunMarks(dir, 200).crashesWithin(1_000)).toBe(20);
  expect(openRunMarks(join(dir, "gone"), 10).crashesWithin(1_000)).toBe(0);
});
