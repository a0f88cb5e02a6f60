import { fileURLToPath } from "node:url";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { MarketFrameReader } from "../../src/adapters/polymarket/scan-market-frame.ts";
import type { EngineInput } from "../../src/engine/core/input.ts";
import { step } from "../../src/engine/core/step.ts";
import { noFee } from "../../src/engine/domain/fees.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  type MarketBook,
} from "../../src/engine/domain/market-book.ts";
import type { MarketEvent } from "../../src/engine/domain/market-event.ts";
import { price, shares } from "../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import { engineSettings } from "../../src/engine-settings.ts";
import type { UsualBooks } from "../baseline/usual-book.ts";
import { demand } from "./bench-error.ts";
import type { FrameTape, TapeMarket } from "./frame-tape.ts";

const hasher = createHasher();

/** Our books of a tape's markets, fed with frames as the engine feeds them. */
export class LiveBooks {
  readonly books = new Map<string, MarketBook>();
  readonly #reader: MarketFrameReader;
  /** Frames that gave a refusal or an event that the book did not believe. */
  refused = 0;

  constructor(tape: FrameTape) {
    this.#reader = readerOf(tape);
    for (const { conditionId, tokenIds } of tape.markets) {
      const spec = { conditionId, tokenIds, tickSize: price(10), minOrderSize: shares(5_000_000) };
      this.books.set(conditionId, createMarketBook({ ...spec, negRisk: true }));
    }
  }

  read(bytes: Buffer): void {
    const frame = this.#reader.read(bytes);
    this.refused += frame.refused.length;
    for (const event of frame.events) this.apply(event);
  }

  apply(event: MarketEvent): void {
    const book = this.books.get(event.conditionId);
    if (book === undefined) return;
    if (applyMarketEvent(book, event, 0, hasher) !== null) this.refused++;
  }

  /** Verifies what the last frame of each market claimed, as the engine does once the feed is quiet. */
  close(): void {
    for (const book of this.books.values()) {
      if (checkClaims(book, hasher) !== null) this.refused++;
    }
  }

  hashesVerified(): number {
    return [...this.books.values()].reduce((sum, book) => sum + book.hashesVerified, 0);
  }
}

/** The same books inside the engine: every event is one step, as in the service. */
export class SteppedBooks {
  readonly #state = createState();
  readonly #settings = engineSettings(loadConfig(paperConfig));
  readonly #reader: MarketFrameReader;
  refused = 0;

  constructor(tape: FrameTape) {
    this.#reader = readerOf(tape);
    this.#step({ kind: "books.watched", markets: tape.markets.map(marketOf) });
  }

  get books(): ReadonlyMap<string, MarketBook> {
    return this.#state.live.books;
  }

  read(bytes: Buffer): void {
    const frame = this.#reader.read(bytes);
    this.refused += frame.refused.length;
    for (const event of frame.events) this.#step({ kind: "market", event });
  }

  #step(input: EngineInput): void {
    const envelope = { atMs: 0, entropy: "", correlationId: "market", input };
    // A book that is not believed asks for another one.
    this.refused += step(this.#state, this.#settings, hasher, envelope).effects.length;
  }
}

/** A reader that was told of the tape's markets, as the feed tells its own. */
export function readerOf(tape: FrameTape): MarketFrameReader {
  const reader = new MarketFrameReader();
  reader.learn(tape.markets);
  return reader;
}

const paperConfig = fileURLToPath(new URL("../../config/paper.toml", import.meta.url));

export function marketOf({ conditionId, tokenIds }: TapeMarket): Market {
  return {
    conditionId,
    slug: conditionId,
    question: conditionId,
    outcomes: [
      { tokenId: tokenIds[0], name: "Yes" },
      { tokenId: tokenIds[1], name: "No" },
    ],
    tickSize: price(10),
    minOrderSize: shares(5_000_000),
    negRisk: true,
    fee: noFee,
    version: "v1",
    groupId: null,
    groupTitle: null,
    groupItemTitle: "",
    isOther: false,
    tradable: true,
    endAtMs: null,
    takerDelayMs: 0,
    volumeUsd: null,
  };
}

type ReadBooks = { readonly books: ReadonlyMap<string, MarketBook>; readonly refused: number };

/** Fails unless both hold the same levels of every token and nobody refused anything. */
export function demandSameBooks(ours: ReadBooks, theirs: UsualBooks): void {
  demand(ours.refused === 0, `${ours.refused} frames were refused by ours`);
  demand(theirs.mismatches === 0, `${theirs.mismatches} changes contradicted the baseline's book`);
  for (const book of ours.books.values()) {
    for (const outcome of [0, 1] as const) {
      const usual = theirs.books.get(book.tokenIds[outcome]);
      for (const side of ["buy", "sell"] as const) {
        const mine = levelsOf(book.ladder, outcome, side).map(
          (level) => `${level.price / 10_000}:${level.size / 1_000_000}`,
        );
        const rows = (side === "buy" ? usual?.bids : usual?.asks) ?? [];
        const other = rows.map((level) => `${level.price}:${level.size}`);
        demand(mine.join(" ") === other.join(" "), `${side} levels of ${book.tokenIds[outcome]}`);
      }
    }
  }
}
