// Parses the script language of `tgbot-run-local` (docs: `--help`). Pure: text in, actions or one typed error out.
import { faultNames } from "./emulator-faults.ts";
import type { FaultParams, ScriptAction, ScriptLine, Wanted } from "./script-types.ts";
import { ScriptSyntaxError } from "./script-types.ts";

const linesMax = 10_000;
const secondsMax = 3_600;

/** All actions of a script. Throws `ScriptSyntaxError` for the first bad line. */
export function parseScript(text: string): readonly ScriptLine[] {
  const sources = text.split(/\r?\n/);
  if (sources.length > linesMax) {
    throw new ScriptSyntaxError(linesMax, "", `a script has at most ${linesMax} lines`);
  }
  return sources.flatMap((raw, index) => {
    const action = parseScriptLine(raw, index + 1);
    return action === null ? [] : [{ line: index + 1, source: raw.trim(), action }];
  });
}

/** The action of one line, or null for an empty line and a comment. */
export function parseScriptLine(raw: string, line: number): ScriptAction | null {
  const source = raw.trim();
  if (source === "" || source.startsWith("#")) return null;
  if (!source.startsWith("!")) return { kind: "say", text: source };
  const [, name = "", rest = ""] = /^!(\S*)\s*([\s\S]*)$/.exec(source) ?? [];
  const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  const refuse = (reason: string): never => {
    throw new ScriptSyntaxError(line, source, reason);
  };
  if (parser === undefined) return refuse(`unknown directive "!${name}"`);
  try {
    return parser(rest.trim());
  } catch (error) {
    if (error instanceof BadLine) return refuse(error.message);
    throw error;
  }
}

/** What is wrong with a line, before its number is known. */
class BadLine extends Error {
  override readonly name = "BadLine";
}

type LineParser = (rest: string) => ScriptAction;

const codeUsage = "!code now|next|last [WORDS BEFORE IT]";

function parseCode(rest: string): ScriptAction {
  const match = /^(now|next|last)(?:\s+(.+))?$/.exec(rest);
  if (match === null) throw new BadLine(`usage: ${codeUsage}`);
  const which = match[1] === "next" ? "next" : match[1] === "last" ? "last" : "now";
  return { kind: "code", which, before: match[2] === undefined ? "" : `${match[2]} ` };
}

const parsers: Readonly<Record<string, LineParser>> = {
  as: parseAs,
  code: parseCode,
  age: (rest) => ({ kind: "age", seconds: parseSeconds(rest, "!age SECONDS") }),
  sleep: (rest) => ({ kind: "sleep", seconds: parseSeconds(rest, "!sleep SECONDS") }),
  press: (rest) => ({ kind: "press", wanted: parseWanted(rest, "!press REGEX") }),
  again: (rest) => bare(rest, "!again", { kind: "again" }),
  stale: (rest) => ({ kind: "stale", wanted: parseWanted(rest, "!stale REGEX") }),
  expect: (rest) => ({ kind: "expect", wanted: parseWanted(rest, "!expect REGEX") }),
  refute: (rest) => ({ kind: "refute", wanted: parseWanted(rest, "!refute REGEX") }),
  count: parseCount,
  market: parseMarket,
  venue: parseVenue,
  fault: parseFault,
  crash: parseCrash,
  restart: (rest) => bare(rest, "!restart", { kind: "restart" }),
};

function bare(rest: string, usage: string, action: ScriptAction): ScriptAction {
  if (rest !== "") throw new BadLine(`${usage} takes nothing after it`);
  return action;
}

function parseAs(rest: string): ScriptAction {
  const match = /^(\d{1,15})(?:\s+(private|group))?$/.exec(rest);
  if (match === null) throw new BadLine("usage: !as ID [private|group]");
  return {
    kind: "as",
    userId: Number(match[1]),
    chatType: match[2] === "group" ? "group" : "private",
  };
}

function parseSeconds(rest: string, usage: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(rest) ? Number(rest) : Number.NaN;
  const max = usage.startsWith("!age") ? Number.MAX_SAFE_INTEGER : secondsMax;
  if (!(seconds >= 0 && seconds <= max)) throw new BadLine(`usage: ${usage}`);
  return seconds;
}

function parseCount(rest: string): ScriptAction {
  const match = /^(\d{1,4})\s+([\s\S]+)$/.exec(rest);
  if (match === null) throw new BadLine("usage: !count N REGEX");
  const wanted = parseWanted(match[2] ?? "", "!count N REGEX");
  return { kind: "count", times: Number(match[1]), wanted };
}

function parseMarket(rest: string): ScriptAction {
  const match = /^(\S+)\s+(?:(hold|release)|move\s+([+-]?\d{1,4})|rules\s+(\S[\s\S]{0,999}))$/.exec(
    rest,
  );
  if (match === null)
    throw new BadLine("usage: !market SLUG hold|release|move TICKS|rules NEW TEXT");
  const slug = match[1] ?? "";
  if (match[3] !== undefined) return { kind: "move", slug, ticks: Number(match[3]) };
  if (match[4] !== undefined) return { kind: "rules", slug, description: match[4] };
  return { kind: "hold", slug, hold: match[2] === "hold" };
}

function parseVenue(rest: string): ScriptAction {
  const match = /^GET\s+(\/\S*)\s+([\s\S]+)$/.exec(rest);
  if (match === null) throw new BadLine("usage: !venue GET /path REGEX");
  const wanted = parseWanted(match[2] ?? "", "!venue GET /path REGEX");
  return { kind: "venue", path: match[1] ?? "/", wanted };
}

function parseFault(rest: string): ScriptAction {
  const [target, name, ...pairs] = rest.split(/\s+/);
  if ((target !== "venue" && target !== "chat") || name === undefined) {
    throw new BadLine("usage: !fault venue|chat NAME k=v…");
  }
  if (target === "chat" && !faultNames.some((known) => known === name)) {
    throw new BadLine(`unknown chat fault "${name}", known: ${faultNames.join(", ")}`);
  }
  return { kind: "fault", target, name, params: parsePairs(pairs) };
}

function parsePairs(pairs: readonly string[]): FaultParams {
  const params: Record<string, unknown> = {};
  for (const pair of pairs) {
    const match = /^(\w+)=(.*)$/.exec(pair);
    if (match === null) throw new BadLine(`"${pair}" is not k=v`);
    params[match[1] ?? ""] = parseValue(match[2] ?? "");
  }
  return params;
}

/** Numbers, booleans and JSON are what they look like; everything else is text. */
function parseValue(text: string): unknown {
  if (!/^(-?\d+(\.\d+)?|true|false|null|[[{"].*)$/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function parseCrash(rest: string): ScriptAction {
  if (!/^(now|K(\d|1[0-7]))$/.test(rest)) throw new BadLine("usage: !crash K0…K17 or !crash now");
  return { kind: "crash", point: rest };
}

/** A pattern with flags `iu`: `/…/` or `/…/ SECONDS`, else the whole rest of the line. */
function parseWanted(rest: string, usage: string): Wanted {
  if (rest === "") throw new BadLine(`usage: ${usage}`);
  const slashed = /^\/([\s\S]+)\/(?:\s+(\d+(?:\.\d+)?))?$/.exec(rest);
  const text = (slashed?.[1] ?? rest).replace(/^\(\?i\)/, "");
  const seconds = slashed?.[2] === undefined ? null : Number(slashed[2]);
  if (seconds !== null && seconds > secondsMax) throw new BadLine(`at most ${secondsMax} seconds`);
  try {
    return { pattern: new RegExp(text, "iu"), seconds };
  } catch (error) {
    throw new BadLine(error instanceof Error ? error.message : String(error));
  }
}
