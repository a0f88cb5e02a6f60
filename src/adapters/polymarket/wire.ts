/** A JSON object whose members are not believed yet. Members are only ever read by name, so `__proto__` is harmless. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value as an object, or null for arrays, null and plain values. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

/** The value as an array, or null. */
export function arrayOf(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? (value as readonly unknown[]) : null;
}

/** Longest decimal text that is looked at; no price, size, id or time is longer. */
const maxTextLength = 128;
/** A double carries 15 significant decimal digits without loss. */
const maxExactDigits = 15;

/**
 * Text of a member that the venue writes as a string. A JSON number is taken only when its decimal text is certainly
 * what was sent: safe integers, and decimals of at most 15 digits.
 */
export function textOf(value: unknown): string | null {
  if (typeof value === "string") return value.length <= maxTextLength ? value : null;
  if (typeof value !== "number" || !(value >= 0)) return null;
  if (Number.isSafeInteger(value)) return String(value);
  const text = String(value);
  return /^\d+\.\d+$/.test(text) && text.length <= maxExactDigits + 1 ? text : null;
}

/** A free text of any length, "" when the member is missing or something else. */
export function freeText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Milliseconds since 1970 as text, from a digit string or a safe integer; null for anything else. */
export function timestampOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^\d{1,16}$/.test(text) ? text : null;
}

const digitZero = 48;

/**
 * Plain decimal text as an integer of 10^-decimals, -1 for anything else: the same rule as the engine's parseDecimal,
 * written as one loop because every level of every frame passes here.
 */
export function scaledOf(text: string, decimals: number): number {
  let value = 0;
  let places = -1;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - digitZero;
    if (digit >= 0 && digit <= 9) {
      if (places < 0) digits++;
      else if (places < decimals) places++;
      else if (digit === 0) continue;
      else return -1;
      value = value * 10 + digit;
    } else if (text[i] === "." && places < 0) {
      places = 0;
    } else return -1;
  }
  if (text === "" || text === "." || digits > maxExactDigits) return -1;
  for (let i = Math.max(places, 0); i < decimals; i++) value *= 10;
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

/** Token ids are decimal text of up to 78 digits; a JSON number has already lost digits and is refused. */
export function tokenIdOf(value: unknown): string | null {
  return typeof value === "string" && /^\d{1,78}$/.test(value) ? value : null;
}

/** Condition ids have 64 hex digits; Gamma shows 62 for version "v2", which are padded right as the CLOB wants it. */
export function conditionIdOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  if (/^0x[0-9a-fA-F]{64}$/.test(value)) return value.toLowerCase();
  return /^0x[0-9a-fA-F]{62}$/.test(value) ? `${value.toLowerCase()}00` : null;
}

/** Order hashes are hex; lower case, because ours are. */
export function hexOf(value: unknown): string | null {
  return typeof value === "string" && /^0x[0-9a-fA-F]{1,64}$/.test(value)
    ? value.toLowerCase()
    : null;
}

/** "BUY" or "sell" in either case. */
export function sideOf(value: unknown): "buy" | "sell" | null {
  if (typeof value !== "string") return null;
  const side = value.toLowerCase();
  return side === "buy" || side === "sell" ? side : null;
}

/** JSON text as a value; undefined when it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A member that Gamma writes as an array, or as an array inside a string. */
export function listOf(value: unknown): readonly unknown[] | null {
  return arrayOf(typeof value === "string" ? jsonOf(value) : value);
}
