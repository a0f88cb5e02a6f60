import type { DeskMode, TradingView } from "../../engine/api/views.ts";
import { cleanText } from "../text/clean-text.ts";
import { utcTime } from "../text/time-text.ts";
import { explainHalt } from "./explain-halt.ts";
import { explainReducing, restriction } from "./explain-reducing.ts";

/** First word of every trading message: whose money it is. */
export function modeTag(mode: DeskMode): string {
  switch (mode) {
    case "paper":
      return "PAPER";
    case "dry-run":
      return "DRY-RUN";
    case "live":
      return "LIVE";
  }
}

/** The trading state in one line: "trading on", "KILLED since 14:03:21 UTC by 42: reason". */
export function tradingLine(trading: TradingView): string {
  const note = trading.note === "" ? "" : `: ${cleanText(trading.note, 120)}`;
  const who = trading.byUserId === null ? "" : ` by ${trading.byUserId}`;
  switch (trading.state) {
    case "active":
      return "trading on";
    case "reducing": {
      const why = trading.causes.map((cause) => explainReducing(cause).what).join("; ");
      return `${restriction(trading.causes)} since ${utcTime(trading.sinceMs)}: ${why}`;
    }
    case "halted":
      return `HALTED since ${utcTime(trading.sinceMs)}: ${
        trading.reason === null ? "no reason given" : explainHalt(trading.reason).what
      }`;
    case "killed":
      return `KILLED since ${utcTime(trading.sinceMs)}${who}${note}`;
  }
}
