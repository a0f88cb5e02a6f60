import type { OrderView } from "../../engine/api/views.ts";
import type { Price } from "../../engine/domain/numbers.ts";
import { parseLimit } from "../parse/amount-text.ts";
import { bookAgeText } from "../render/market.ts";
import { modeTag } from "../render/mode.ts";
import { orderLine } from "../render/orders.ts";
import { cents, centsOrDash } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { answered, message, type Reply, refused, type Turn } from "../turn.ts";
import { takeOver } from "./open-card.ts";
import { matching, openOrders } from "./orders.ts";
import { showCard } from "./quote.ts";
import { refuse } from "./refusals.ts";

/** `/replace ID PRICE`: a resting order at another price, by a card like every trade. */
export async function replace(turn: Turn, args: string): Promise<Reply> {
  const [id = "", priceText = "", ...rest] = args.trim().split(/\s+/u);
  const limit = parseLimit(priceText.replace(/^@/u, ""));
  if (id.length < 4 || rest.length > 0 || (priceText !== "" && limit === null)) {
    const text = new TextBuilder()
      .line("Type /replace, the order's id and the new price: /replace 1a2b3c4d 0.61")
      .line("Nothing was sent.")
      .plain("/orders lists the ids.");
    return refused("bad_replace", message(text.build()));
  }
  const found = matching(openOrders(turn), id);
  const [order] = found;
  if (order === undefined) return refuse(turn, { code: "order_unknown" });
  if (found.length > 1) {
    const text = new TextBuilder()
      .line(`${found.length} orders begin with that. Nothing was changed.`)
      .plain("Use more characters of the id.");
    return answered(message(text.build()));
  }
  if (limit === null) return askPrice(turn, order.clientOid);
  return replaceCard(turn, order.clientOid, limit, null);
}

/** [Change price]: the nearest prices as buttons, any other by typing. */
export async function askPrice(turn: Turn, clientOid: string): Promise<Reply> {
  const order = turn.api.order(clientOid);
  if (order === null) return refuse(turn, { code: "order_unknown" });
  const market = await turn.api.market(order.conditionId);
  if (!market.ok) return refuse(turn, market.error);
  const { tickSize } = market.value;
  const { bid, ask } = market.value.quotes[order.outcome];
  const best = order.side === "buy" ? bid : ask;
  const near = [order.limit - tickSize, order.limit + tickSize, best ?? 0];
  const prices = [...new Set(near)].filter(
    (at) => at >= tickSize && at <= 10_000 - tickSize && at !== order.limit,
  ) as Price[];
  const text = new TextBuilder().bold(`${modeTag(turn.deps.mode)} · CHANGE PRICE`).line();
  text.line(`${orderLine(order)} · ${cleanText(order.question, 80)}`);
  text.line(`Bid ${centsOrDash(bid, tickSize)} · ask ${centsOrDash(ask, tickSize)}`);
  text.line(bookAgeText(market.value));
  text.plain(`Choose, or type /replace ${order.shortId} and a price.`);
  const buttons = prices.map((limit) =>
    turn.buttons.make(cents(limit, tickSize), { do: "reprice", clientOid, limit, replaces: null }),
  );
  return answered(message(text.build(), [buttons]));
}

/** The card of a price change; `replaces` is the nonce of the card whose message it takes over. */
export async function replaceCard(
  turn: Turn,
  clientOid: OrderView["clientOid"],
  limit: Price,
  replaces: string | null,
): Promise<Reply> {
  const target = await takeOver(turn, replaces);
  const quoted = await turn.api.quoteReplace(turn.actor, turn.command.commandId, clientOid, limit);
  if (!quoted.ok) return refuse(turn, quoted.error, target);
  return answered(showCard(turn, quoted.value, target, null));
}
