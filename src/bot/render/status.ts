import type { DeskView, FeedView } from "../../engine/api/views.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { money, percentOf } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration, utcTime } from "../text/time-text.ts";
import { modeTag, tradingLine } from "./mode.ts";

function netLine(view: DeskView): string {
  const net = view.cash + view.positionsUsd;
  const unpriced =
    view.unpriced === 0 ? "" : ` (${view.unpriced} without a price count as nothing)`;
  const age =
    view.positionsAgeMs === null ? "" : ` at bids up to ${duration(view.positionsAgeMs)} old`;
  return `Cash ${money(view.cash)} · Positions ${money(view.positionsUsd)}${age}${unpriced} · Locked ${money(view.locked)} · Net ${money(net as typeof view.cash)}`;
}

/** The home screen. */
export function renderHome(view: DeskView): RichText {
  const text = new TextBuilder().bold(`${modeTag(view.mode)} · Polymarket desk`).line();
  text.line(netLine(view));
  text.line(
    `${view.openOrders} open orders · ${view.positions} positions · exposure ${percentOf(view.exposureUsd, view.exposureCapUsd)} of limit`,
  );
  text.line(view.trading.state === "active" ? "Kill switch off" : tradingLine(view.trading));
  text.line();
  text.line("I can: show markets, buy and sell, scan for arbitrage sets, cancel, and stop it all.");
  text.line("I can never: withdraw money, send it anywhere, or show or take a key.");
  text.plain(
    "To stop everything: /kill, at any time, no questions asked. Start with /markets or /help.",
  );
  return text.build();
}

export function homeKeyboard(buttons: ButtonMaker): Keyboard {
  return [
    [
      buttons.make("Markets", { do: "markets", query: "", page: 0 }),
      buttons.make("Positions", { do: "positions" }),
      buttons.make("Orders", { do: "orders" }),
    ],
    [
      buttons.make("Arb", { do: "arb", page: 0 }),
      buttons.make("Status", { do: "status" }),
      buttons.make("■ Kill", { do: "kill" }, "danger"),
    ],
  ];
}

function feedText(feed: FeedView): string {
  const age = feed.ageMs === null ? "nothing yet" : duration(feed.ageMs);
  return `${feed.name} ${feed.up ? "●" : "○"} ${age}`;
}

function oldestText({ data: { oldestMs } }: DeskView): string {
  return oldestMs === null ? "" : ` · oldest ${duration(oldestMs)}`;
}

function dataLine({ data }: DeskView): string {
  const share =
    data.applied === 0 ? "" : ` (${((100 * data.resyncs) / data.applied).toFixed(2)} %)`;
  const trust = data.hashesTrusted ? "" : " · hashes fail: no buys";
  return `Data ${data.applied} frames · ${data.invalid} invalid · ${data.resyncs} resyncs${share}${trust}`;
}

/** The whole state of the desk on one screen. */
export function renderStatus(view: DeskView): RichText {
  const text = new TextBuilder();
  text.bold(`${modeTag(view.mode)} · STATUS · up ${duration(view.atMs - view.startedAtMs)}`).line();
  text.line(`Trading ${view.trading.state === "active" ? "on" : tradingLine(view.trading)}`);
  text.line(`Feeds ${view.feeds.map(feedText).join(" · ")}`);
  text.line(`Books ${view.booksLive} live · ${view.booksStale} stale${oldestText(view)}`);
  text.line(dataLine(view));
  text.plain(`Engine queue ${view.queue} · ledger ${view.ledgerSeq} · last order `);
  if (view.lastOrderAtMs === null) text.line("none yet");
  else text.relativeTime(view.lastOrderAtMs, utcTime(view.lastOrderAtMs)).line();
  text.line(netLine(view));
  text.line(
    `Orders ${view.openOrders} open · ${view.inFlightOrders} in flight · ${view.unknownOrders} unknown`,
  );
  text.line(
    `Exposure ${money(view.exposureUsd)}, ${percentOf(view.exposureUsd, view.exposureCapUsd)} of ${money(view.exposureCapUsd)}`,
  );
  if (view.mode === "live") {
    text.line(
      `Resume in two steps, ${view.resumeNeedsCode ? "the second with a code" : "no code"}`,
    );
  }
  const warnings = view.warnings.map((warning) => cleanText(warning, 200));
  text.plain(`Warnings ${warnings.length === 0 ? "none" : warnings.join(" · ")}`);
  text.plain(`\nAs of ${utcTime(view.atMs)}`);
  return text.build();
}

export function statusKeyboard(view: DeskView, buttons: ButtonMaker): Keyboard {
  const safety =
    view.trading.state === "active" || view.trading.state === "reducing"
      ? buttons.make("■ Kill", { do: "kill" }, "danger")
      : buttons.make("Resume…", { do: "resume" });
  return [[buttons.make("Refresh", { do: "status" }), safety]];
}
