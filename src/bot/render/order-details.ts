import type { DeskMode, OrderView } from "../../engine/api/views.ts";
import { averageCents, cents, money, moneyExact, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { utcTime } from "../text/time-text.ts";
import { explainReject } from "./explain-order.ts";
import { modeTag } from "./mode.ts";
import { orderLine, stateText } from "./orders.ts";

const stages = [
  ["decided", "decidedMs"],
  ["committed", "committedMs"],
  ["sent", "sentMs"],
  ["acknowledged", "acknowledgedMs"],
  ["filled", "filledMs"],
] as const;

/** "decided 3 ms → committed 5.1 ms → sent – → …": after the command was received. */
function timingText(order: OrderView): string {
  return stages
    .map(([name, key]) => {
      const ms = order.timing[key];
      return `${name} ${ms === null ? "–" : `${Math.round(ms * 10) / 10} ms`}`;
    })
    .join(" → ");
}

/** Everything that the desk knows of one order. */
export function renderOrderDetails(mode: DeskMode, order: OrderView): RichText {
  const text = new TextBuilder().bold(`${modeTag(mode)} · ORDER ${order.shortId}`).line();
  text.line(`${orderLine(order)} · ${order.timeInForce} · ${stateText(order)}`);
  text.line(cleanText(order.question, 100));
  if (order.filled > 0) {
    const average = averageCents(order.filledUsd, order.filled);
    text.line(
      `Filled ${sharesExact(order.filled)} @ ${average} = ${moneyExact(order.filledUsd)} · fee ${moneyExact(order.feesUsd)}`,
    );
  }
  if (order.rejectReason !== null) text.line(explainReject(order.rejectReason).what);
  text.line(`Limit ${cents(order.limit)} · locks ${money(order.reservedUsd)}`);
  text.line(`Placed ${utcTime(order.createdAtMs)} · ${order.strategy}`);
  text.line(`After the command: ${timingText(order)}`);
  return text
    .plain("Request ")
    .code(order.timing.requestId)
    .plain(" · id ")
    .code(order.orderHash)
    .build();
}
