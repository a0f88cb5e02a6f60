import { badRequest } from "../exchange/venue-error.ts";
import type { HttpReply } from "./route.ts";
import { reply } from "./route.ts";

const PAGE_SIZE = 500;
/** Base64 of -1: there is nothing after this page. */
const END = "LTE=";

/** Offset that a cursor stands for: 0 at first, null at the end. Throws 400 for anything else. */
function offsetOf(cursor: string | null): number | null {
  if (cursor === null || cursor === "") return 0;
  if (cursor === END) return null;
  const text = Buffer.from(cursor, "base64").toString();
  if (!/^\d{1,9}$/.test(text)) throw badRequest("next item should be greater than or equal to 0");
  return Number(text);
}

/** A page in the venue's envelope. `read` gets at most `limit` items from `offset`. */
export function page<T>(
  cursor: string | null,
  read: (offset: number, limit: number) => readonly T[],
): HttpReply {
  const offset = offsetOf(cursor);
  // One more than a page tells whether another page follows.
  const items = offset === null ? [] : read(offset, PAGE_SIZE + 1);
  const data = items.slice(0, PAGE_SIZE);
  const more = offset !== null && items.length > PAGE_SIZE;
  const next = more ? Buffer.from(String(offset + PAGE_SIZE)).toString("base64") : END;
  return reply({ data, next_cursor: next, limit: PAGE_SIZE, count: data.length });
}

export function listPage<T>(items: readonly T[], cursor: string | null): HttpReply {
  return page(cursor, (offset, limit) => items.slice(offset, offset + limit));
}
