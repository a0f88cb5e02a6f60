/** The venue's keyset pages stop at 100 rows. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

/** A row of a listing that is sorted by a key (null: by its id alone), written only when it is on the page. */
export type KeysetRow<Shape = { readonly arrays: boolean }> = {
  readonly id: string;
  readonly key: number | null;
  readonly json: (shape: Shape) => unknown;
};

/** Rows of another source that stand in the same order: at most `limit` behind an id (null: from the start). */
export type MoreRows = (
  after: string | null,
  ascending: boolean,
  limit: number,
) => readonly KeysetRow[];

type Place = Pick<KeysetRow, "id" | "key">;

/** Ids are numbers in strings; one that is none (of a market that came without an event) stands behind them. */
export function compareIds(a: string, b: string): number {
  const x = Number(a);
  const y = Number(b);
  if (Number.isNaN(x) || Number.isNaN(y)) {
    return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || (a < b ? -1 : Number(a > b));
  }
  return x - y;
}

/** By key, then by id, so that every row has one place. */
export function compareRows(a: Place, b: Place, ascending: boolean): number {
  const upwards = (a.key ?? 0) - (b.key ?? 0) || compareIds(a.id, b.id);
  return ascending ? upwards : 0 - upwards;
}

/**
 * One page behind a cursor. The cursor holds the place of the last row, not the row: a listing that lost it meanwhile
 * still goes on from there, so that nothing is skipped or shown twice while markets appear and close.
 */
export function keysetPage(
  rows: readonly KeysetRow[],
  query: URLSearchParams,
  name: "markets" | "events",
  more: MoreRows | null,
): { readonly status: number; readonly body: unknown } {
  const asked = Number(query.get("limit") ?? DEFAULT_LIMIT);
  const limit = Number.isInteger(asked) ? Math.max(1, Math.min(MAX_LIMIT, asked)) : DEFAULT_LIMIT;
  const after = placeIn(query.get("after_cursor") ?? "");
  if (after === "invalid") {
    const error = "invalid after_cursor";
    return { status: 422, body: { type: "validation error", error } };
  }
  // Without an order the listing runs upwards by id; with one, downwards unless asked otherwise.
  const ascending = query.get("order") === null || query.get("ascending") === "true";
  const all = [...rows, ...(more?.(after?.id ?? null, ascending, limit + 1) ?? [])];
  const behind = all
    .filter((row) => after === null || compareRows(row, after, ascending) > 0)
    .toSorted((a, b) => compareRows(a, b, ascending));
  const page = behind.slice(0, limit);
  const last = page.at(-1);
  const body: Record<string, unknown> = { [name]: page.map((row) => row.json({ arrays: true })) };
  // A missing next_cursor is how the venue says that this was the last page.
  if (behind.length > limit && last !== undefined) {
    body["next_cursor"] = Buffer.from(JSON.stringify([last.key, last.id])).toString("base64url");
  }
  return { status: 200, body };
}

function placeIn(cursor: string): Place | "invalid" | null {
  if (cursor === "") return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(value)) return "invalid";
    const [key, id] = value as unknown[];
    if (typeof id !== "string") return "invalid";
    return { id, key: typeof key === "number" ? key : null };
  } catch {
    return "invalid";
  }
}
