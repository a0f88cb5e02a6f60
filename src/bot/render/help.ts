import { type RichText, TextBuilder } from "../text/rich-text.ts";

/** Limits that the help names; they come from the config. */
export type HelpLimits = { readonly minOrderUsd: number; readonly confirmTtlSeconds: number };

type Topic = { readonly usage: string; readonly lines: readonly string[] };

const tradeLines = (side: "buy" | "sell"): readonly string[] => [
  `market  #1 of the last list, a link, a slug, or "quoted words"`,
  "side    the outcome's name: yes, no, up, ...",
  side === "buy"
    ? "amount  $25 or 25 (dollars), 40sh (shares), 50% or max (of free cash)"
    : "amount  40sh (shares), $25, 50% or max (of confirmed shares)",
  "@0.62 or @62c   limit price; without one the order takes what is there",
  "fok all or nothing · fak take and drop the rest · gtc rest · gtd=1h rest for an hour",
  "slip=2  percent that an order without a price may be worse than the average",
  `Examples: /${side} #1 yes $25   /${side} fed-decision-in-december no 40sh @0.35 gtd=2h`,
];

const topics: Readonly<Record<string, Topic>> = {
  buy: { usage: "/buy market side amount [@price] [options]", lines: tradeLines("buy") },
  sell: { usage: "/sell market side amount [@price] [options]", lines: tradeLines("sell") },
  markets: {
    usage: "/markets [words]",
    lines: [
      "Without words: the busiest markets. With words: those that have them all.",
      "Also a slug, a link, or a tag: /markets #crypto",
      "A number opens the card; #n in other commands means row n of the last list.",
      "A link to polymarket.com or a slug opens its market too.",
    ],
  },
  arb: {
    usage: "/arb",
    lines: [
      "Complete sets, best profit after fees first; refused ones say why.",
      "Details, then Execute, then Confirm: equal shares of every leg, each leg's fate is told.",
    ],
  },
  redeem: {
    usage: "/redeem [market]",
    lines: [
      "Dollars for the shares of a resolved market. Without a market: the list of what waits.",
    ],
  },
  wrap: {
    usage: "/wrap $25",
    lines: ["USDC.e of the wallet becomes pUSD, which the venue trades, one for one."],
  },
  merge: {
    usage: "/merge market [25sh|max]",
    lines: ["Equal shares of both outcomes become dollars, one each. Only confirmed shares."],
  },
  split: {
    usage: "/split market $25",
    lines: [
      "Dollars become as many shares of each outcome. Counts as exposure until merged or sold.",
    ],
  },
  convert: {
    usage: "/convert market [25sh|max]",
    lines: [
      "In an event with exactly one winner: NO of this market, and of every other one of which you",
      "hold as many, becomes YES of all the rest and a dollar for every NO but one, less the fee.",
    ],
  },
  cancel: {
    usage: "/cancel [id|all]",
    lines: ["An id is what /orders shows. Without one: the orders with a button each."],
  },
  orders: {
    usage: "/orders [id]",
    lines: [
      "What is open, and what others ordered on the account.",
      "With an id, also of an order that is over: its fills, its fee, its request and how long each stage took.",
    ],
  },
  replace: {
    usage: "/replace ID PRICE",
    lines: [
      "Moves a resting order to another price, after a card. /replace 1a2b3c4d 0.61",
      "The old order is canceled and proven gone first; what it filled counts, only its rest is sent.",
    ],
  },
  kill: {
    usage: "/kill [reason]",
    lines: [
      "At once: no new orders, all open orders are canceled, positions are kept.",
      "Works at any age of the message, also as the bare word: kill",
    ],
  },
  resume: {
    usage: "/resume",
    lines: [
      "Shows what changed, then a button that works after some seconds turns trading on.",
      "Where the desk has a code secret: the six digits of your authenticator app instead, also as /resume 123456.",
    ],
  },
};

const overview: readonly (readonly [string, string])[] = [
  ["Look", "/status · /markets election · /positions · /orders"],
  ["Trade", "/buy #1 yes $25 · /sell #1 yes max · /replace ID 0.61 · /cancel all"],
  ["Automate", "/arb"],
  ["Shares", "/redeem · /merge #1 max · /split #1 $25 · /convert #1 max"],
  ["Safety", "/kill · /resume"],
];

/** `/help` on one screen, or one command in detail. */
export function renderHelp(limits: HelpLimits, topic: string): RichText {
  const name = topic.trim().toLowerCase().replace(/^\//u, "");
  const known = Object.hasOwn(topics, name) ? topics[name] : undefined;
  const text = new TextBuilder();
  if (known !== undefined) {
    text.code(known.usage).line();
    for (const line of known.lines) text.line(line);
    return text.build();
  }
  text.bold("HELP").line();
  for (const [group, example] of overview) text.bold(group).line(`  ${example}`);
  text.line();
  text.line(
    `A trade is shown as a card first and sent only when you press Confirm; a card lives ${limits.confirmTtlSeconds} s. Orders below $${limits.minOrderUsd} are refused.`,
  );
  return text
    .plain(
      `More: ${Object.keys(topics)
        .map((key) => `/help ${key}`)
        .join(" · ")}`,
    )
    .build();
}

/** The answer to text that is no command. */
export function renderUnknown(text: string): RichText {
  const start = text.startsWith("/") ? "I do not know that command." : "I did not understand that.";
  return new TextBuilder()
    .line(start)
    .line("Try /markets election, paste a polymarket.com link, or /buy #1 yes $25.")
    .plain("/help lists everything; /kill stops everything.")
    .build();
}

/** Commands for Telegram's own menu. */
export const menuCommands: readonly { readonly command: string; readonly description: string }[] = [
  { command: "status", description: "State of desk, feeds and money" },
  { command: "markets", description: "Busiest markets, or a search" },
  { command: "buy", description: "Buy: market side amount" },
  { command: "sell", description: "Sell: market side amount" },
  { command: "orders", description: "Open orders" },
  { command: "positions", description: "What is held" },
  { command: "arb", description: "Arbitrage sets after fees" },
  { command: "replace", description: "Move an order to another price" },
  { command: "redeem", description: "Get paid for resolved markets" },
  { command: "merge", description: "Both outcomes back to dollars" },
  { command: "split", description: "Dollars to both outcomes" },
  { command: "convert", description: "NO shares of an event to YES" },
  { command: "cancel", description: "Cancel an order, or all" },
  { command: "kill", description: "Stop everything at once" },
  { command: "resume", description: "Trade again after a kill" },
  { command: "help", description: "All commands" },
];
