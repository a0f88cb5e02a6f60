/** "/resume 123456", also with the bot's name, and with anything else behind it that holds a digit. */
const commanded = /^\s*\/resume(?:@\w{1,64})?\s+(\S[\s\S]*)$/iu;
/** "123456", also in two groups, as apps show it. */
const alone = /^\s*(\p{Nd}{3}[ -]?\p{Nd}{3})\s*$/u;

/**
 * The one-time code that a message gives, without spaces and hyphens; null when it gives none. What is no good code (too
 * short, foreign digits) is given as it stands: it is wrong, and it is kept as little as a good one.
 */
export function codeIn(text: string): string | null {
  const given = commanded.exec(text)?.[1] ?? alone.exec(text)?.[1];
  return given !== undefined && /\p{Nd}/u.test(given) ? given.replaceAll(/[\s-]/gu, "") : null;
}
