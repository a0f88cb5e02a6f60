import type { AmountSpec, TradeRequest } from "../../engine/api/requests.ts";
import type { Side } from "../../engine/domain/market.ts";
import type { Usd } from "../../engine/domain/numbers.ts";
import { emptyDraft, type TradeDraft } from "../actions/bot-action.ts";
import type { Guide } from "../chat-state.ts";
import { type AmountText, parseAmount } from "../parse/amount-text.ts";
import {
  type MarketText,
  marketWords,
  parseMarketName,
  parseRowNumber,
} from "../parse/market-text.ts";
import { parseTradeText, type TradeText, type TradeTextFault } from "../parse/trade-text.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { message, type Reply, refused, type Turn } from "../turn.ts";
import { askAmount, askBareAmount, askMarket, askOutcome, askWhichMarket } from "./ask.ts";
import { findMarkets } from "./find-market.ts";
import { outcomeNamed } from "./outcome-name.ts";
import { quoteCard } from "./quote.ts";
import { refuse } from "./refusals.ts";

const faultHelp: Readonly<Record<TradeTextFault["part"], string>> = {
  amount:
    "An amount is $25, 40sh, 50% or max: plain digits, more than zero. Names with digits go in quotes.",
  price: "A price is @0.62 or @62c, between 0 and 1 dollar.",
  duration: "A time is gtd=30m, gtd=1h, gtd=2d; at most 30 days.",
  slippage: "slip=2 means 2 percent; at most 50.",
  combination: "/help buy shows what goes together.",
};

function explainFault(fault: TradeTextFault): Reply {
  const what =
    fault.part === "combination" ? fault.text : `I cannot read the ${fault.part} "${fault.text}".`;
  const text = new TextBuilder()
    .line(what.slice(0, 300))
    .line("Nothing was sent.")
    .plain(faultHelp[fault.part]);
  return refused(`bad_${fault.part}`, message(text.build()));
}

/** A bare number is dollars for a buy; for a sale it could be shares as well, so it is asked. */
function amountOf(side: Side, amount: AmountText): AmountSpec | null {
  if (amount.unit !== "bare") return amount;
  return side === "buy" ? { unit: "usd", value: amount.value } : null;
}

function draftFrom(side: Side, parsed: TradeText): TradeDraft {
  return {
    ...emptyDraft(side),
    amount: parsed.amount === null ? null : amountOf(side, parsed.amount),
    limit: parsed.limit,
    timeInForce: parsed.timeInForce,
    goodForMs: parsed.goodForMs,
    slippagePpm: parsed.slippagePpm,
  };
}

/** `/buy` and `/sell`: whatever is missing is asked for, nothing is guessed. */
export async function trade(turn: Turn, side: Side, args: string): Promise<Reply> {
  const parsed = parseTradeText(args);
  if (!parsed.ok) return explainFault(parsed.error);
  const draft = draftFrom(side, parsed.value);
  const { amount } = parsed.value;
  const bareAmount = amount?.unit === "bare" && draft.amount === null ? amount.value : null;
  if (parsed.value.market === null) return askMarket(turn, draft, parsed.value.outcome);
  return withMarket(turn, draft, parsed.value.market, {
    outcome: parsed.value.outcome,
    bareAmount,
  });
}

type Loose = { readonly outcome: string | null; readonly bareAmount: Usd | null };

async function withMarket(
  turn: Turn,
  draft: TradeDraft,
  text: MarketText,
  loose: Loose,
): Promise<Reply> {
  const found = await findMarkets(turn, text);
  if (!found.ok) return refuse(turn, found.error);
  const [first, second] = found.value;
  if (first === undefined) return refuse(turn, { code: "market_unknown" });
  if (second !== undefined) {
    return askWhichMarket(turn, draft, found.value, loose.outcome);
  }
  const named: TradeDraft = { ...draft, conditionId: first.conditionId };
  if (loose.outcome === null) return continueDraft(turn, named);
  const outcome = outcomeNamed(first, loose.outcome);
  if (outcome === null) return askOutcome(turn, named, loose.outcome);
  const withOutcome = { ...named, outcome };
  return loose.bareAmount === null
    ? continueDraft(turn, withOutcome)
    : askBareAmount(turn, withOutcome, loose.bareAmount);
}

/** Asks for the next missing part, or shows the card when nothing is missing. */
export async function continueDraft(turn: Turn, draft: TradeDraft): Promise<Reply> {
  turn.chat.endGuide(turn.deps.now());
  const { conditionId, outcome, amount } = draft;
  if (conditionId === null) return askMarket(turn, draft);
  if (outcome === null) return askOutcome(turn, draft, null);
  if (amount === null) return askAmount(turn, draft);
  const request: TradeRequest = { ...draft, conditionId, outcome, amount };
  return quoteCard(turn, request, null);
}

async function guidedOutcome(turn: Turn, draft: TradeDraft, text: string): Promise<Reply> {
  const found = await turn.api.market(draft.conditionId ?? "");
  if (!found.ok) return refuse(turn, found.error);
  const outcome = outcomeNamed(found.value, text);
  return outcome === null
    ? askOutcome(turn, draft, text)
    : continueDraft(turn, { ...draft, outcome });
}

/** Free text while a part is awaited. */
export async function guidedText(turn: Turn, guide: Guide, text: string): Promise<Reply> {
  const trimmed = text.trim();
  if (guide.awaiting === "outcome") return guidedOutcome(turn, guide.draft, trimmed);
  if (guide.awaiting === "market") {
    const row = parseRowNumber(trimmed);
    const market: MarketText =
      row === null ? (parseMarketName(trimmed) ?? marketWords(trimmed)) : { by: "row", row };
    return withMarket(turn, guide.draft, market, {
      outcome: guide.outcomeText,
      bareAmount: null,
    });
  }
  const amount = parseAmount(trimmed.replace(/\s+(?=(sh|shares?)$)/iu, ""));
  if (amount === null) return explainFault({ part: "amount", text: trimmed.slice(0, 60) });
  const spec = amountOf(guide.draft.side, amount);
  if (spec === null) return askBareAmount(turn, guide.draft, amount.value as Usd);
  return continueDraft(turn, { ...guide.draft, amount: spec });
}
