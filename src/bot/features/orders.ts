import type { ExternalOrderView, OrderView } from "../../engine/api/views.ts";
import { externalLine } from "../render/external.ts";
import { modeTag } from "../render/mode.ts";
import { renderOrderDetails } from "../render/order-details.ts";
import { orderCount, orderLine, ordersKeyboard, renderOrders } from "../render/orders.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { answered, executed, message, pressedMessage, type Reply, type Turn } from "../turn.ts";
import { refuse } from "./refusals.ts";

const linesShown = 20;

/** The desk's own open orders. */
export function openOrders(turn: Turn): readonly OrderView[] {
  const isOver = new Set(["filled", "canceled", "rejected"]);
  return turn.api.orders().filter((order) => !isOver.has(order.status));
}

/** `/orders ID`: everything about one order, also after its end. `/orders`: what is open, refreshed by its button. */
export function orders(turn: Turn, args = ""): Reply {
  if (args.trim() !== "") return orderDetails(turn, args.trim());
  const open = openOrders(turn);
  const isRefresh = turn.command.text.startsWith("v1:orders:");
  return answered(
    message(
      renderOrders(turn.deps.mode, open, turn.api.externalOrders(), turn.deps.now()),
      ordersKeyboard(open, turn.buttons),
      isRefresh ? pressedMessage(turn) : null,
    ),
  );
}

function orderDetails(turn: Turn, typed: string): Reply {
  const found = typed.length >= 4 ? matching(turn.api.orders(), typed) : [];
  const [order] = found;
  if (order === undefined) return refuse(turn, { code: "order_unknown" });
  if (found.length === 1) return answered(message(renderOrderDetails(turn.deps.mode, order)));
  const text = new TextBuilder()
    .line(`${found.length} orders begin with that.`)
    .plain("Use more characters of the id.");
  return answered(message(text.build()));
}

/** Orders whose short id, hash or client id begins with what was typed. */
export function matching(open: readonly OrderView[], typed: string): readonly OrderView[] {
  const wanted = typed.toLowerCase().replace(/^0x/u, "");
  return open.filter((order) =>
    [order.shortId, order.orderHash.replace(/^0x/u, ""), order.clientOid].some((id) =>
      id.toLowerCase().startsWith(wanted),
    ),
  );
}

/** `/cancel [id|all]`. Inside a guided trade it ends that instead. */
export async function cancel(turn: Turn, args: string): Promise<Reply> {
  const typed = args.trim();
  if (typed === "" && turn.chat.endGuide(turn.deps.now())) {
    const text = new TextBuilder().plain("Ended. Nothing was sent.").build();
    return executed("guide_ended", message(text));
  }
  if (typed === "") return orders(turn);
  if (typed.toLowerCase() === "all") return cancelAll(turn);
  const found = typed.length >= 4 ? matching(openOrders(turn), typed) : [];
  const foreign = typed.length >= 4 ? matchingExternal(turn, typed) : [];
  const count = found.length + foreign.length;
  if (count > 1) {
    const text = new TextBuilder()
      .line(`${count} orders begin with that. Nothing was canceled.`)
      .plain("Use more characters of the id.");
    return answered(message(text.build()));
  }
  const [own] = found;
  if (own !== undefined) return cancelOrders(turn, [own.clientOid]);
  const [other] = foreign;
  if (other !== undefined) return cancelExternal(turn, other);
  return refuse(turn, { code: "order_unknown" });
}

function matchingExternal(turn: Turn, typed: string): readonly ExternalOrderView[] {
  const wanted = typed.toLowerCase().replace(/^0x/u, "");
  return turn.api.externalOrders().filter((order) => order.orderHash.slice(2).startsWith(wanted));
}

/** An order of somebody else on the account ends only when it is named: /cancel all leaves it alone. */
async function cancelExternal(turn: Turn, order: ExternalOrderView): Promise<Reply> {
  const { actor, command, api, deps } = turn;
  const asked = await api.cancelExternal(actor, command.commandId, order.orderHash);
  if (!asked.ok) return refuse(turn, asked.error);
  const text = new TextBuilder();
  text.bold(`${modeTag(deps.mode)} · CANCEL asked for 1 external order`).line();
  text.line(externalLine(order)).plain("/orders shows when it is gone. Order ").code(order.shortId);
  return executed("cancel_asked", message(text.build()));
}

/**
 * Everything that is open. Canceling lowers risk, so its age does not matter; but a message that waited cancels only what
 * was open when it was written.
 */
export async function cancelAll(turn: Turn): Promise<Reply> {
  if (!turn.tooOld) return cancelOrders(turn, "all");
  const then = openOrders(turn).filter((order) => order.createdAtMs <= turn.command.sentAtMs);
  return cancelOrders(
    turn,
    then.map((order) => order.clientOid),
  );
}

/** Asks the engine to cancel; each order's end comes as a notice. */
export async function cancelOrders(turn: Turn, which: readonly string[] | "all"): Promise<Reply> {
  const asked = await turn.api.cancelOrders(turn.actor, turn.command.commandId, which);
  if (!asked.ok) return refuse(turn, asked.error);
  const list = asked.value.asked;
  const text = new TextBuilder();
  text.bold(`${modeTag(turn.deps.mode)} · CANCEL asked for ${orderCount(list.length)}`).line();
  for (const order of list.slice(0, linesShown)) {
    text
      .plain(`${orderLine(order)} · `)
      .code(order.shortId)
      .line();
  }
  text.plain(
    list.length === 0 ? "There was nothing to cancel." : "Each one's end follows as a message.",
  );
  return executed("cancel_asked", message(text.build()));
}

/** [Cancel all]: a second press is needed. */
export function askCancelAll(turn: Turn): Reply {
  const count = openOrders(turn).length;
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · Cancel all ${count} open orders?`)
    .line()
    .plain("Positions are kept.")
    .build();
  const sure = turn.buttons.make("Yes, cancel all", { do: "cancelAll", sure: true }, "danger");
  return answered(message(text, [[turn.buttons.make("No", { do: "orders" }), sure]]));
}
