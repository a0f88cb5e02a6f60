import type { DeskMode, ExternalOrderView, OrderView } from "../../engine/api/views.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { cents, money, moneyExact, sharesExact, sharesShort } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration } from "../text/time-text.ts";
import { externalLines } from "./external.ts";
import { modeTag } from "./mode.ts";

/** Orders on one screen; more are counted, not hidden. */
export const ordersShown = 8;

/** "BUY 40 Yes @ 62.0¢", or "BUY $25.00 of Yes up to 63.0¢" for an order that spends dollars. */
export function orderLine(order: OrderView): string {
  const name = cleanText(order.outcomeName, 30);
  const side = order.side.toUpperCase();
  return order.spend === null
    ? `${side} ${sharesExact(order.size)} ${name} @ ${cents(order.limit)}`
    : `${side} ${moneyExact(order.spend)} of ${name} up to ${cents(order.limit)}`;
}

/** "1 order", "2 orders". */
export function orderCount(count: number): string {
  return count === 1 ? "1 order" : `${count} orders`;
}

/** What an order is doing, in a few words. */
export function stateText(order: OrderView): string {
  if (order.delayed) return "DELAYED by the venue: may fill, cannot be canceled yet";
  if (order.cancelAsked) return "cancel asked";
  switch (order.status) {
    case "in_flight":
      return "being sent";
    case "unknown":
      return "UNKNOWN, may be live, being checked";
    case "live":
      return "resting";
    case "partially_filled":
      return `partly filled: ${sharesShort(order.filled)}`;
    case "filled":
    case "canceled":
    case "rejected":
      return order.status;
  }
}

/** Open orders, oldest first, with what they lock, then those of others on the account. */
export function renderOrders(
  mode: DeskMode,
  orders: readonly OrderView[],
  external: readonly ExternalOrderView[],
  nowMs: number,
): RichText {
  const text = new TextBuilder().bold(`${modeTag(mode)} · ORDERS · ${orders.length} open`).line();
  if (orders.length === 0) {
    text.line("No open orders. /buy #1 yes $25 @0.60 places a resting one.");
  }
  orders.slice(0, ordersShown).forEach((order, i) => {
    text.bold(`${i + 1}. `).plain(`${orderLine(order)} · ${order.timeInForce} · `);
    text.code(order.shortId).line();
    text.line(
      `    ${cleanText(order.question, 80)} · ${stateText(order)} · ${duration(nowMs - order.createdAtMs)} old · locks ${money(order.reservedUsd)}`,
    );
  });
  if (orders.length > ordersShown) text.line(`and ${orders.length - ordersShown} more`);
  externalLines(text, external);
  return text.build();
}

/** Rests, was placed by a person, and nobody asked for its end. */
export function canChangePrice(order: OrderView): boolean {
  const rests = order.status === "live" || order.status === "partially_filled";
  return rests && order.strategy === "manual" && order.spend === null && !order.cancelAsked;
}

export function ordersKeyboard(orders: readonly OrderView[], buttons: ButtonMaker): Keyboard {
  const cancels = orders
    .slice(0, ordersShown)
    .map((order, i) =>
      buttons.make(`Cancel ${i + 1}`, { do: "cancel", clientOid: order.clientOid }),
    );
  const prices = orders
    .slice(0, ordersShown)
    .flatMap((order, i) =>
      canChangePrice(order)
        ? [buttons.make(`Price ${i + 1}`, { do: "askPrice", clientOid: order.clientOid })]
        : [],
    );
  const rows = [cancels.slice(0, 4), cancels.slice(4), prices.slice(0, 4), prices.slice(4)].filter(
    (row) => row.length > 0,
  );
  const last = [buttons.make("Refresh", { do: "orders" })];
  if (orders.length > 0) {
    last.push(buttons.make("Cancel all", { do: "cancelAll", sure: false }, "danger"));
  }
  return [...rows, last];
}
