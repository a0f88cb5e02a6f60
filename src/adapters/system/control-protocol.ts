/** What can be asked over the control socket: one JSON line in, one JSON line out. */
export type ControlVerb = "status" | "report" | "metrics" | "health" | "kill";

const verbs: readonly ControlVerb[] = ["status", "report", "metrics", "health", "kill"];

export type ControlRequest = {
  readonly v: 1;
  readonly do: ControlVerb;
  /** Why, for a kill; at most 200 characters. */
  readonly note?: string;
};

/** `ok: false` carries a code and a sentence; `ok: true` whatever the request's handler says. */
export type ControlAnswer =
  | { readonly ok: false; readonly error: string; readonly message: string }
  | ({ readonly ok: true } & Readonly<Record<string, unknown>>);

export const controlSocketName = "control.sock";
/** Characters of one request line. */
export const requestCharsMax = 4096;
/** Characters of one answer line. */
export const answerCharsMax = 4_000_000;
export const noteCharsMax = 200;

/** Reads one request line; a sentence says what is wrong with it. */
export function parseControlRequest(line: string): ControlRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "the request is not JSON";
  }
  if (typeof value !== "object" || value === null) return "the request is not an object";
  const { v, do: verb, note } = value as Record<string, unknown>;
  if (v !== 1) return "v must be 1";
  const known = verbs.find((one) => one === verb);
  if (known === undefined) return `do must be one of ${verbs.join(", ")}`;
  if (note === undefined) return { v, do: known };
  if (typeof note !== "string" || note.length > noteCharsMax)
    return `note must be text of at most ${noteCharsMax} characters`;
  return { v, do: known, note };
}
