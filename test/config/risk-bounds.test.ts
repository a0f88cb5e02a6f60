import { describe, expect, test } from "vitest";
import { keysAt } from "../../config/faults.ts";
import { configSchema } from "../../config/schema.ts";
import { desk, faultsOf } from "./support.ts";

const keys = keysAt(configSchema, ["risk"]);
const noNumbers = [
  "nan",
  "inf",
  "-inf",
  "-1",
  "1e400",
  '"0x10"',
  '"1e3"',
  '"ten"',
  '""',
  "true",
  "[1]",
];

describe("every limit of [risk]", () => {
  test("is looked at here", () => {
    expect(keys.length).toBeGreaterThan(25);
  });

  test.each(keys)("%s takes no value that is not a number within its bounds", (key) => {
    for (const value of noNumbers) {
      const faults = faultsOf(desk(`[risk]\n${key} = ${value}\n`));
      expect(faults.length, `${key} = ${value}`).toBeGreaterThan(0);
    }
  });
});
