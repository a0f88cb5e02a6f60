import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** Exit codes of every command. */
export const exitDone = 0;
export const exitFailed = 1;
export const exitWrongUse = 2;
export const exitNotRunning = 3;

type Values<T extends ParseArgsOptionsConfig> = {
  readonly [K in keyof T]: T[K]["type"] extends "boolean" ? boolean : string | undefined;
};

export type CommandArguments<T extends ParseArgsOptionsConfig> =
  | { readonly ok: true; readonly values: Values<T>; readonly rest: readonly string[] }
  /** The command is over: help was shown, or the mistake was. */
  | { readonly ok: false; readonly exitCode: number };

/**
 * Reads a command's options; shows `help` for --help and for a mistake. `restMax` is how many plain arguments may
 * stand beside the options. Options that are absent are false or undefined.
 */
export function readArguments<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  help: string,
  restMax = 0,
): CommandArguments<T> {
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: restMax > 0,
      strict: true,
    });
    const values: Readonly<Record<string, unknown>> = parsed.values;
    const { positionals } = parsed;
    if (values["help"] === true) {
      process.stdout.write(`${help}\n`);
      return { ok: false, exitCode: exitDone };
    }
    if (positionals.length > restMax) {
      return wrongUse(`at most ${restMax} arguments are expected`, help);
    }
    const all = Object.entries(options).map(([name, { type }]) => [
      name,
      values[name] ?? (type === "boolean" ? false : undefined),
    ]);
    return { ok: true, values: Object.fromEntries(all) as Values<T>, rest: positionals };
  } catch (error) {
    return wrongUse(
      error instanceof Error ? error.message : "the arguments are not understood",
      help,
    );
  }
}

function wrongUse(
  mistake: string,
  help: string,
): { readonly ok: false; readonly exitCode: number } {
  process.stderr.write(`${mistake}\n${help}\n`);
  return { ok: false, exitCode: exitWrongUse };
}
