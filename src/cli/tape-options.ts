import { WatchError } from "./watch-markets.ts";

/** Local milliseconds of an option that names a time. @throws WatchError */
export function timeOption(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  if (/^\d{10,15}$/.test(text)) return Number(text);
  // Without a zone a text would mean another moment on another machine.
  const value = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw new WatchError(
    `--${name} must be a time such as 2026-09-24T12:00:00Z or milliseconds since 1970, was "${text}"`,
  );
}

/** Condition ids of an option, separated by commas. @throws WatchError */
export function marketsOption(text: string | undefined): ReadonlySet<string> | null {
  if (text === undefined) return null;
  const ids = text.split(",").map((id) => id.trim().toLowerCase());
  const wrong = ids.find((id) => !/^0x[0-9a-f]{64}$/.test(id));
  if (wrong === undefined) return new Set(ids);
  throw new WatchError(`--market must be condition ids (0x and 64 hex digits), was "${wrong}"`);
}
