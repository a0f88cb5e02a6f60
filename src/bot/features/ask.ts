import type { AmountSpec } from "../../engine/api/requests.ts";
import type { MarketSummary } from "../../engine/api/views.ts";
import type { OutcomeIndex } from "../../engine/domain/market.ts";
import type { Shares, Usd } from "../../engine/domain/numbers.ts";
import type { TradeDraft } from "../actions/bot-action.ts";
import type { Keyboard } from "../actions/buttons.ts";
import { bookAgeText, rowsAPage } from "../render/market.ts";
import { modeTag } from "../render/mode.ts";
import { cents, centsOrDash, money, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { answered, message, type Reply, type Turn } from "../turn.ts";
import { outcomeNamed } from "./outcome-name.ts";
import { refuse } from "./refusals.ts";

const buyPresets = [10, 25, 50, 100];
const sellPresets: readonly (readonly [string, number])[] = [
  ["25%", 250_000],
  ["50%", 500_000],
  ["Max", 1_000_000],
];

function heading(turn: Turn, draft: TradeDraft): TextBuilder {
  return new TextBuilder().bold(`${modeTag(turn.deps.mode)} · ${draft.side.toUpperCase()}`).line();
}

const howToEnd = "/cancel ends this.";

/** "Which market?", with the busiest ones as buttons; the next text is taken for it. */
export async function askMarket(
  turn: Turn,
  draft: TradeDraft,
  outcomeText: string | null = null,
): Promise<Reply> {
  turn.chat.waitFor(draft, "market", turn.deps.now(), outcomeText);
  const top = await turn.api.findMarkets({ by: "top", value: "" }, rowsAPage);
  const rows = top.ok ? top.value : [];
  // A number typed now means the list that is on the screen now.
  turn.chat.showList(rows);
  const text = heading(turn, draft)
    .line("Which market? Send its number, words, a link or a slug, or press one:")
    .append(rowsText(rows))
    .plain(howToEnd);
  return answered(message(text.build(), rowButtons(turn, draft, rows, outcomeText)));
}

function rowsText(rows: readonly MarketSummary[]) {
  const text = new TextBuilder();
  rows.forEach((row, i) => text.bold(`${i + 1} `).line(cleanText(row.question)));
  const { text: built, entities } = text.build();
  return { text: built === "" ? "" : `${built}\n`, entities };
}

/** A row of buttons for markets; the outcome is filled in where the market has one of that name. */
function rowButtons(
  turn: Turn,
  draft: TradeDraft,
  rows: readonly MarketSummary[],
  outcomeText: string | null,
): Keyboard {
  const buttons = rows.map((row, i) =>
    turn.buttons.make(`${i + 1}`, {
      do: "draft",
      draft: {
        ...draft,
        conditionId: row.conditionId,
        outcome: outcomeText === null ? draft.outcome : outcomeNamed(row, outcomeText),
      },
    }),
  );
  return [buttons.slice(0, 3), buttons.slice(3)].filter((row) => row.length > 0);
}

/** Several markets fit: they become buttons, and the list that `#n` refers to. */
export function askWhichMarket(
  turn: Turn,
  draft: TradeDraft,
  found: readonly MarketSummary[],
  outcomeText: string | null,
): Reply {
  turn.chat.showList(found);
  turn.chat.waitFor(draft, "market", turn.deps.now(), outcomeText);
  const rows = found.slice(0, rowsAPage);
  const more = found.length - rows.length;
  const text = heading(turn, draft)
    .line(`${found.length} markets fit. Which one?`)
    .append(rowsText(rows));
  if (more > 0) text.line(`and ${more} more: use more words`);
  return answered(
    message(text.plain(howToEnd).build(), rowButtons(turn, draft, rows, outcomeText)),
  );
}

/** "Which outcome?", asked until one is named; `named` is a name that the market does not have. */
export async function askOutcome(
  turn: Turn,
  draft: TradeDraft,
  named: string | null,
): Promise<Reply> {
  const found = await turn.api.market(draft.conditionId ?? "");
  if (!found.ok) return refuse(turn, found.error);
  const market = found.value;
  turn.chat.waitFor(draft, "outcome", turn.deps.now());
  const text = heading(turn, draft).line(cleanText(market.question)).line(bookAgeText(market));
  if (named !== null) text.line(`There is no outcome "${cleanText(named, 40)}".`);
  const button = (outcome: OutcomeIndex) => {
    const quote = market.quotes[outcome];
    const at = centsOrDash(draft.side === "buy" ? quote.ask : quote.bid, market.tickSize);
    const name = cleanText(market.outcomeNames[outcome], 24);
    const style = outcome === 0 ? "success" : "danger";
    return turn.buttons.make(`${name} ${at}`, { do: "draft", draft: { ...draft, outcome } }, style);
  };
  return answered(
    message(text.plain(`Which outcome? ${howToEnd}`).build(), [[button(0), button(1)]]),
  );
}

/** "How much?", with presets; the next text is taken for it. */
export async function askAmount(turn: Turn, draft: TradeDraft): Promise<Reply> {
  const found = await turn.api.market(draft.conditionId ?? "");
  if (!found.ok) return refuse(turn, found.error);
  const market = found.value;
  const outcome = draft.outcome ?? 0;
  turn.chat.waitFor(draft, "amount", turn.deps.now());
  const name = cleanText(market.outcomeNames[outcome], 40);
  const { bid, ask } = market.quotes[outcome];
  const text = heading(turn, draft)
    .line(`${name} · ${cleanText(market.question)}`)
    .line(`Bid ${centsOrDash(bid, market.tickSize)} · ask ${centsOrDash(ask, market.tickSize)}`)
    .line(bookAgeText(market));
  if (draft.limit !== null) text.line(`Limit ${cents(draft.limit, market.tickSize)}`);
  const held = market.holdings.find((holding) => holding.outcome === outcome);
  if (draft.side === "sell") {
    text.line(`You hold ${held === undefined ? "none" : `${sharesExact(held.confirmed)} shares`}`);
  } else {
    text.line(`Free cash ${money(turn.api.view().cashFree)}`);
  }
  text.plain(
    draft.side === "buy"
      ? `How much? Send $25, 40sh, 50% or max. ${howToEnd}`
      : `How much? Send 40sh, $25, 50% or max. ${howToEnd}`,
  );
  return answered(message(text.build(), [presets(turn, draft)]));
}

function presets(turn: Turn, draft: TradeDraft) {
  const choices: readonly (readonly [string, AmountSpec])[] =
    draft.side === "buy"
      ? buyPresets.map((dollars) => [
          `$${dollars}`,
          { unit: "usd", value: (dollars * 1_000_000) as Usd },
        ])
      : sellPresets.map(([label, value]) => [label, { unit: "part", value }]);
  return choices.map(([label, amount]) =>
    turn.buttons.make(label, { do: "draft", draft: { ...draft, amount } }),
  );
}

/** "/sell #1 yes 25": shares or dollars? Asked, because they differ by the price. */
export function askBareAmount(turn: Turn, draft: TradeDraft, value: Usd): Reply {
  turn.chat.waitFor(draft, "amount", turn.deps.now());
  const asShares = value as number as Shares;
  const text = heading(turn, draft).plain(
    `Did you mean ${sharesExact(asShares)} shares, or ${money(value)} worth of them? ${howToEnd}`,
  );
  const button = (label: string, amount: AmountSpec) =>
    turn.buttons.make(label, { do: "draft", draft: { ...draft, amount } });
  return answered(
    message(text.build(), [
      [
        button(`${sharesExact(asShares)} shares`, { unit: "shares", value: asShares }),
        button(money(value), { unit: "usd", value }),
      ],
    ]),
  );
}
