// Building blocks of the schema: each reads one TOML value and says in plain words what to write instead.
import { z } from "zod";
import {
  formatShares,
  formatUsd,
  parseShares,
  parseUsd,
  type Shares,
  sharesOne,
  type Usd,
} from "../src/engine/domain/numbers.ts";
import { assert } from "../src/engine/lib/assert.ts";
import { err, ok, type Result } from "../src/engine/lib/result.ts";

const shownCharsMax = 60;

type Read<T> = (value: unknown) => Result<T, string>;

/** A required key. */
function required<T>(read: Read<T>) {
  return z.unknown().transform((value, context): T => {
    const reading = read(value);
    if (reading.ok) return reading.value;
    context.addIssue({ code: "custom", message: reading.error });
    return z.NEVER;
  });
}

/** What a fault says about the value that stands there now. */
export function shown(value: unknown): string {
  if (value === undefined) return "is missing";
  const text =
    JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)) ??
    typeof value;
  return `was ${text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text}`;
}

function refuse(value: unknown, wanted: string): Result<never, string> {
  return err(`${shown(value)}: write ${wanted}`);
}

/** A whole number within bounds, both included. */
export function whole(min: number, max: number, fallback: number) {
  return required((value) => {
    const fits =
      typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
    return fits ? ok(value) : refuse(value, `a whole number from ${min} to ${max}`);
  }).default(fallback);
}

/** The decimal text of a TOML number or string. A number's shortest text is the one that was written, so no float arithmetic happens. */
function decimalText(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : null;
}

/** Dollars, written as a number or as text; comes out in micro-dollars. Bounds are whole cents of `minUsd` and dollars of `maxUsd` as text. */
export function usdBetween(minUsd: string, maxUsd: string, fallbackUsd: string) {
  const min = parsedUsd(minUsd);
  const max = parsedUsd(maxUsd);
  return required<Usd>((value) => {
    const text = decimalText(value);
    const money = text === null ? null : parseUsd(text);
    if (money !== null && money >= min && money <= max) return ok(money);
    const wanted = `dollars from ${formatUsd(min)} to ${formatUsd(max)}, at most 6 decimals, such as ${fallbackUsd}`;
    return refuse(value, wanted);
  }).default(parsedUsd(fallbackUsd));
}

/** Shares, written as a number or as text; comes out in micro-shares. */
export function sharesBetween(minShares: number, maxShares: number, fallbackShares: number) {
  const min = (minShares * sharesOne) as Shares;
  const max = (maxShares * sharesOne) as Shares;
  return required<Shares>((value) => {
    const text = decimalText(value);
    const size = text === null ? null : parseShares(text);
    if (size !== null && size >= min && size <= max) return ok(size);
    return refuse(value, `shares from ${formatShares(min)} to ${formatShares(max)}`);
  }).default((fallbackShares * sharesOne) as Shares);
}

/** One of a few numbers. */
export function wholeOneOf<const T extends number>(choices: readonly T[], fallback: NoInfer<T>) {
  return required<T>((value) => {
    const found = choices.find((one) => one === value);
    return found === undefined ? refuse(value, choices.join(" or ")) : ok(found);
  }).default(fallback as never);
}

export function flag(fallback: boolean) {
  return required((value) =>
    typeof value === "boolean" ? ok(value) : refuse(value, "true or false"),
  ).default(fallback);
}

export function choice<const T extends string>(choices: readonly T[], fallback: T) {
  return required((value) => {
    const found = choices.find((one) => one === value);
    return found === undefined
      ? refuse(value, choices.map((one) => `"${one}"`).join(" or "))
      : ok(found);
  }).default(fallback as never);
}

/** Text that matches a pattern; `wanted` says what it looks like, with an example. */
function textLike(pattern: RegExp, wanted: string): Read<string> {
  return (value) =>
    typeof value === "string" && pattern.test(value) ? ok(value) : refuse(value, wanted);
}

export function text(pattern: RegExp, wanted: string, fallback: string) {
  return required(textLike(pattern, wanted)).default(fallback);
}

/** As `text`, null when the key is absent. */
export function optionalText(pattern: RegExp, wanted: string) {
  return required<string | null>(textLike(pattern, wanted)).default(null);
}

type Scheme = "http" | "https" | "ws" | "wss";

function urlLike(schemes: readonly Scheme[]): Read<string> {
  const starts = schemes.map((one) => `${one}://`).join(" or ");
  const wanted = `a URL that starts with ${starts}, without user, query and final slash`;
  return (value) => {
    const url = typeof value === "string" ? URL.parse(value) : null;
    const plain =
      url !== null &&
      schemes.some((scheme) => url.protocol === `${scheme}:`) &&
      url.username === "" &&
      url.password === "" &&
      url.search === "" &&
      url.hash === "" &&
      !String(value).endsWith("/");
    return plain ? ok(String(value)) : refuse(value, wanted);
  };
}

export function url(schemes: readonly Scheme[], fallback: string) {
  return required(urlLike(schemes)).default(fallback);
}

/** As `url`, null when the key is absent. */
export function optionalUrl(schemes: readonly Scheme[]) {
  return required<string | null>(urlLike(schemes)).default(null);
}

/** host:port to listen on; only this machine unless the key says otherwise. */
export function listenAddress(fallback: string) {
  const pattern = /^(127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0|\[::\]):(\d{1,5})$/;
  return required<string>((value) => {
    const match = typeof value === "string" ? pattern.exec(value) : null;
    return match !== null && Number(match[2]) <= 65_535
      ? ok(String(value))
      : refuse(value, 'an address of this machine with a port, such as "127.0.0.1:8081"');
  }).default(fallback);
}

/** A list of at most `max` values of one kind; empty when the key is absent. */
export function listOf<T>(read: Read<T>, wanted: string, max: number) {
  return required<readonly T[]>((value) => {
    if (!Array.isArray(value)) return refuse(value, wanted);
    if (value.length > max) return err(`has ${value.length} entries: write at most ${max}`);
    const items: T[] = [];
    for (const [i, item] of value.entries()) {
      const reading = read(item);
      if (!reading.ok) return err(`entry ${i + 1} ${reading.error}`);
      items.push(reading.value);
    }
    return new Set(items).size === items.length
      ? ok(items)
      : err("names the same entry twice: write it once");
  }).default([]);
}

export function wholeIn(min: number, max: number, wanted: string): Read<number> {
  return (value) =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max
      ? ok(value)
      : refuse(value, wanted);
}

export function oneOf<const T extends string>(choices: readonly T[]): Read<T> {
  return (value) => {
    const found = choices.find((one) => one === value);
    return found === undefined
      ? refuse(value, choices.map((one) => `"${one}"`).join(" or "))
      : ok(found);
  };
}

function parsedUsd(text: string): Usd {
  const money = parseUsd(text);
  assert(money !== null, "a bound in the schema is money");
  return money;
}
