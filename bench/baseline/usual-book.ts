// The usual way to follow a market: JSON.parse, a zod schema, a Map of texts for each side, sorted after each change.
import { createHash } from "node:crypto";
import { z } from "zod";

const changeSchema = z.object({
  asset_id: z.string(),
  price: z.string(),
  size: z.string(),
  side: z.enum(["BUY", "SELL"]),
  hash: z.string(),
  best_bid: z.string(),
  best_ask: z.string(),
});
const levelSchema = z.object({ price: z.string(), size: z.string() });
const bookSchema = z.object({
  event_type: z.literal("book"),
  market: z.string(),
  asset_id: z.string(),
  timestamp: z.string(),
  hash: z.string(),
  bids: z.array(levelSchema),
  asks: z.array(levelSchema),
  tick_size: z.string(),
  min_order_size: z.string(),
  neg_risk: z.boolean(),
  last_trade_price: z.string(),
});
const priceChangeSchema = z.object({
  event_type: z.literal("price_change"),
  market: z.string(),
  timestamp: z.string(),
  price_changes: z.array(changeSchema),
});
const messageSchema = z.discriminatedUnion("event_type", [bookSchema, priceChangeSchema]);
const frameSchema = z.union([messageSchema, z.array(messageSchema)]);

type BookMessage = z.infer<typeof bookSchema>;
type PriceChangeMessage = z.infer<typeof priceChangeSchema>;

export type UsualLevel = { readonly price: number; readonly size: number };
type Row = { readonly price: string; readonly size: string };

/** The book of one token. */
export class UsualBook {
  readonly #terms: Omit<BookMessage, "bids" | "asks" | "event_type">;
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();
  /** Best first. */
  bids: readonly UsualLevel[] = [];
  asks: readonly UsualLevel[] = [];

  constructor(terms: BookMessage, tokenId: string, bids: readonly Row[], asks: readonly Row[]) {
    this.#terms = { ...terms, asset_id: tokenId };
    for (const row of bids) this.#bids.set(row.price, row.size);
    for (const row of asks) this.#asks.set(row.price, row.size);
    this.bids = sorted(this.#bids, "BUY");
    this.asks = sorted(this.#asks, "SELL");
  }

  set(side: "BUY" | "SELL", price: string, size: string): void {
    const levels = side === "BUY" ? this.#bids : this.#asks;
    if (Number(size) === 0) levels.delete(price);
    else levels.set(price, size);
    if (side === "BUY") this.bids = sorted(levels, side);
    else this.asks = sorted(levels, side);
  }

  /** SHA-1 of the compact JSON of the summary, rebuilt. */
  hash(timestamp: string): string {
    const terms = this.#terms;
    const summary = {
      market: terms.market,
      asset_id: terms.asset_id,
      timestamp,
      hash: "",
      bids: rows(this.#bids, "SELL"),
      asks: rows(this.#asks, "BUY"),
      min_order_size: terms.min_order_size,
      tick_size: terms.tick_size,
      neg_risk: terms.neg_risk,
      last_trade_price: terms.last_trade_price,
    };
    return createHash("sha1").update(JSON.stringify(summary)).digest("hex");
  }
}

/** BUY: dearest first; SELL: cheapest first. */
function sorted(levels: ReadonlyMap<string, string>, side: "BUY" | "SELL"): readonly UsualLevel[] {
  return [...levels]
    .map(([price, size]) => ({ price: Number(price), size: Number(size) }))
    .sort((a, b) => (side === "BUY" ? b.price - a.price : a.price - b.price));
}

function rows(levels: ReadonlyMap<string, string>, order: "BUY" | "SELL"): readonly Row[] {
  return [...levels]
    .map(([price, size]) => ({ price, size }))
    .sort((a, b) =>
      order === "BUY" ? Number(b.price) - Number(a.price) : Number(a.price) - Number(b.price),
    );
}

/** All books that frames spoke of, by token. */
export class UsualBooks {
  readonly #verify: boolean;
  readonly #mirrors: ReadonlyMap<string, string>;
  readonly books = new Map<string, UsualBook>();
  hashesVerified = 0;
  mismatches = 0;

  /** `mirrors` names the other token of each market's first one. */
  constructor(mirrors: ReadonlyMap<string, string>, verify: boolean) {
    this.#mirrors = mirrors;
    this.#verify = verify;
  }

  read(text: string): void {
    const frame = frameSchema.parse(JSON.parse(text));
    for (const message of Array.isArray(frame) ? frame : [frame]) {
      if (message.event_type === "book") this.#snapshot(message);
      else this.#change(message);
    }
  }

  #snapshot(message: BookMessage): void {
    this.books.set(
      message.asset_id,
      new UsualBook(message, message.asset_id, message.bids, message.asks),
    );
    const other = this.#mirrors.get(message.asset_id);
    if (other === undefined) return;
    this.books.set(
      other,
      new UsualBook(message, other, mirrored(message.asks), mirrored(message.bids)),
    );
  }

  #change(message: PriceChangeMessage): void {
    for (const change of message.price_changes) {
      const book = this.books.get(change.asset_id);
      if (book === undefined) continue;
      book.set(change.side, change.price, change.size);
      const bid = book.bids[0]?.price;
      const ask = book.asks[0]?.price;
      if (bid !== Number(change.best_bid) || ask !== Number(change.best_ask)) this.mismatches++;
    }
    if (!this.#verify) return;
    for (const change of message.price_changes) {
      if (change.hash === "") continue;
      if (this.books.get(change.asset_id)?.hash(message.timestamp) === change.hash)
        this.hashesVerified++;
      else this.mismatches++;
    }
  }
}

function mirrored(levels: readonly Row[]): readonly Row[] {
  return levels.map(({ price, size }) => ({
    price: String(Math.round(10_000 - Number(price) * 10_000) / 10_000),
    size,
  }));
}
