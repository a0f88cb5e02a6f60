/** Lengths of seed phrases. */
const seedLengths = new Set([12, 15, 18, 21, 24]);
/** Frequent words of English sentences that are in no seed phrase word list. */
const sentenceWords = new Set([
  "the",
  "and",
  "for",
  "are",
  "was",
  "has",
  "had",
  "his",
  "her",
  "our",
  "who",
  "how",
  "why",
  "its",
  "not",
  "but",
  "any",
  "did",
  "does",
  "would",
  "could",
  "before",
  "from",
  "into",
  "end",
  "win",
  "wins",
  "been",
  "than",
  "what",
  "which",
  "where",
  "with",
]);

/**
 * True for a message that looks like a private key (64 hex digits alone, without the 0x that market ids carry), a seed
 * phrase or the secret of an authenticator app. No command ever takes one, so it is a mistake or a trap: such a message
 * is never stored.
 */
export function looksLikeSecret(text: string): boolean {
  if (/otpauth:\/\//iu.test(text) || /(?:^|\s)[A-Z2-7]{26,128}={0,6}(?:$|\s)/u.test(text))
    return true;
  if (/(?:^|[^0-9a-z])[0-9a-f]{64}(?:$|[^0-9a-z])/iu.test(text) && !/0x[0-9a-f]{64}/iu.test(text)) {
    return true;
  }
  const words = text.trim().split(/\s+/u);
  return (
    seedLengths.has(words.length) &&
    words.every((word) => /^[a-z]{3,8}$/u.test(word) && !sentenceWords.has(word))
  );
}
