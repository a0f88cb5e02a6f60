import type { AccountEvent } from "../../engine/protocol/venue-report.ts";
import { parseTrade, parseVenueOrder, type Self } from "./parse-account.ts";
import type { RefusalReason } from "./parse-book.ts";
import { arrayOf, type Fields, fieldsOf, jsonOf } from "./wire.ts";

export type UserFrame = {
  readonly events: readonly AccountEvent[];
  readonly refused: readonly RefusalReason[];
};

const maxDepth = 6;
const maxMessages = 5_000;

/** Reads one frame of the user channel: orders and trades of our own account. Total. */
export function parseUserFrame(text: string, self: Self): UserFrame {
  const events: AccountEvent[] = [];
  const refused: RefusalReason[] = [];
  if (text.trim() === "" || text.toUpperCase() === "PONG") return { events, refused };
  const value = jsonOf(text);
  if (value === undefined) return { events, refused: ["not_json"] };
  readValue(value, 0);
  return { events, refused };

  function readValue(item: unknown, depth: number): void {
    const list = arrayOf(item);
    const fields = fieldsOf(item);
    if (depth > maxDepth) refused.push("too_deep");
    else if (list !== null) {
      if (events.length + refused.length + list.length > maxMessages) refused.push("too_many");
      else for (const entry of list) readValue(entry, depth + 1);
    } else if (fields === null) refused.push("bad_shape");
    else readObject(fields, depth);
  }

  function readObject(fields: Fields, depth: number): void {
    const inner = fields["data"] ?? fields["payload"];
    if (typeof inner === "object" && inner !== null && fields["id"] === undefined) {
      readValue(inner, depth + 1);
      return;
    }
    const kind = kindOf(fields);
    if (kind === "order") {
      const order = parseVenueOrder(fields);
      if (order.ok) events.push({ kind: "order.reported", order: order.value });
      else refused.push(order.error);
    } else if (kind === "trade") {
      const fills = parseTrade(fields, self);
      if (!fills.ok) refused.push(fills.error);
      else for (const fill of fills.value) events.push({ kind: "fill.reported", fill });
    } else refused.push("foreign");
  }
}

/** Some captures leave event_type out; the members tell. */
function kindOf(fields: Fields): "order" | "trade" | null {
  const named = fields["event_type"];
  if (named === "order" || named === "trade") return named;
  if (named !== undefined) return null;
  if (fields["taker_order_id"] !== undefined) return "trade";
  return fields["original_size"] !== undefined ? "order" : null;
}
