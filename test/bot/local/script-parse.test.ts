import { describe, expect, test } from "vitest";
import { parseScript, parseScriptLine } from "../../../src/bot/local/script-parse.ts";
import { ScriptSyntaxError } from "../../../src/bot/local/script-types.ts";

const wanted = (source: string, seconds: number | null = null) => ({
  pattern: new RegExp(source, "iu"),
  seconds,
});

describe("parseScriptLine", () => {
  const cases: readonly { line: string; action: unknown }[] = [
    { line: "", action: null },
    { line: "   # a comment", action: null },
    { line: "  /buy #1 yes $25  ", action: { kind: "say", text: "/buy #1 yes $25" } },
    { line: "!as 999", action: { kind: "as", userId: 999, chatType: "private" } },
    { line: "!as 999 group", action: { kind: "as", userId: 999, chatType: "group" } },
    { line: "!code now", action: { kind: "code", which: "now", before: "" } },
    { line: "!code next /resume", action: { kind: "code", which: "next", before: "/resume " } },
    { line: "!age 61", action: { kind: "age", seconds: 61 } },
    { line: "!age 90000.5", action: { kind: "age", seconds: 90_000.5 } },
    { line: "!sleep 0.2", action: { kind: "sleep", seconds: 0.2 } },
    { line: "!press ^Confirm", action: { kind: "press", wanted: wanted("^Confirm") } },
    {
      line: "!press /Confirm \\$25/ 8",
      action: { kind: "press", wanted: wanted("Confirm \\$25", 8) },
    },
    { line: "!again", action: { kind: "again" } },
    { line: "!stale Confirm", action: { kind: "stale", wanted: wanted("Confirm") } },
    { line: "!expect (?i)filled buy", action: { kind: "expect", wanted: wanted("filled buy") } },
    { line: "!expect /(?i)a|b/ 30", action: { kind: "expect", wanted: wanted("a|b", 30) } },
    { line: "!expect /a b/", action: { kind: "expect", wanted: wanted("a b") } },
    { line: "!expect /buy 5", action: { kind: "expect", wanted: wanted("/buy 5") } },
    { line: "!expect /a\\/b/ 2.5", action: { kind: "expect", wanted: wanted("a\\/b", 2.5) } },
    { line: "!refute UNKNOWN", action: { kind: "refute", wanted: wanted("UNKNOWN") } },
    { line: "!count 2 FILLED", action: { kind: "count", times: 2, wanted: wanted("FILLED") } },
    {
      line: "!count 0 /FILLED/ 1",
      action: { kind: "count", times: 0, wanted: wanted("FILLED", 1) },
    },
    { line: "!market fed-dec hold", action: { kind: "hold", slug: "fed-dec", hold: true } },
    { line: "!market fed-dec release", action: { kind: "hold", slug: "fed-dec", hold: false } },
    { line: "!market fed-dec move -3", action: { kind: "move", slug: "fed-dec", ticks: -3 } },
    {
      line: "!market fed-dec rules Pays on Friday.",
      action: { kind: "rules", slug: "fed-dec", description: "Pays on Friday." },
    },
    {
      line: '!venue GET /data/orders?market=1 /"data":\\[\\]/ 9',
      action: { kind: "venue", path: "/data/orders?market=1", wanted: wanted('"data":\\[\\]', 9) },
    },
    {
      line: "!fault venue drop-after method=POST path=^/order$ times=1 hard=true after=0.5",
      action: {
        kind: "fault",
        target: "venue",
        name: "drop-after",
        params: { method: "POST", path: "^/order$", times: 1, hard: true, after: 0.5 },
      },
    },
    {
      line: '!fault venue status code=500 body={"error":"x"}',
      action: {
        kind: "fault",
        target: "venue",
        name: "status",
        params: { code: 500, body: { error: "x" } },
      },
    },
    {
      line: "!fault chat too-many-requests retry_after=2",
      action: {
        kind: "fault",
        target: "chat",
        name: "too-many-requests",
        params: { retry_after: 2 },
      },
    },
    { line: "!crash K9", action: { kind: "crash", point: "K9" } },
    { line: "!crash K17", action: { kind: "crash", point: "K17" } },
    { line: "!crash now", action: { kind: "crash", point: "now" } },
    { line: "!restart", action: { kind: "restart" } },
  ];
  test.each(cases)("line: $line", ({ line, action }) => {
    expect(parseScriptLine(line, 1)).toEqual(action);
  });

  const bad: readonly { line: string; reason: string }[] = [
    { line: "!pres x", reason: 'unknown directive "!pres"' },
    { line: "!constructor", reason: "unknown directive" },
    { line: "! press x", reason: "unknown directive" },
    { line: "!as bob", reason: "usage: !as" },
    { line: "!as 1 channel", reason: "usage: !as" },
    { line: "!age -1", reason: "usage: !age" },
    { line: "!sleep soon", reason: "usage: !sleep" },
    { line: "!sleep 99999", reason: "usage: !sleep" },
    { line: "!press", reason: "usage: !press" },
    { line: "!press (", reason: "Unterminated group" },
    { line: "!expect /a/ 99999", reason: "at most" },
    { line: "!again twice", reason: "takes nothing" },
    { line: "!count x", reason: "usage: !count" },
    { line: "!market fed freeze", reason: "usage: !market" },
    { line: "!market fed move far", reason: "usage: !market" },
    { line: "!market fed rules", reason: "usage: !market" },
    { line: "!venue POST /x y", reason: "usage: !venue" },
    { line: "!venue GET x y", reason: "usage: !venue" },
    { line: "!fault disk full", reason: "usage: !fault" },
    { line: "!fault chat nonsense", reason: "unknown chat fault" },
    { line: "!fault venue delay ms", reason: "is not k=v" },
    { line: "!crash K18", reason: "usage: !crash" },
    { line: "!crash", reason: "usage: !crash" },
    { line: "!restart now", reason: "takes nothing" },
    { line: "!code 123456", reason: "usage: !code now|next|last" },
  ];
  test.each(bad)("error: $line", ({ line, reason }) => {
    expect(() => parseScriptLine(line, 7)).toThrow(ScriptSyntaxError);
    expect(() => parseScriptLine(line, 7)).toThrow(`line 7: `);
    expect(() => parseScriptLine(line, 7)).toThrow(reason);
  });
});

describe("parseScript", () => {
  test("keeps line numbers over comments and empty lines", () => {
    const lines = parseScript("# head\r\n\r\n/start\r\n!expect Desk\n");
    expect(lines.map(({ line, source }) => [line, source])).toEqual([
      [3, "/start"],
      [4, "!expect Desk"],
    ]);
  });

  test("error: names the bad line", () => {
    expect(() => parseScript("/start\n!expect (")).toThrow("line 2: ");
  });
});
