import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FeeSchedule } from "../engine/domain/fees.ts";
import { type Price, parsePrice, parseShares, type Shares } from "../engine/domain/numbers.ts";
import { applySnapshot, createOrderBook, type Level } from "../engine/domain/order-book.ts";
import type { SetLeg } from "../engine/strategies/complete-sets.ts";

/** Recorded YES books of one event, as legs of a complete set. */
export type RecordedSet = {
  readonly eventId: string;
  readonly title: string;
  /** Outcomes that the event declares; a set needs a leg for each. */
  readonly outcomes: number;
  readonly legs: readonly SetLeg[];
};

/** Files that cannot be read as recorded complete sets. */
export class SetFileError extends Error {
  override readonly name = "SetFileError";
}

const maxFileBytes = 256 * 1024 * 1024;
const finestTick = 1 as Price;
const usualMinOrderSize = 5_000_000 as Shares;

type Fields = Readonly<Record<string, unknown>>;

/** The recorded sets of a folder: `books*.json` or `.json.gz` in it or in its `complete-sets`. @throws SetFileError */
export function readRecordedSets(dir: string, fee: FeeSchedule): readonly RecordedSet[] {
  const books = readBooks(booksFile(dir));
  const sets = new Map<string, { title: string; outcomes: number; legs: SetLeg[] }>();
  for (const [tokenId, book] of Object.entries(books)) {
    const fields = fieldsOf(book, tokenId);
    const eventId = fields["event_id"];
    const outcomes = fields["n_markets"];
    if (typeof eventId !== "string" || typeof outcomes !== "number") {
      throw new SetFileError(`book ${tokenId}: event_id and n_markets are missing`);
    }
    const title = typeof fields["event_title"] === "string" ? fields["event_title"] : eventId;
    const set = sets.get(eventId) ?? { title, outcomes, legs: [] };
    set.legs.push(legOf(fields, tokenId, fee));
    sets.set(eventId, set);
  }
  return [...sets].map(([eventId, set]) => ({ eventId, ...set }));
}

function booksFile(dir: string): string {
  for (const folder of [dir, join(dir, "complete-sets")]) {
    if (!existsSync(folder) || !statSync(folder).isDirectory()) continue;
    const name = readdirSync(folder)
      .sort()
      .findLast((file) => /^books.*\.json(?:\.gz)?$/.test(file));
    if (name !== undefined) return join(folder, name);
  }
  throw new SetFileError(`${dir}: no books*.json of complete sets`);
}

function readBooks(file: string): Fields {
  try {
    const bytes = readFileSync(file);
    const text = file.endsWith(".gz")
      ? gunzipSync(bytes, { maxOutputLength: maxFileBytes }).toString("utf8")
      : bytes.toString("utf8");
    return fieldsOf(JSON.parse(text), file);
  } catch (error) {
    if (error instanceof SetFileError) throw error;
    throw new SetFileError(`${file}: ${error instanceof Error ? error.message : "unreadable"}`);
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SetFileError(`${what}: not an object`);
  }
  return value as Fields;
}

function legOf(fields: Fields, tokenId: string, fee: FeeSchedule): SetLeg {
  const book = createOrderBook(finestTick);
  applySnapshot(book, 0, levels(fields["bids"], tokenId), levels(fields["asks"], tokenId));
  return { book, outcome: 0, fee, tickSize: finestTick, minOrderSize: usualMinOrderSize };
}

function levels(value: unknown, tokenId: string): readonly Level[] {
  if (!Array.isArray(value)) throw new SetFileError(`book ${tokenId}: a side is missing`);
  return (value as readonly unknown[]).map((item) => {
    const level = fieldsOf(item, `book ${tokenId}`);
    const price = typeof level["price"] === "string" ? parsePrice(level["price"]) : null;
    const size = typeof level["size"] === "string" ? parseShares(level["size"]) : null;
    if (price === null || size === null) throw new SetFileError(`book ${tokenId}: a bad level`);
    return { price, size };
  });
}
