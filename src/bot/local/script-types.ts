// The actions of a chat script, one a line.
import type { ChatType } from "./emulator-types.ts";

/** What a line waits for: a pattern and, when the line says so, its own time in seconds. */
export interface Wanted {
  readonly pattern: RegExp;
  readonly seconds: number | null;
}

export type CodeChoice = "now" | "next" | "last";

export type FaultParams = Readonly<Record<string, unknown>>;

export type ScriptAction =
  | { readonly kind: "say"; readonly text: string }
  /** Says a one-time code: of this moment, of the next 30 seconds, or the one that was said last. */
  | { readonly kind: "code"; readonly which: CodeChoice; readonly before: string }
  | { readonly kind: "as"; readonly userId: number; readonly chatType: ChatType }
  | { readonly kind: "age"; readonly seconds: number }
  | { readonly kind: "sleep"; readonly seconds: number }
  | { readonly kind: "press"; readonly wanted: Wanted }
  | { readonly kind: "again" }
  | { readonly kind: "stale"; readonly wanted: Wanted }
  | { readonly kind: "expect"; readonly wanted: Wanted }
  | { readonly kind: "refute"; readonly wanted: Wanted }
  | { readonly kind: "count"; readonly times: number; readonly wanted: Wanted }
  | { readonly kind: "hold"; readonly slug: string; readonly hold: boolean }
  | { readonly kind: "move"; readonly slug: string; readonly ticks: number }
  | { readonly kind: "rules"; readonly slug: string; readonly description: string }
  | { readonly kind: "venue"; readonly path: string; readonly wanted: Wanted }
  | {
      readonly kind: "fault";
      readonly target: "venue" | "chat";
      readonly name: string;
      readonly params: FaultParams;
    }
  | { readonly kind: "crash"; readonly point: string }
  | { readonly kind: "restart" };

export interface ScriptLine {
  /** From 1. */
  readonly line: number;
  readonly source: string;
  readonly action: ScriptAction;
}

/** A line that is not in the language; a bad script ends with exit code 2. */
export class ScriptSyntaxError extends Error {
  override readonly name = "ScriptSyntaxError";
  readonly line: number;

  constructor(line: number, source: string, reason: string) {
    super(`line ${line}: ${reason}: ${source}`);
    this.line = line;
  }
}

/** An action or expectation that did not hold; exit code 1. */
export class ScriptFailure extends Error {
  override readonly name = "ScriptFailure";
}
