import { MarketFrameReader } from "../adapters/polymarket/scan-market-frame.ts";
import { rowKind } from "../adapters/tape/block-builder.ts";
import type { BlockView } from "../adapters/tape/block-view.ts";
import type { BlockMarket } from "../adapters/tape/market-table.ts";
import type { MarketEvent } from "../engine/domain/market-event.ts";
import { stepOfRow } from "./frame-files.ts";

/** Picks from the blocks of a tape, in order, what tells of markets: packed changes say nothing new about one whose two tokens are known. */
export class TapeDiscovery {
  readonly #tokens = new Map<string, Set<string>>();
  readonly #reader = new MarketFrameReader();

  /** `markets`: those that the tape names beforehand. */
  constructor(markets: readonly BlockMarket[]) {
    this.#learn(markets);
  }

  /** Events of a block that may name a market, a token or terms that are not known yet. @throws TapeError */
  *eventsOf(block: BlockView): Generator<MarketEvent> {
    this.#learn(block.markets);
    for (const event of this.#newsOf(block)) {
      const known = this.#tokens.get(event.conditionId) ?? new Set<string>();
      for (const token of tokensOf(event)) known.add(token);
      this.#tokens.set(event.conditionId, known);
      yield event;
    }
  }

  /** Only for speed: what the reader has not learnt it reads the simple way. */
  #learn(markets: readonly BlockMarket[]): void {
    for (const { conditionId, tokenIds } of markets) {
      const [yes, no] = tokenIds;
      if (yes === undefined || no === undefined) continue;
      this.#reader.learn([{ conditionId, tokenIds: [yes, no] }]);
    }
  }

  *#newsOf(block: BlockView): Generator<MarketEvent> {
    if (block.markets.every((market) => this.#isKnown(market.conditionId))) {
      for (const bytes of block.textFrames()) yield* this.#reader.read(bytes).events;
      return;
    }
    const cursor = block.cursor();
    while (cursor.row < block.head.rows) {
      const kind = block.rowKinds[cursor.row];
      const market = block.markets[block.deltaMarkets[cursor.delta] ?? 0];
      if (kind === rowKind.text) yield* this.#reader.read(block.nextText(cursor)).events;
      else if (
        kind === rowKind.delta &&
        market !== undefined &&
        this.#isKnown(market.conditionId)
      ) {
        block.skipDelta(cursor);
      } else {
        const row = block.next(cursor);
        if (row.kind !== "step") yield* stepOfRow(row).frame?.events ?? [];
      }
    }
  }

  #isKnown(conditionId: string): boolean {
    return (this.#tokens.get(conditionId)?.size ?? 0) >= 2;
  }
}

function tokensOf(event: MarketEvent): readonly string[] {
  if (event.kind === "book.delta") return event.changes.map((change) => change.tokenId);
  return "tokenId" in event ? [event.tokenId] : [];
}
