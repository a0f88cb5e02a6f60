import type { MarketRef } from "../api/requests.ts";
import type { Market } from "../domain/market.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { CatalogPort } from "../ports/catalog.ts";
import type { Clock } from "../ports/system.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Books } from "./books.ts";
import type { Stepper } from "./stepper.ts";

/** How long the list of open markets that a scan uses may be old. */
const catalogTtlMs = 60_000;
/** A scan waits this long for the first books of newly watched markets. */
const scanWaitMs = 2_500;

export type CatalogReaderParts = {
  readonly catalog: CatalogPort;
  readonly clock: Clock;
  readonly state: EngineState;
  readonly stepper: Stepper;
  readonly books: Books;
  /** Most markets that a scan for sets looks at. */
  readonly maxSetMarkets: number;
};

/** Reads market metadata on demand and feeds it into the engine. */
export class CatalogReader {
  readonly #parts: CatalogReaderParts;
  /** Time of the last answer; null before the first. */
  atMs: number | null = null;
  #openMarketsAtMs: number | null = null;

  constructor(parts: CatalogReaderParts) {
    this.#parts = parts;
  }

  async find(ref: MarketRef, limit: number): Promise<Result<readonly Market[], Denial>> {
    const answer = await this.#parts.catalog.find(ref, limit);
    if (!answer.ok) return err({ code: "venue_unreachable", subject: "catalog" });
    this.atMs = this.#parts.clock.nowMs();
    this.#parts.stepper.run({ kind: "catalog.read", answer: answer.value }, "catalog");
    // A market that is named alone comes with the others of its group behind it.
    const isOne = ref.by === "slug" || ref.by === "conditionId";
    const named = isOne ? answer.value.markets.slice(0, 1) : answer.value.markets;
    return ok(named.map((one) => this.#parts.state.markets.get(one.conditionId) ?? one));
  }

  /** Every open market and its book, for a scan. The list is kept for a minute. */
  async loadOpenMarkets(): Promise<void> {
    const { clock, catalog, maxSetMarkets } = this.#parts;
    const fresh =
      this.#openMarketsAtMs !== null && clock.nowMs() - this.#openMarketsAtMs < catalogTtlMs;
    if (!fresh) {
      const answer = await catalog.openMarkets(maxSetMarkets);
      if (!answer.ok) return;
      this.#openMarketsAtMs = clock.nowMs();
      this.atMs = this.#openMarketsAtMs;
      this.#parts.stepper.run({ kind: "catalog.read", answer: answer.value }, "catalog");
      this.#parts.books.watch(answer.value.markets.filter((market) => market.tradable));
    }
    await this.#parts.books.waitSome([...this.#parts.state.live.books.keys()], scanWaitMs);
  }
}
