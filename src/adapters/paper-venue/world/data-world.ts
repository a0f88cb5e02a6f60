import type { BackgroundBook, Exchange } from "../types.ts";
import { loadDataFolder } from "./data-folder.ts";
import { parseScaled } from "./decimal.ts";
import type { DrivenWorld } from "./driven-world.ts";
import { moveBook } from "./recorded-book.ts";

/** Recorded books as a background that stands still until a script moves it. Adds them to the exchange at once. */
export function createDataWorld(exchange: Exchange, dir: string, nowMs: number): DrivenWorld {
  const { loaded, summary } = loadDataFolder(dir, nowMs);
  loaded.addTo(exchange);
  const books = new Map<string, BackgroundBook>(
    loaded.markets.map(({ spec, book }) => [spec.conditionId, book]),
  );
  return {
    summary,
    start: () => {},
    stop: () => {},
    advance: () => {},
    eventMetadata: () => null,
    move: (conditionId, ticks) => {
      const book = books.get(conditionId);
      const state = exchange.market(conditionId);
      if (book === undefined || state === null) return;
      const moved = moveBook(book, BigInt(ticks) * parseScaled(state.tickSize, 6));
      books.set(conditionId, moved);
      exchange.replaceBackground(conditionId, moved);
    },
  };
}
