// The desk as its users use it: every script of test/scripts, by polling and by webhook.
import { describe, expect, test } from "vitest";
import { optionsOf } from "../../src/cli/tgbot-run-local.ts";
import type { Transport } from "./script-program.ts";
import { runScriptFile, scriptNames } from "./script-program.ts";
import { Slots } from "./slots.ts";

/** Time of all scripts together, because those that wait for a slot count it as theirs. */
const allMs = 600_000;

const names = scriptNames();
const transports: readonly Transport[] = ["poll", "webhook"];
const slots = new Slots(2);

describe.each(transports)("scripts by %s", (transport) => {
  test.concurrent.each(names)("%s", { timeout: allMs }, async (name) => {
    const { code, report } = await slots.run(() => runScriptFile(name, transport));
    expect(code, report).toBe(0);
  });
});

test("there are scripts, and their options are read from their heads", () => {
  expect(names).toContain("kill-and-resume");
  const head = "# option: --still\n# option: --set telegram.confirm_ttl_seconds=5\n/start\n";
  expect(optionsOf(head)).toEqual(["--still", "--set", "telegram.confirm_ttl_seconds=5"]);
});
