import type { DeskMode, HoldingView, MarketSummary, MarketView } from "../../engine/api/views.ts";
import type { OutcomeIndex } from "../../engine/domain/market.ts";
import { sharesOne, type Usd } from "../../engine/domain/numbers.ts";
import { emptyDraft, type TradeDraft } from "../actions/bot-action.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import {
  averageCents,
  cents,
  centsOrDash,
  money,
  ppmPercent,
  profit,
  roughUsd,
  sharesExact,
  sharesShort,
} from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration, utcDate, utcDateTime } from "../text/time-text.ts";
import { modeTag } from "./mode.ts";
import { windowLine } from "./window.ts";

export const rowsAPage = 6;
const quickDollars = [10, 25, 50];

/** One page of a market list. `offset` is the index of the first row; rows are numbered for `#n`. */
export function renderMarketList(
  heading: string,
  rows: readonly MarketSummary[],
  offset: number,
  total: number,
): RichText {
  const text = new TextBuilder().bold(heading).line();
  rows.forEach((row, i) => {
    text.bold(`#${offset + i + 1} `).line(cleanText(row.question));
    const yes = cleanText(row.outcomeNames[0], 30);
    const about = row.cached === true ? "~" : "";
    text.plain(`    ${yes} bid ${about}${centsOrDash(row.bestBid)}`);
    text.plain(` / ask ${about}${centsOrDash(row.bestAsk)}`);
    if (row.ageMs !== null) text.plain(` · ${duration(row.ageMs)} old`);
    else if (row.cached === true) text.plain(" · minutes old");
    if (row.volumeUsd !== null) text.plain(` · volume ${roughUsd(row.volumeUsd)}`);
    if (row.endAtMs !== null) {
      text.plain(" · ends ").moment(row.endAtMs, "d", utcDate(row.endAtMs));
    }
    text.line(row.tradable ? "" : " · closed");
  });
  if (rows.some((row) => row.cached === true)) {
    text.line("~ is the venue's last list price, minutes old. Open a market for its book.");
  }
  const first = rows[0];
  if (first !== undefined) {
    const name = cleanText(first.outcomeNames[0], 30).toLowerCase();
    text.plain(
      `${offset + 1}–${offset + rows.length} of ${total}. Press a number, or /buy #${offset + 1} ${name} $25`,
    );
  }
  return text.build();
}

export function marketListKeyboard(
  rows: readonly MarketSummary[],
  page: { readonly query: string; readonly offset: number; readonly total: number },
  buttons: ButtonMaker,
): Keyboard {
  const numbers = rows.map((row, i) =>
    buttons.make(String(page.offset + i + 1), { do: "market", id: row.conditionId }),
  );
  const current = Math.floor(page.offset / rowsAPage);
  const turn = [];
  if (current > 0) {
    turn.push(buttons.make("◀", { do: "markets", query: page.query, page: current - 1 }));
  }
  if (page.offset + rows.length < page.total) {
    turn.push(buttons.make("▶", { do: "markets", query: page.query, page: current + 1 }));
  }
  return [numbers.slice(0, 3), numbers.slice(3), turn].filter((row) => row.length > 0);
}

function holdingLine(holding: HoldingView): string {
  const name = cleanText(holding.outcomeName, 30);
  const held = `You: ${sharesShort(holding.confirmed)} ${name} @ ${averageCents(
    Math.max(0, holding.cost) as Usd,
    holding.confirmed > 0 ? holding.confirmed : sharesOne,
  )}`;
  const open =
    holding.provisional > 0 ? ` · ${sharesShort(holding.provisional)} not yet confirmed` : "";
  const result =
    holding.unrealizedUsd === null ? "" : ` · unrealised ${profit(holding.unrealizedUsd)}`;
  return `${held}${open}${result}`;
}

/** The market card: quotes of both outcomes, depth, what is held, age of the book. */
export function renderMarketCard(mode: DeskMode, market: MarketView): RichText {
  const [first, second] = market.outcomeNames.map((name) => cleanText(name, 30));
  const [a, b] = market.quotes;
  const tick = market.tickSize;
  const text = new TextBuilder().bold(`${modeTag(mode)} · ${cleanText(market.question)}`).line();
  text.plain(`${first ?? ""} ${centsOrDash(a.bid, tick)} / ${centsOrDash(a.ask, tick)}`);
  text.plain(` · ${second ?? ""} ${centsOrDash(b.bid, tick)} / ${centsOrDash(b.ask, tick)}`);
  if (a.bid !== null && a.ask !== null && a.ask > a.bid) {
    text.plain(` · spread ${cents((a.ask - a.bid) as typeof a.ask, tick)}`);
  }
  text.line(` · tick ${cents(tick, tick)}`);
  text.plain(
    `Depth 2¢: bid ${money(market.bidDepthUsd)} · ask ${money(market.askDepthUsd)} · fee rate ${ppmPercent(market.feeRatePpm)} · min ${sharesExact(market.minOrderSize)} shares`,
  );
  if (market.volumeUsd !== null) text.plain(` · volume ${roughUsd(market.volumeUsd)}`);
  text.line();
  if (market.endAtMs !== null) {
    text.plain("Ends ").moment(market.endAtMs, "dt", utcDateTime(market.endAtMs)).line();
  }
  windowLine(text, market.window);
  if (market.mayChange === true) {
    text.line("What this outcome stands for can change when outcomes are added.");
  }
  if (market.rulesEdit !== undefined) {
    text.line(
      `Its rules were edited ${utcDateTime(market.rulesEdit.atMs)}. Read them on its page.`,
    );
  }
  if (!market.tradable) text.line("Closed: this market takes no orders.");
  for (const holding of market.holdings) text.line(holdingLine(holding));
  return text.plain(bookAgeText(market)).build();
}

/** How old the prices are, for every text that shows some. */
export function bookAgeText({ ageMs }: Pick<MarketView, "ageMs">): string {
  return ageMs === null
    ? "Book not live: prices may be old, buying is off until it is back."
    : `Book ${duration(ageMs)} old`;
}

function draftOf(market: MarketView, side: "buy" | "sell", outcome: OutcomeIndex): TradeDraft {
  return { ...emptyDraft(side), conditionId: market.conditionId, outcome };
}

export function marketCardKeyboard(market: MarketView, buttons: ButtonMaker): Keyboard {
  const names = market.outcomeNames.map((name) => cleanText(name, 16));
  const refresh = buttons.make("Refresh", { do: "refresh", id: market.conditionId });
  const rows: Keyboard[number][] = [];
  const canSell = market.holdings.some((holding) => holding.confirmed > 0);
  const heldOutcome = market.holdings.find((holding) => holding.confirmed > 0)?.outcome ?? 0;
  const sell = buttons.make("Sell", {
    do: "draft",
    draft: { ...draftOf(market, "sell", heldOutcome), outcome: soleOutcome(market) },
  });
  if (market.ageMs !== null && market.tradable) {
    const buy = (outcome: OutcomeIndex, style: "success" | "danger") =>
      buttons.make(
        `Buy ${names[outcome] ?? ""}`,
        { do: "draft", draft: draftOf(market, "buy", outcome) },
        style,
      );
    rows.push([buy(0, "success"), buy(1, "danger"), ...(canSell ? [sell] : [])]);
    rows.push(
      quickDollars.map((dollars) =>
        buttons.make(`$${dollars} ${names[0] ?? ""}`, {
          do: "quote",
          replaces: null,
          request: {
            ...draftOf(market, "buy", 0),
            conditionId: market.conditionId,
            outcome: 0,
            amount: { unit: "usd", value: (dollars * 1_000_000) as Usd },
          },
        }),
      ),
    );
  } else if (canSell) {
    rows.push([sell]);
  }
  if (market.rulesEdit === undefined) return [...rows, [refresh]];
  const { conditionId, rulesEdit } = market;
  const accept = buttons.make("Accept the rules", {
    do: "acceptRules",
    conditionId,
    ruleHash: rulesEdit.ruleHash,
  });
  return [...rows, [refresh, accept]];
}

/** The outcome that is held when it is only one; null asks. */
export function soleOutcome(market: MarketView): OutcomeIndex | null {
  const held = market.holdings.filter((holding) => holding.confirmed > 0);
  return held.length === 1 ? (held[0]?.outcome ?? null) : null;
}
