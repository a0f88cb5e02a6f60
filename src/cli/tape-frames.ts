import { basename } from "node:path";
import { conditionIdOf, tokenIdOf } from "../adapters/polymarket/wire.ts";
import type { TapeFrame } from "../adapters/storage/load-tape.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockCursor, BlockView } from "../adapters/tape/block-view.ts";
import { changeFlag, microPerSizeUnit, pricesTop } from "../adapters/tape/delta-layout.ts";
import type { BlockMarket } from "../adapters/tape/market-table.ts";
import { TapeError } from "../adapters/tape/tape-error.ts";
import { manifestOf, marketsOfManifest, tapeBlocks } from "../adapters/tape/tape-reader.ts";
import type { BookDelta, LevelChange } from "../engine/domain/market-event.ts";
import { type Price, priceOne, type Shares } from "../engine/domain/numbers.ts";
import { FrameFileError, stepOfRow } from "./frame-files.ts";

/**
 * Name by which a store knows a tape: its folder's and when it was begun, because folders of two recorders may be named
 * alike. A tape without a readable manifest is known by its folder alone.
 */
export function nameOfTape(folder: string): string {
  const name = basename(folder);
  const manifest = manifestOf(folder);
  return manifest === null ? name : `${name} ${new Date(manifest.createdMs).toISOString()}`;
}

/** What a tape says of the market, in order, without the hashes of its changes. @throws FrameFileError */
export function* framesOfTape(folder: string): Generator<TapeFrame> {
  try {
    let listed = marketsOfManifest(folder);
    for (const view of tapeBlocks(folder)) {
      yield* framesOfBlock(view, listed);
      listed = [];
    }
  } catch (error) {
    if (error instanceof TapeError) throw new FrameFileError(error.message);
    throw error;
  }
}

/**
 * Packed changes come straight from the columns; everything else, and what is not plain, through the parser. With the first
 * frame come the block's markets, and those of the tape that are `listed` beside them.
 */
function* framesOfBlock(view: BlockView, listed: readonly BlockMarket[]): Generator<TapeFrame> {
  const isPlain = view.markets.map(hasPlainIds);
  let markets: TapeFrame["markets"] = [...listed, ...view.markets].filter(hasPlainIds);
  const cursor = view.cursor();
  while (cursor.row < view.head.rows) {
    const { seq } = cursor;
    const isDelta = view.rowKinds[cursor.row] === rowKind.delta;
    if (
      isDelta &&
      isPlain[view.deltaMarkets[cursor.delta] ?? 0] === true &&
      hasPrices(view, cursor)
    ) {
      const delta = deltaAt(view, cursor);
      yield { seq, atMs: cursor.atMs, events: [delta], markets };
      markets = null;
      continue;
    }
    const row = view.next(cursor);
    if (row.kind === "step") continue;
    const { frame } = stepOfRow(row);
    if (frame === null) continue;
    yield { seq: row.seq, atMs: row.atMs, events: frame.events, markets };
    markets = null;
  }
}

function hasPlainIds({ conditionId, tokenIds }: BlockMarket): boolean {
  return conditionIdOf(conditionId) === conditionId && tokenIds.every((id) => tokenIdOf(id) === id);
}

/** False for prices that only the parser knows what to say about. */
function hasPrices(view: BlockView, cursor: BlockCursor): boolean {
  const to = cursor.change + (view.deltaChanges[cursor.delta] ?? 0);
  for (let i = cursor.change; i < to; i++) {
    const price = view.prices[i] ?? 0;
    if (price === 0 || price === priceOne) return false;
  }
  return true;
}

/** The packed frame at the cursor, which moves behind it. */
function deltaAt(view: BlockView, cursor: BlockCursor): BookDelta {
  const market = view.markets[view.deltaMarkets[cursor.delta] ?? 0];
  let { bigSize, change } = cursor;
  view.skipDelta(cursor);
  const changes: LevelChange[] = [];
  for (; change < cursor.change; change++) {
    const flags = view.flags[change] ?? 0;
    const size =
      (flags & changeFlag.bigSize) === 0
        ? (view.sizes[change] ?? 0) * microPerSizeUnit
        : (view.bigSizes[bigSize++] ?? 0);
    const price = view.prices[change] ?? 0;
    const [bid, ask] = [view.bestBids[change] ?? 0, view.bestAsks[change] ?? 0];
    changes.push(changeOf(market, flags, { price, size, bid, ask }));
    if ((flags & changeFlag.mirrored) === 0) continue;
    const mirror = {
      price: pricesTop - price,
      size,
      bid: pricesTop - ask,
      ask: pricesTop - bid,
    };
    changes.push(changeOf(market, flags ^ (changeFlag.token1 | changeFlag.sell), mirror));
  }
  return {
    kind: "book.delta",
    conditionId: market?.conditionId ?? "",
    timestamp: `${cursor.timestampMs}`,
    changes,
  };
}

type Said = {
  readonly price: number;
  readonly size: number;
  readonly bid: number;
  readonly ask: number;
};

function changeOf(
  market: BlockMarket | undefined,
  flags: number,
  { price, size, bid, ask }: Said,
): LevelChange {
  return {
    tokenId: market?.tokenIds[flags & changeFlag.token1] ?? "",
    side: (flags & changeFlag.sell) === 0 ? "buy" : "sell",
    price: price as Price,
    size: size as Shares,
    hash: null,
    bestBid: bestOf(bid),
    bestAsk: bestOf(ask),
  };
}

/** An empty side is no price. */
function bestOf(at: number): Price | null {
  return at === 0 || at === priceOne ? null : (at as Price);
}
