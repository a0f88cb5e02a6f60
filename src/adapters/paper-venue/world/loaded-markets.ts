import type { BackgroundBook, EventSpec, Exchange, MarketSpec } from "../types.ts";

export type LoadedMarket = { readonly spec: MarketSpec; readonly book: BackgroundBook };

/** What was read from recorded data, in the order in which it is added to the exchange. */
export class LoadedMarkets {
  readonly markets: LoadedMarket[] = [];
  private readonly eventsById = new Map<string, EventSpec>();
  private readonly idsByEvent = new Map<string, string[]>();
  private readonly slugs = new Set<string>();
  private readonly tokens = new Set<string>();

  /** The first description of an event wins: a Gamma object says more than a CSV row. */
  addEvent(event: EventSpec): EventSpec {
    const known = this.eventsById.get(event.id);
    if (known !== undefined) return known;
    this.eventsById.set(event.id, event);
    this.idsByEvent.set(event.id, []);
    return event;
  }

  addMarket(spec: MarketSpec, book: BackgroundBook): void {
    this.markets.push({ spec, book });
    this.idsByEvent.get(spec.eventId)?.push(spec.conditionId);
    this.slugs.add(spec.slug);
    for (const { tokenId } of spec.outcomes) this.tokens.add(tokenId);
  }

  hasToken(tokenId: string): boolean {
    return this.tokens.has(tokenId);
  }

  hasSlug(slug: string): boolean {
    return this.slugs.has(slug);
  }

  /** Every event with the condition ids of all its markets. */
  events(): EventSpec[] {
    return [...this.eventsById.values()].map((event) => ({
      ...event,
      conditionIds: this.idsByEvent.get(event.id) ?? [],
    }));
  }

  /** Number of markets with at least one resting level. */
  bookCount(): number {
    return this.markets.filter(({ book }) => book.bids.length + book.asks.length > 0).length;
  }

  addTo(exchange: Exchange): void {
    for (const event of this.events()) exchange.addEvent(event);
    for (const { spec, book } of this.markets) exchange.addMarket(spec, book);
  }
}

/**
 * A listed market without a book that stands for the outcomes of a neg-risk event that were not recorded: without
 * it, the recorded outcomes alone would look like a complete set.
 */
export function unrecordedOutcomes(event: EventSpec, minOrderSize: string): MarketSpec | null {
  const negRiskMarketId = event.negRiskMarketId;
  if (!event.negRisk || event.negRiskAugmented || negRiskMarketId === null) return null;
  const stem = negRiskMarketId.slice(0, 64);
  return {
    conditionId: `${stem}fe`,
    questionId: `${stem}ff`,
    gammaId: `${event.id}99999`,
    slug: `${event.slug}-outcomes-not-recorded`,
    question: `${event.title}: outcomes that were not recorded`,
    description: "Stands for the outcomes of this event that the recorded data does not hold.",
    outcomes: [
      { tokenId: BigInt(`${stem}fe`).toString(), name: "Yes" },
      { tokenId: BigInt(`${stem}ff`).toString(), name: "No" },
    ],
    tickSize: "0.01",
    minOrderSize,
    negRisk: true,
    negRiskMarketId,
    negRiskOther: false,
    groupItemTitle: "Not recorded",
    eventId: event.id,
    feeRate: null,
    feeType: "zero_fees",
    rebateRate: "0",
    version: "v1",
    endDate: event.endDate,
    eventStartTime: null,
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: [],
    volume: "0",
    recordedGamma: null,
  };
}
