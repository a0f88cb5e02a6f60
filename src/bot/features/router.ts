import { type BotAction, decodeAction, parsePressData, raisesRisk } from "../actions/bot-action.ts";
import { killReason, parseCommand } from "../parse/command-text.ts";
import {
  type MarketText,
  parseMarketLink,
  parseMarketName,
  parseRowNumber,
} from "../parse/market-text.ts";
import { renderUnknown } from "../render/help.ts";
import { answered, type Feature, message, pressedMessage, type Reply, type Turn } from "../turn.ts";
import { arb, arbDetails, quoteSet } from "./arb.ts";
import { confirm, discard } from "./confirm.ts";
import { confirmCall, marketCall, redeem, showCall, wrap } from "./contract-calls.ts";
import { help, home, status } from "./looking.ts";
import { marketCard, markets, namedMarket, talkedOf } from "./markets.ts";
import { askCancelAll, cancel, cancelAll, cancelOrders, orders } from "./orders.ts";
import { positions } from "./positions.ts";
import { quoteCard } from "./quote.ts";
import { refuse, refuseTooOld } from "./refusals.ts";
import { askPrice, replace, replaceCard } from "./replace.ts";
import { acceptRules } from "./rules.ts";
import { askResume, confirmResume, kill, resumeByCode } from "./safety.ts";
import { start } from "./start.ts";
import { continueDraft, guidedText, trade } from "./trade.ts";

const features: Readonly<Record<string, Feature>> = {
  start,
  help,
  status,
  markets: (turn, args) => markets(turn, args),
  market: (turn, args) => markets(turn, args),
  buy: (turn, args) => trade(turn, "buy", args),
  sell: (turn, args) => trade(turn, "sell", args),
  orders,
  replace,
  positions,
  cancel,
  arb: (turn) => arb(turn, 0),
  split: (turn, args) => marketCall(turn, "split", args),
  merge: (turn, args) => marketCall(turn, "merge", args),
  convert: (turn, args) => marketCall(turn, "convert", args),
  redeem,
  wrap,
  resume: askResume,
};

/** Commands that can raise risk, and are therefore refused when they are too old. */
const riskCommands = new Set([
  "buy",
  "sell",
  "replace",
  "split",
  "merge",
  "convert",
  "redeem",
  "wrap",
  "resume",
]);

/** Works on one command and says how it ended. */
export async function route(turn: Turn): Promise<Reply> {
  return turn.command.kind === "press" ? routePress(turn) : routeText(turn);
}

async function routeText(turn: Turn): Promise<Reply> {
  const { text, code } = turn.command;
  if (code !== undefined) return turn.tooOld ? refuseTooOld(turn) : resumeByCode(turn, code);
  const reason = killReason(text);
  if (reason !== null) return kill(turn, reason);
  const command = parseCommand(text);
  if (command !== null) {
    const feature = Object.hasOwn(features, command.name) ? features[command.name] : undefined;
    if (feature === undefined) return unknown(text);
    if (turn.tooOld && riskCommands.has(command.name)) return refuseTooOld(turn);
    // A new command ends a guided trade; /cancel does so by itself and says it.
    if (command.name !== "cancel") turn.chat.endGuide(turn.deps.now());
    return feature(turn, command.args);
  }
  return routeWords(turn, text);
}

async function routeWords(turn: Turn, text: string): Promise<Reply> {
  const guide = turn.chat.guided(turn.deps.now());
  if (guide !== null) {
    return turn.tooOld ? refuseTooOld(turn) : guidedText(turn, guide, text);
  }
  const link = parseMarketLink(text);
  if (link !== null)
    return namedMarket(turn, { by: "catalog", ref: link, isLink: true }, link.value);
  const named = parseListNumber(turn, text) ?? parseMarketName(text.trim());
  if (named !== null) return namedMarket(turn, named, text.trim());
  return (await talkedOf(turn, text.trim())) ?? unknown(text);
}

/** "4" below a list is its row; without such a row it is just text. */
function parseListNumber(turn: Turn, text: string): MarketText | null {
  const row = parseRowNumber(text);
  return row === null || turn.chat.row(row) === null ? null : { by: "row", row };
}

function unknown(text: string): Reply {
  return answered(message(renderUnknown(text)));
}

async function routePress(turn: Turn): Promise<Reply> {
  const press = parsePressData(turn.command.text);
  if (press?.verb === "kill") return kill(turn, "");
  const stored = press === null ? null : turn.api.button(press.nonce);
  if (press === null || stored === null) return refuse(turn, { code: "card_unknown" });
  if (stored.chatId !== turn.actor.chatId) return refuse(turn, { code: "card_not_yours" });
  const action = decodeAction(stored.action);
  if (action === null) return refuse(turn, { code: "card_unknown" });
  const isConfirm = ["confirm", "confirmSet", "confirmCall"].includes(action.do);
  // A Confirm that waited must still be asked about: it may have been accepted before a restart.
  if (turn.tooOld && raisesRisk(action) && !isConfirm) {
    return refuseTooOld(turn, action.do === "resumeNow" ? pressedMessage(turn) : null);
  }
  return act(turn, action, press.nonce);
}

async function act(turn: Turn, action: BotAction, nonce: string): Promise<Reply> {
  switch (action.do) {
    case "home":
      return home(turn);
    case "help":
      return help(turn, action.topic);
    case "status":
      return status(turn);
    case "markets":
      return markets(turn, action.query, action.page);
    case "market":
      return marketCard(turn, action.id);
    case "refresh":
      return marketCard(turn, action.id, true);
    case "draft":
      return continueDraft(turn, action.draft);
    case "quote":
      return quoteCard(turn, action.request, action.replaces);
    case "confirm":
    case "confirmSet":
      return confirm(turn, action, nonce);
    case "call":
      return showCall(turn, action.request, action.replaces);
    case "confirmCall":
      return confirmCall(turn, action, nonce);
    case "discard":
      return discard(turn, action.nonce);
    case "orders":
      return orders(turn);
    case "cancel":
      return cancelOrders(turn, [action.clientOid]);
    case "cancelAll":
      return action.sure ? cancelAll(turn) : askCancelAll(turn);
    case "askPrice":
      return askPrice(turn, action.clientOid);
    case "reprice":
      return replaceCard(turn, action.clientOid, action.limit, action.replaces);
    case "positions":
      return positions(turn);
    case "acceptRules":
      return acceptRules(turn, action.conditionId, action.ruleHash);
    case "arb":
      return arb(turn, action.page);
    case "arbSet":
      return arbDetails(turn, action.setId);
    case "arbQuote":
      return quoteSet(turn, action.setId, action.replaces);
    case "kill":
      return kill(turn, "");
    case "resume":
      return askResume(turn);
    case "resumeNow":
      return confirmResume(turn, action, nonce);
  }
}
