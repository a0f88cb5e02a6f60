// Turns what the parser and the schema found into sentences for the person who wrote the file.
import { TomlError } from "smol-toml";
import { z } from "zod";

const distanceMax = 3;
const keyCharsMax = 80;

/** A syntax fault with its place. The line itself is not repeated: it may hold a key or a token. */
export function tomlFault(file: string, error: unknown): string {
  if (!(error instanceof TomlError)) return `${file}: cannot be read as TOML`;
  const reason = (error.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
  return `${file}: line ${error.line}, column ${error.column} is not TOML: ${reason}`;
}

/** One sentence for each fault: file, key path, what stands there and what to write instead. */
export function schemaFaults(
  file: string,
  schema: z.ZodType,
  error: z.ZodError,
  secretKeys: readonly string[],
): string[] {
  return error.issues.flatMap((issue): string[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const path = pathText([...issue.path, key]);
        return `${file}: ${path} ${secretKeys.includes(path) ? misplacedSecret : unknownKey(schema, issue.path, key)}`;
      });
    }
    const path = pathText(issue.path);
    if (issue.code === "custom") return [`${file}: ${path} ${issue.message}`];
    if (issue.code === "invalid_type") {
      const wanted =
        issue.expected === "array" ? `[[${path}]] for each entry` : `[${path}] as a table`;
      return [`${file}: ${path} is not a table: write ${wanted}`];
    }
    return [`${file}: ${path} ${issue.message}`];
  });
}

const misplacedSecret =
  "is a secret and must not stand here: move it into secrets.local.toml beside this file (mode 0600)";

function unknownKey(schema: z.ZodType, path: readonly PropertyKey[], key: string): string {
  const known = keysAt(schema, path);
  const near = known
    .map((name) => ({ name, distance: editDistance(key, name) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near !== undefined && near.distance <= distanceMax)
    return `is not a known key: did you mean ${near.name}?`;
  return `is not a known key: remove it (known here: ${known.join(", ")})`;
}

/** "market[2].slug", counted from 1 as people do. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part + 1}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "")
    .slice(0, keyCharsMax * 2);
}

/** Names of the keys of the table at a path. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at = bare(schema);
  for (const part of path) {
    if (at instanceof z.ZodArray && typeof part === "number") at = bare(at.element as z.ZodType);
    else if (at instanceof z.ZodObject) at = bare(at.shape[String(part)] as z.ZodType);
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}

/** The schema without its default. */
function bare(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? bare(schema.unwrap() as z.ZodType)
    : schema;
}

/** Letters to add, drop or change (Levenshtein); keys are cut to a bound first. */
function editDistance(a: string, b: string): number {
  const left = a.slice(0, keyCharsMax);
  const right = b.slice(0, keyCharsMax);
  let row = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const change = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
