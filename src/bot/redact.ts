/**
 * Bot tokens as they leak: alone, behind "bot" in a URL, and URL-encoded (":" as %3A). The HTTP client's errors carry the
 * whole URL in their inner message.
 */
const tokenPattern = /(?:bot)?\d{6,12}(?::|%3a)[\w-]{30,}/giu;
/** A URL path of the Bot API, for tokens shorter than real ones. */
const apiPathPattern = /\/bot\d+(?::|%3a)[\w-]+/giu;
const longestText = 2_000;

/** Takes tokens out of a text that is about to be logged or shown, and bounds its length. */
export function redact(text: string): string {
  return text
    .replace(tokenPattern, "bot***")
    .replace(apiPathPattern, "/bot***")
    .slice(0, longestText);
}

/** What may be said about a thrown value: its name and redacted message. Never the object itself, whose inner error holds the URL. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return redact(`${error.name}: ${error.message}`);
  return redact(String(error));
}
