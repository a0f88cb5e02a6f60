import type { MarketSummary } from "../../engine/api/views.ts";
import type { ConditionId } from "../../engine/domain/market.ts";
import { maxListRows } from "../chat-state.ts";
import { type MarketText, parseMarketName } from "../parse/market-text.ts";
import {
  marketCardKeyboard,
  marketListKeyboard,
  renderMarketCard,
  renderMarketList,
  rowsAPage,
} from "../render/market.ts";
import { modeTag } from "../render/mode.ts";
import { cleanText } from "../text/clean-text.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { answered, message, pressedMessage, type Reply, type Turn } from "../turn.ts";
import { findMarkets } from "./find-market.ts";
import { refuse } from "./refusals.ts";

/** One page of a list, which becomes the list that `#n` refers to. */
function listPage(turn: Turn, rows: readonly MarketSummary[], query: string, page: number): Reply {
  turn.chat.showList(rows);
  const offset = Math.min(page, Math.floor(Math.max(0, rows.length - 1) / rowsAPage)) * rowsAPage;
  const shown = rows.slice(offset, offset + rowsAPage);
  const about = query === "" ? "busiest" : cleanText(query, 60);
  const heading = `${modeTag(turn.deps.mode)} · MARKETS · ${about}`;
  const target = page > 0 || isPaging(turn) ? pressedMessage(turn) : null;
  return answered(
    message(
      renderMarketList(heading, shown, offset, rows.length),
      marketListKeyboard(shown, { query, offset, total: rows.length }, turn.buttons),
      target,
    ),
  );
}

function isPaging(turn: Turn): boolean {
  return turn.command.text.startsWith("v1:markets:") && turn.command.kind === "press";
}

/** `/markets [text]`: the busiest markets, or those that the text names. */
export async function markets(turn: Turn, query: string, page = 0): Promise<Reply> {
  if (query === "") {
    const top = await turn.api.findMarkets({ by: "top", value: "" }, maxListRows);
    return top.ok ? listPage(turn, top.value, "", page) : refuse(turn, top.error);
  }
  const named = parseMarketName(query);
  if (named === null) return searched(turn, query, page);
  const found = await findMarkets(turn, named);
  return found.ok ? listPage(turn, found.value, query, page) : refuse(turn, found.error);
}

/** What has all of the words; else the venue's own search, or what may have been meant. */
async function searched(turn: Turn, query: string, page: number): Promise<Reply> {
  const found = await turn.api.searchMarkets(query.slice(0, maxQuery), maxListRows, true);
  if (!found.ok) return refuse(turn, found.error);
  const { markets: rows, didYouMean } = found.value;
  if (rows.length > 0) return listPage(turn, rows, query, page);
  if (didYouMean === null) return refuse(turn, { code: "market_unknown", subject: query });
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · MARKETS`)
    .line()
    .plain(
      `No open market has "${cleanText(query, 60)}". Did you mean "${cleanText(didYouMean, 60)}"?`,
    );
  const button = turn.buttons.make(cleanText(didYouMean, 40), {
    do: "markets",
    query: didYouMean,
    page: 0,
  });
  return answered(message(text.build(), [[button]]));
}

/** Words without a command: a list when markets have all of them, null when it was just talk. */
export async function talkedOf(turn: Turn, text: string): Promise<Reply | null> {
  // A number or a "no" is an answer that came too late, not a search.
  if (!/\p{L}{3}/u.test(text)) return null;
  const found = await turn.api.searchMarkets(text.slice(0, maxQuery), maxListRows, false);
  const rows = found.ok ? found.value.markets : [];
  return rows.length === 0 ? null : listPage(turn, rows, text, 0);
}

/** Longer texts are no search. */
const maxQuery = 200;

/** The card of one market; `inPlace` edits the pressed message. */
export async function marketCard(turn: Turn, id: ConditionId, inPlace = false): Promise<Reply> {
  const found = await turn.api.market(id);
  if (!found.ok) return refuse(turn, found.error);
  return answered(
    message(
      renderMarketCard(turn.deps.mode, found.value),
      marketCardKeyboard(found.value, turn.buttons),
      inPlace ? pressedMessage(turn) : null,
    ),
  );
}

/** A pasted link, slug, id or `#n`: the card when it is one market, else a list to choose from. */
export async function namedMarket(turn: Turn, text: MarketText, asTyped: string): Promise<Reply> {
  const found = await findMarkets(turn, text);
  if (!found.ok) return refuse(turn, found.error);
  const [first, second] = found.value;
  return first !== undefined && second === undefined
    ? marketCard(turn, first.conditionId)
    : listPage(turn, found.value, asTyped, 0);
}
