import { formatMicro, ONE } from "../exchange/amounts.ts";
import type { Listing, Market } from "../exchange/market.ts";
import { badRequest, notFound } from "../exchange/venue-error.ts";
import type { VenueState } from "../exchange/venue-state.ts";
import { bookBody } from "../exchange/wire.ts";
import { listPage } from "./paging.ts";
import { priceHistory } from "./price-history.ts";
import type { HttpRequest, Route } from "./route.ts";
import { isRecord, jsonBody, reply } from "./route.ts";

/** Most ids in one POST of books or prices. */
const MAX_BATCH = 500;

const NO_BOOK = "No orderbook exists for the requested token id";

function listingOf(state: VenueState, tokenId: string | null): Listing {
  const listing = tokenId === null ? null : state.markets.byToken(tokenId);
  if (listing === null || listing.market.resolved !== null) throw notFound(NO_BOOK);
  return listing;
}

function queried(state: VenueState, request: HttpRequest): Listing {
  const tokenId = request.query.get("token_id");
  if (tokenId === null || tokenId === "") throw badRequest("Invalid token id");
  return listingOf(state, tokenId);
}

function bestOf(listing: Listing): { readonly bid: bigint | null; readonly ask: bigint | null } {
  return listing.market.book.best(listing.outcome);
}

/** The documented example has BUY below SELL: BUY is the best bid, SELL the best ask. */
function priceOf(listing: Listing, side: string): string {
  const { bid, ask } = bestOf(listing);
  return formatMicro((side === "BUY" ? bid : ask) ?? 0n);
}

function midOf(listing: Listing): string {
  const { bid, ask } = bestOf(listing);
  return formatMicro(((bid ?? 0n) + (ask ?? ONE)) / 2n);
}

function spreadOf(listing: Listing): string {
  const { bid, ask } = bestOf(listing);
  return formatMicro((ask ?? ONE) - (bid ?? 0n));
}

function sideParam(value: unknown): "BUY" | "SELL" {
  const side = typeof value === "string" ? value.toUpperCase() : "";
  if (side !== "BUY" && side !== "SELL") throw badRequest("Invalid side");
  return side;
}

type Asked = { readonly listing: Listing; readonly tokenId: string; readonly side: unknown };

/** The listed tokens of a POST body [{token_id, side?}]; unknown ones are left out, as the venue does. */
function asked(state: VenueState, request: HttpRequest): Asked[] {
  const body = jsonBody(request);
  if (!Array.isArray(body) || body.length > MAX_BATCH) throw badRequest("Invalid payload");
  return body.flatMap((item: unknown): Asked[] => {
    if (!isRecord(item) || typeof item.token_id !== "string") throw badRequest("Invalid payload");
    const listing = state.markets.byToken(item.token_id);
    if (listing === null || listing.market.resolved !== null) return [];
    return [{ listing, tokenId: item.token_id, side: item.side }];
  });
}

function lastTrade(listing: Listing): Record<string, unknown> {
  const { book } = listing.market;
  return { price: book.lastTradeText(), side: book.lastTradeSide };
}

function clobMarket(market: Market): Record<string, unknown> {
  const { spec } = market;
  return {
    gst: null,
    r: null,
    c: spec.conditionId,
    t: spec.outcomes.map((outcome) => ({ t: outcome.tokenId, o: outcome.name })),
    mos: Number(spec.minOrderSize),
    mts: Number(market.book.tickSize),
    mbf: 1000,
    tbf: 1000,
    rfqe: false,
    itode: false,
    ibce: false,
    sd: spec.secondsDelay,
    ao: market.acceptingOrders,
    cbos: false,
    nr: spec.negRisk,
    ...(spec.feeRate === null ? {} : { fd: { r: Number(spec.feeRate), e: 1, to: true } }),
    ...(spec.version === "v2" ? { v: "v2" } : {}),
  };
}

function fullMarket(market: Market): Record<string, unknown> {
  const { spec } = market;
  const { bid } = market.book.best(0);
  const first = bid ?? 0n;
  return {
    condition_id: spec.conditionId,
    question_id: spec.questionId,
    question: spec.question,
    market_slug: spec.slug,
    description: spec.description,
    end_date_iso: spec.endDate,
    game_start_time: spec.eventStartTime,
    enable_order_book: true,
    active: true,
    closed: spec.closed || market.resolved !== null,
    archived: false,
    accepting_orders: market.acceptingOrders,
    minimum_order_size: Number(spec.minOrderSize),
    minimum_tick_size: Number(market.book.tickSize),
    seconds_delay: spec.secondsDelay,
    maker_base_fee: 0,
    taker_base_fee: 0,
    is_50_50_outcome: false,
    neg_risk: spec.negRisk,
    neg_risk_market_id: spec.negRiskMarketId ?? "",
    neg_risk_request_id: "",
    tags: [...spec.tags],
    tokens: spec.outcomes.map((outcome, i) => ({
      token_id: outcome.tokenId,
      outcome: outcome.name,
      price: Number(formatMicro(i === 0 ? first : ONE - first)),
      winner: market.resolved === i,
    })),
  };
}

function marketOf(state: VenueState, conditionId: string | undefined): Market {
  const market = conditionId === undefined ? null : state.markets.market(conditionId);
  if (market === null) throw notFound("market not found");
  return market;
}

function bookRoutes(state: VenueState): Route[] {
  const one = (path: string, body: (listing: Listing, request: HttpRequest) => unknown): Route => ({
    method: "GET",
    path,
    handle: (request) => reply(body(queried(state, request), request)),
  });
  const map = (path: string, body: (item: Asked) => unknown): Route => ({
    method: "POST",
    path,
    handle: (request) =>
      reply(Object.fromEntries(asked(state, request).map((item) => [item.tokenId, body(item)]))),
  });
  return [
    one("/book", ({ market, outcome }) => bookBody(market, outcome)),
    one("/price", (listing, request) => ({
      price: priceOf(listing, sideParam(request.query.get("side"))),
    })),
    one("/midpoint", (listing) => ({ mid: midOf(listing) })),
    one("/spread", (listing) => ({ spread: spreadOf(listing) })),
    one("/last-trade-price", lastTrade),
    one("/tick-size", ({ market }) => ({ minimum_tick_size: Number(market.book.tickSize) })),
    one("/neg-risk", ({ market }) => ({ neg_risk: market.spec.negRisk })),
    one("/fee-rate", ({ market }) => ({ base_fee: market.spec.feeRate === null ? 0 : 1000 })),
    map("/midpoints", ({ listing }) => midOf(listing)),
    map("/spreads", ({ listing }) => spreadOf(listing)),
    {
      method: "POST",
      path: "/prices",
      handle: (request) => {
        const prices: Record<string, Record<string, string>> = {};
        for (const { tokenId, listing, side } of asked(state, request)) {
          const sides = side === undefined ? (["BUY", "SELL"] as const) : [sideParam(side)];
          for (const one of sides) {
            prices[tokenId] = { ...prices[tokenId], [one]: priceOf(listing, one) };
          }
        }
        return reply(prices);
      },
    },
    {
      method: "POST",
      path: "/books",
      handle: (request) =>
        reply(
          asked(state, request).map(({ listing }) => bookBody(listing.market, listing.outcome)),
        ),
    },
    {
      method: "POST",
      path: "/last-trades-prices",
      handle: (request) =>
        reply(
          asked(state, request).map(({ tokenId, listing }) => ({
            token_id: tokenId,
            ...lastTrade(listing),
          })),
        ),
    },
  ];
}

/** Everything that needs no credentials. */
export function publicRoutes(state: VenueState): Route[] {
  const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });
  return [
    get("/", () => reply("OK")),
    get("/ok", () => reply("OK")),
    get("/time", () => reply(Math.floor(state.now() / 1000))),
    get("/version", () => reply({ version: 2 })),
    // The real one lives on the venue's web host.
    get("/api/geoblock", () =>
      reply({ blocked: state.access.blocked, ip: "127.0.0.1", country: "XX", region: "" }),
    ),
    ...bookRoutes(state),
    get("/clob-markets/:id", (_, [id]) => reply(clobMarket(marketOf(state, id)))),
    get("/markets/:id", (_, [id]) => reply(fullMarket(marketOf(state, id)))),
    get("/markets", (request) =>
      listPage(state.markets.all().map(fullMarket), request.query.get("next_cursor")),
    ),
    get("/markets-by-token/:id", (_, [id]) => {
      const listing = id === undefined ? null : state.markets.byToken(id);
      if (listing === null) throw notFound("market not found");
      const { market } = listing;
      return reply({
        condition_id: market.id,
        primary_token_id: market.token(0),
        secondary_token_id: market.token(1),
      });
    }),
    get("/fees/builder-fees/:code", () =>
      reply({ builder_maker_fee_rate_bps: 0, builder_taker_fee_rate_bps: 0 }),
    ),
    get("/prices-history", (request) => reply(priceHistory(state, request.query))),
  ];
}
