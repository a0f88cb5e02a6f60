import type { EventSpec, MarketSpec, MarketState } from "../types.ts";
import { formatMicro, ONE, parseMicro } from "./amounts.ts";
import { feeRateMicro } from "./fees.ts";
import { MarketBook } from "./market-book.ts";
import type { DomainVersion } from "./order-signature.ts";
import { exchanges } from "./order-signature.ts";
import type { OrderRecord, OutcomeIndex } from "./records.ts";

/** Kept price points of a market; the oldest fall out. */
const MAX_PRICE_SAMPLES = 10_000;

export type PriceSample = { readonly atS: number; readonly price: bigint };

/** A listed market: its description, its book, and who has orders on it. */
export class Market {
  /** As Gamma shows it; only an edit of its rules changes it. */
  spec: MarketSpec;
  readonly book: MarketBook;
  readonly open = new Map<string, OrderRecord>();
  readonly feeRate: bigint;
  readonly samples: PriceSample[] = [];
  acceptingOrders: boolean;
  resolved: OutcomeIndex | null = null;
  held = false;
  /** Best prices last published, to tell when best_bid_ask is due. */
  lastBest = "";

  constructor(spec: MarketSpec, nowMs: number) {
    this.spec = spec;
    this.acceptingOrders = spec.acceptingOrders && !spec.closed;
    this.feeRate = feeRateMicro(spec.feeRate);
    this.book = new MarketBook(
      {
        conditionId: spec.conditionId,
        tokenIds: [spec.outcomes[0].tokenId, spec.outcomes[1].tokenId],
        minOrderSize: spec.minOrderSize,
        negRisk: spec.negRisk,
      },
      spec.tickSize,
      nowMs,
    );
  }

  get id(): string {
    return this.spec.conditionId;
  }

  get tick(): bigint {
    return parseMicro(this.book.tickSize) ?? 10_000n;
  }

  /** The contract and domain that orders of this market are signed for. */
  domain(): { readonly version: DomainVersion; readonly exchange: string } {
    if (this.spec.version === "v2") return { version: "3", exchange: exchanges.positions };
    const exchange = this.spec.negRisk ? exchanges.negRisk : exchanges.standard;
    return { version: "2", exchange };
  }

  token(outcome: OutcomeIndex): string {
    return this.spec.outcomes[outcome].tokenId;
  }

  /** Dollars that one share of an outcome pays once resolved; null before. */
  payout(outcome: OutcomeIndex): bigint | null {
    if (this.resolved === null) return null;
    return this.resolved === outcome ? ONE : 0n;
  }

  /** Edits what decides how the market pays, as the venue does now and then. */
  editRules(description: string): void {
    const { recordedGamma } = this.spec;
    this.spec = {
      ...this.spec,
      description,
      recordedGamma: recordedGamma === null ? null : { ...recordedGamma, description },
    };
  }

  /** Keeps at most one price point a second. */
  sample(nowMs: number): void {
    const { bid, ask } = this.book.best(0);
    if (bid === null || ask === null) return;
    const atS = Math.floor(nowMs / 1000);
    const price = (bid + ask) / 2n;
    const last = this.samples.at(-1);
    if (last?.price === price) return;
    if (last?.atS === atS) this.samples.pop();
    this.samples.push({ atS, price });
    if (this.samples.length > MAX_PRICE_SAMPLES) this.samples.shift();
  }

  state(): MarketState {
    const { bid, ask } = this.book.best(0);
    return {
      spec: this.spec,
      tickSize: this.book.tickSize,
      acceptingOrders: this.acceptingOrders,
      resolved: this.resolved,
      held: this.held,
      bestBid: bid === null ? null : formatMicro(bid),
      bestAsk: ask === null ? null : formatMicro(ask),
      lastTradePrice: this.book.lastTradeText(),
    };
  }
}

/** A token id with the market and outcome it stands for. */
export type Listing = { readonly market: Market; readonly outcome: OutcomeIndex };

/** Everything that is listed, by every name it is asked for. */
export class MarketRegistry {
  readonly #byCondition = new Map<string, Market>();
  readonly #byToken = new Map<string, Listing>();
  readonly #bySlug = new Map<string, Market>();
  readonly #events = new Map<string, EventSpec>();

  add(market: Market): void {
    this.#byCondition.set(market.id, market);
    this.#bySlug.set(market.spec.slug, market);
    this.#byToken.set(market.token(0), { market, outcome: 0 });
    this.#byToken.set(market.token(1), { market, outcome: 1 });
  }

  addEvent(event: EventSpec): void {
    this.#events.set(event.id, event);
  }

  all(): Market[] {
    return [...this.#byCondition.values()];
  }

  events(): EventSpec[] {
    return [...this.#events.values()];
  }

  event(id: string): EventSpec | null {
    return this.#events.get(id) ?? null;
  }

  /** By condition id; a version-2 id is also found when padded to 32 bytes. */
  market(conditionId: string): Market | null {
    return (
      this.#byCondition.get(conditionId) ??
      this.#byCondition.get(conditionId.replace(/00$/, "")) ??
      null
    );
  }

  bySlug(slug: string): Market | null {
    return this.#bySlug.get(slug) ?? null;
  }

  byToken(tokenId: string): Listing | null {
    return this.#byToken.get(tokenId) ?? null;
  }
}
