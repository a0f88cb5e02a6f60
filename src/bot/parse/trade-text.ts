import type { TradeRequest } from "../../engine/api/requests.ts";
import type { Price } from "../../engine/domain/numbers.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import {
  type AmountText,
  looksLikeAmount,
  parseAmount,
  parseDuration,
  parseLimit,
  parseSlippage,
} from "./amount-text.ts";
import { type Token, tokenize } from "./command-text.ts";
import { type MarketText, marketWords, parseMarketName } from "./market-text.ts";

type TimeInForceText = NonNullable<TradeRequest["timeInForce"]>;

/** What `/buy` or `/sell` said; a null is a part that was left out and will be asked for. */
export type TradeText = {
  readonly market: MarketText | null;
  readonly outcome: string | null;
  readonly amount: AmountText | null;
  readonly limit: Price | null;
  readonly timeInForce: TimeInForceText | null;
  readonly goodForMs: number | null;
  readonly slippagePpm: number | null;
};

/** A part that is there but cannot be read. Nothing is guessed. */
export type TradeTextFault = {
  readonly part: "amount" | "price" | "duration" | "slippage" | "combination";
  readonly text: string;
};

type Options = {
  limit: Price | null;
  timeInForce: TimeInForceText | null;
  goodForMs: number | null;
  slippagePpm: number | null;
};

const sideWords = new Set(["yes", "no", "up", "down", "over", "under"]);

/** Reads one option into `into`; null when the token is no option. */
function readOption(token: Token, into: Options): Result<null, TradeTextFault> | null {
  if (token.quoted) return null;
  const text = token.text.toLowerCase();
  if (text.startsWith("@")) {
    into.limit = parseLimit(text.slice(1));
    return into.limit === null ? err({ part: "price", text: token.text }) : ok(null);
  }
  if (text === "fok" || text === "fak" || text === "gtc") {
    into.timeInForce = text;
    return ok(null);
  }
  if (text === "ioc") {
    into.timeInForce = "fak";
    return ok(null);
  }
  if (text === "gtd" || text.startsWith("gtd=")) {
    into.timeInForce = "gtd";
    into.goodForMs = parseDuration(text.slice(4));
    return into.goodForMs === null ? err({ part: "duration", text: token.text }) : ok(null);
  }
  if (text.startsWith("slip=")) {
    into.slippagePpm = parseSlippage(text.slice(5));
    return into.slippagePpm === null ? err({ part: "slippage", text: token.text }) : ok(null);
  }
  return null;
}

/** "@ 0.62" and "40 sh" are each one thing. */
function joinPairs(tokens: readonly Token[]): readonly Token[] {
  const joined: Token[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    const isPair =
      last !== undefined &&
      !last.quoted &&
      !token.quoted &&
      (last.text === "@" || (/^\d[\d.]*$/u.test(last.text) && /^(sh|shares?)$/iu.test(token.text)));
    if (isPair) joined[joined.length - 1] = { text: `${last.text}${token.text}`, quoted: false };
    else joined.push(token);
  }
  return joined;
}

/** Index of the first token that no longer belongs to the market's name. */
function endOfMarketWords(words: readonly Token[]): number {
  for (let i = words.length - 1; i > 0; i--) {
    if (sideWords.has(words[i]?.text.toLowerCase() ?? "")) return i;
  }
  const last = words.at(-1);
  const isAmount =
    last !== undefined && (looksLikeAmount(last.text) || parseAmount(last.text) !== null);
  return isAmount ? words.length - 1 : words.length;
}

function splitMarket(words: readonly Token[]): {
  readonly market: MarketText | null;
  readonly rest: readonly Token[];
} {
  const first = words[0];
  if (first === undefined) return { market: null, rest: [] };
  const named = first.quoted ? marketWords(first.text) : parseMarketName(first.text);
  if (named !== null) return { market: named, rest: words.slice(1) };
  if (sideWords.has(first.text.toLowerCase())) return { market: null, rest: words };
  const end = endOfMarketWords(words);
  if (end === 0) return { market: null, rest: words };
  const text = words.slice(0, end).map((word) => word.text);
  return { market: marketWords(text.join(" ")), rest: words.slice(end) };
}

function splitAmount(
  rest: readonly Token[],
): Result<{ readonly amount: AmountText | null; readonly outcome: string | null }, TradeTextFault> {
  const words = rest.map((word) => word.text);
  const last = words.at(-1);
  if (last === undefined) return ok({ amount: null, outcome: null });
  const amount = parseAmount(last);
  if (amount !== null) {
    const outcome = words.slice(0, -1).join(" ");
    return ok({ amount, outcome: outcome === "" ? null : outcome });
  }
  const startsWithSide = words.length > 1 && sideWords.has(words[0]?.toLowerCase() ?? "");
  if (startsWithSide) return err({ part: "amount", text: words.slice(1).join(" ") });
  if (looksLikeAmount(last)) return err({ part: "amount", text: last });
  return ok({ amount: null, outcome: words.join(" ") });
}

function combinationFault(options: Options): string | null {
  if (options.limit === null && (options.timeInForce === "gtc" || options.timeInForce === "gtd")) {
    return `${options.timeInForce} needs a price, for example @0.62`;
  }
  if (options.limit !== null && options.slippagePpm !== null) {
    return "slip= is for orders without a price: the price is already the limit";
  }
  return null;
}

/** Reads the words behind `/buy` or `/sell`: market side amount [@price] [fok|fak|gtc|gtd=1h] [slip=2]. */
export function parseTradeText(args: string): Result<TradeText, TradeTextFault> {
  const options: Options = { limit: null, timeInForce: null, goodForMs: null, slippagePpm: null };
  const words: Token[] = [];
  for (const token of joinPairs(tokenize(args))) {
    const read = readOption(token, options);
    if (read === null) words.push(token);
    else if (!read.ok) return read;
  }
  const fault = combinationFault(options);
  if (fault !== null) return err({ part: "combination", text: fault });
  const { market, rest } = splitMarket(words);
  const tail = splitAmount(rest);
  if (!tail.ok) return tail;
  return ok({ market, ...tail.value, ...options });
}
