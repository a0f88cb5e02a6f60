import { pino } from "pino";
import type { Log, LogFields } from "../../engine/ports/system.ts";
import { type LogTarget, openLogSink } from "./log-file.ts";
import { createRedactor } from "./redaction.ts";

export type LoggerOptions = {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly target: LogTarget;
  /** Values that must never appear, in any form: keys, tokens, webhook secrets. */
  readonly secrets: readonly string[];
};

/** JSON lines: level, time (ISO 8601), event, the fields. Every secret is redacted on the way. */
export type Logger = Log & {
  debug(event: string, fields?: LogFields): void;
  /** An error line with a caught value of any kind under `error`. */
  failure(event: string, error: unknown, fields?: LogFields): void;
  /** Hides a value that became known at run time (derived API keys). */
  addSecret(secret: string): void;
  /** Writes out what is buffered and ends the log. */
  close(): Promise<void>;
};

export function createLogger(options: LoggerOptions): Logger {
  const redactor = createRedactor(options.secrets);
  const sink = openLogSink(options.target);
  const lines = pino(
    {
      level: options.level,
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(redactor.sink(line)) },
  );
  const write = (
    level: LoggerOptions["level"],
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ) => {
    if (!lines.isLevelEnabled(level)) return;
    const safe = Object.entries(redactor.field("", fields) as object).map(([name, value]) => [
      reserved.has(name) ? `${name}_` : name,
      value as unknown,
    ]);
    lines[level](Object.fromEntries(safe), String(redactor.field("", event)));
  };
  return {
    debug: (event, fields = {}) => write("debug", event, fields),
    info: (event, fields = {}) => write("info", event, fields),
    warn: (event, fields = {}) => write("warn", event, fields),
    error: (event, fields = {}) => write("error", event, fields),
    failure: (event, error, fields = {}) => write("error", event, { ...fields, error }),
    addSecret: redactor.addSecret,
    close: sink.close,
  };
}

/** Names the line itself uses; a field of that name would make the JSON ambiguous. */
const reserved = new Set(["level", "time", "event"]);
