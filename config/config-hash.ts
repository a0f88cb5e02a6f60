import { createHash } from "node:crypto";
import type { Config } from "./config.ts";
import { secretFields } from "./secrets.ts";

/** Left out by name, so that a missing secret and a set one give the same hash. */
const secretNames = new Set(secretFields);

/** SHA-256 (hex) of the configuration as canonical JSON, without secrets and without the file's own place: stands on every order. */
export function configHash(config: Config): string {
  const { file: _, ...settings } = config;
  return createHash("sha256").update(canonicalJson(settings)).digest("hex");
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([key, member]) => member !== undefined && !secretNames.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
