// What must never reach a log, found by value and by form. Too much redacted is a nuisance, too little is a loss.
const redacted = "[redacted]";
const secretsMax = 64;
const secretCharsMin = 6;
const depthMax = 6;
const membersMax = 100;
const textCharsMax = 8000;

/** A bot token, also URL-encoded and inside the path of an API call (Telegram puts it there). */
const botToken = /\d{6,12}(?::|%3A)[\w-]{30,}/gi;
const hex64 = /(?<![0-9a-f])(?:0x)?[0-9a-f]{64}(?![0-9a-f])/gi;
const venueHeader = /(POLY[_-][A-Z_-]+)(["']?\s*[:=]\s*["']?)([^"',;\s}]+)/gi;
const venueHeaderName = /^poly[_-]/i;
const secretName =
  /^(?:private_?key|bot_?token|webhook_?secret|secret(?:_?token)?|passphrase|password|api_?key|api_?secret|authorization|cookie|mnemonic|pin|totp|x-telegram-bot-api-secret-token)$/i;
/** Fields whose 64 hex digits are public: ids and digests. */
const hashName =
  /(?:hash|digest|sha256|conditionId|orderId|clientOid|planId|commandId|correlationId|tradeId|fillId|marketId|nonce)$/i;

export type Redactor = {
  /** From now on this value is hidden too, e.g. a key that was derived at run time. */
  readonly addSecret: (secret: string) => void;
  /** Hides known values and bot tokens in finished text: the last stop before the sink. */
  readonly sink: (line: string) => string;
  /** A plain copy of a field's value, safe to write; errors become name, message, code, stack and causes. */
  readonly field: (name: string, value: unknown) => unknown;
};

export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = new Set<string>();
  let known: RegExp | null = null;
  let count = 0;
  const addSecret = (secret: string) => {
    if (secret.length < secretCharsMin || count >= secretsMax) return;
    count++;
    for (const form of formsOf(secret)) forms.add(escaped(form));
    // Longest first, so that a form is not left half visible because a shorter one matched inside it.
    const ordered = [...forms].sort((a, b) => b.length - a.length);
    known = new RegExp(ordered.join("|"), "gi");
  };
  for (const secret of secrets) addSecret(secret);
  const sink = (line: string) => {
    const withoutKnown = known === null ? line : line.replace(known, redacted);
    return withoutKnown.replace(botToken, redacted);
  };
  const clean = (name: string, text: string) => {
    const cut = text.length > textCharsMax ? `${text.slice(0, textCharsMax)}…` : text;
    const kept = sink(cut).replace(venueHeader, `$1$2${redacted}`);
    return hashName.test(name) ? kept : kept.replace(hex64, redacted);
  };
  return { addSecret, sink, field: (name, value) => plainCopy(name, value, clean, 0) };
}

type Clean = (name: string, text: string) => string;

function plainCopy(name: string, value: unknown, clean: Clean, depth: number): unknown {
  if (secretName.test(name) || venueHeaderName.test(name)) return redacted;
  switch (typeof value) {
    case "string":
      return clean(name, value);
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
      return clean(name, String(value));
    case "symbol":
    case "function":
      return `[${typeof value}]`;
    case "object":
      if (value === null) return null;
      if (depth >= depthMax) return "[deeper]";
      return safely(() => objectCopy(name, value, clean, depth));
  }
}

function objectCopy(name: string, value: object, clean: Clean, depth: number): unknown {
  if (value instanceof Error) return errorCopy(value, clean, depth);
  if (value instanceof URL || value instanceof Date) return clean(name, String(value));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) {
    return value.slice(0, membersMax).map((item) => plainCopy(name, item, clean, depth + 1));
  }
  const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, membersMax).map(([key, member]): [string, unknown] => {
      const text = String(key);
      return [clean("", text), plainCopy(text, member, clean, depth + 1)];
    }),
  );
}

/**
 * Nothing of an error but these: libraries hang whole requests, URLs and payloads on it (grammY's HttpError keeps the
 * failed URL with the token in `error.error`).
 */
function errorCopy(error: Error, clean: Clean, depth: number): unknown {
  const { code, outcome, cause, error: inner } = error as Error & Record<string, unknown>;
  const copy: Record<string, unknown> = {
    name: plainCopy("", error.name, clean, depth),
    message: plainCopy("", error.message, clean, depth),
    stack: plainCopy("", error.stack, clean, depth),
  };
  if (typeof code === "string" || typeof code === "number")
    copy["code"] = plainCopy("", code, clean, depth);
  if (typeof outcome === "string") copy["outcome"] = clean("", outcome);
  if (cause !== undefined) copy["cause"] = plainCopy("cause", cause, clean, depth + 1);
  if (inner instanceof Error) copy["inner"] = plainCopy("inner", inner, clean, depth + 1);
  if (error instanceof AggregateError)
    copy["errors"] = plainCopy("errors", error.errors, clean, depth + 1);
  return copy;
}

/** A regular expression that matches this text. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** A log line must never fail because of what it is about: getters and proxies may throw. */
function safely(copy: () => unknown): unknown {
  try {
    return copy();
  } catch {
    return "[unreadable]";
  }
}

/** The shapes in which a value turns up: as it is, URL-encoded, base64, and escaped inside JSON. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const forms = [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    JSON.stringify(secret).slice(1, -1),
  ];
  const hex = /^(?:0x)?([0-9a-f]{32,})$/i.exec(secret)?.[1];
  if (hex !== undefined) {
    const raw = Buffer.from(hex, "hex");
    forms.push(
      hex,
      raw.toString("base64").replace(/=+$/, ""),
      raw.toString("base64url"),
      BigInt(`0x${hex}`).toString(),
    );
  }
  return forms.filter((form) => form.length >= secretCharsMin);
}
