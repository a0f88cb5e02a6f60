import type { EventSpec, Exchange, MarketSpec } from "../types.ts";
import { categoryFee } from "./fees.ts";
import { hashId, hashTokenId } from "./ids.ts";
import { createPrng, type Prng } from "./prng.ts";
import { SimMarket } from "./sim-market.ts";

export type WindowSeries = {
  /** First part of the slug, such as "btc". */
  readonly coin: string;
  readonly name: string;
  readonly minutes: 5 | 15;
  readonly firstPrice: number;
  /** Standard deviation of the price over one second, in dollars. */
  readonly sigma: number;
};

export const windowSeries: readonly WindowSeries[] = [
  { coin: "btc", name: "Bitcoin", minutes: 5, firstPrice: 118_400, sigma: 6.8 },
  { coin: "eth", name: "Ethereum", minutes: 15, firstPrice: 4_150, sigma: 0.25 },
];

const MOVE_EVERY_MS = 3_000;
/** The real venue closes a window 15 to 21 s after its end; a desk should not wait so long. */
const RESOLVE_AFTER_MS = 5_000;
/** Outside of these prices the venue refines the tick from 0.01 to 0.001. */
const FINE_ABOVE = 9_600;
const FINE_BELOW = 400;
/** How far back windows are looked for that ended while the venue was not running. */
const LEFTOVERS_MS = 7 * 86_400_000;
const COARSE_TICK = 100;
const FINE_TICK = 10;

type OpenWindow = {
  readonly startMs: number;
  readonly endMs: number;
  readonly conditionId: string;
  readonly eventId: string;
  readonly strike: number;
  readonly market: SimMarket;
  readonly path: Prng;
  price: number;
  movedAtMs: number;
};

type EndedWindow = {
  readonly conditionId: string;
  readonly resolveAtMs: number;
  readonly upWins: boolean;
};

/** Probability that the price ends at or above the strike; the logistic stands in for the normal distribution. */
function upProbability(window: OpenWindow, sigma: number, atMs: number): number {
  const secondsLeft = Math.max(1, (window.endMs - atMs) / 1000);
  const z = (window.price - window.strike) / (sigma * Math.sqrt(secondsLeft));
  return 1 / (1 + Math.exp(-1.702 * z));
}

function pathPrng(seed: number, slug: string): Prng {
  return createPrng(seed, `path:${slug}`);
}

/** A window's final move from its strike in dollars, by seed and slug alone: a restart comes to the same end. */
function finalMove(seed: number, slug: string, series: WindowSeries): number {
  const path = pathPrng(seed, slug);
  const steps = (series.minutes * 60_000) / MOVE_EVERY_MS;
  let move = 0;
  for (let i = 0; i < steps; i++) move += step(path, series.sigma);
  return move;
}

function step(path: Prng, sigma: number): number {
  return path.normal() * sigma * Math.sqrt(MOVE_EVERY_MS / 1000);
}

/** Opens, moves, ends and resolves the windows of one series, one after the other. */
export class UpDownWindows {
  dueAtMs: number;
  private readonly exchange: Exchange;
  private readonly seed: number;
  private readonly series: WindowSeries;
  private readonly moving: boolean;
  private open: OpenWindow;
  private readonly ended: EndedWindow[] = [];
  private readonly finalPrices = new Map<string, number>();

  constructor(
    exchange: Exchange,
    series: WindowSeries,
    options: { readonly seed: number; readonly moving: boolean },
    nowMs: number,
  ) {
    this.exchange = exchange;
    this.series = series;
    this.seed = options.seed;
    this.moving = options.moving;
    this.open = this.openWindow(nowMs, series.firstPrice);
    this.dueAtMs = this.nextDue();
  }

  get market(): SimMarket {
    return this.open.market;
  }

  /** Gamma's eventMetadata of a window that has ended here, or null. */
  metadata(eventId: string): { readonly finalPrice: number } | null {
    const finalPrice = this.finalPrices.get(eventId);
    return finalPrice === undefined ? null : { finalPrice };
  }

  step(): void {
    const nowMs = this.dueAtMs;
    const due = this.ended[0];
    if (due !== undefined && due.resolveAtMs <= nowMs) {
      this.ended.shift();
      this.exchange.resolve(due.conditionId, due.upWins ? 0 : 1);
    }
    if (nowMs >= this.open.endMs) this.roll(nowMs);
    else if (nowMs >= this.open.movedAtMs + MOVE_EVERY_MS) this.move(nowMs);
    this.dueAtMs = this.nextDue();
  }

  /** Lists and resolves the windows that ended while the venue was not running and that somebody still holds. */
  resolveLeftovers(held: ReadonlySet<string>): void {
    const lengthMs = this.series.minutes * 60_000;
    for (let ago = 1; ago * lengthMs <= LEFTOVERS_MS; ago++) {
      const startMs = this.open.startMs - ago * lengthMs;
      const slug = windowSlug(this.series, startMs);
      const [up, down] = windowTokens(this.seed, slug);
      if (!held.has(up) && !held.has(down)) continue;
      const built = buildWindow(this.seed, this.series, startMs, this.series.firstPrice);
      this.exchange.addEvent(built.event);
      this.exchange.addMarket(built.market, { bids: [], asks: [], lastTradePrice: "" });
      this.exchange.resolve(
        built.market.conditionId,
        finalMove(this.seed, slug, this.series) >= 0 ? 0 : 1,
      );
    }
  }

  private nextDue(): number {
    const resolveAt = this.ended[0]?.resolveAtMs ?? Number.POSITIVE_INFINITY;
    const moveAt = this.open.movedAtMs + MOVE_EVERY_MS;
    return Math.min(resolveAt, this.open.endMs, moveAt);
  }

  private move(nowMs: number): void {
    const window = this.open;
    window.movedAtMs += MOVE_EVERY_MS;
    window.price += step(window.path, this.series.sigma);
    if (!this.moving || window.market.held) return;
    const probability = upProbability(window, this.series.sigma, nowMs);
    const { market } = window;
    const units = probability * 10_000;
    if (market.tick === COARSE_TICK && (units > FINE_ABOVE || units < FINE_BELOW))
      market.refineTick(FINE_TICK);
    const ticks = Math.round((clampFair(units, market.tick) - market.fair) / market.tick);
    if (ticks !== 0) market.shift(ticks);
  }

  private roll(nowMs: number): void {
    const { conditionId, eventId, endMs } = this.open;
    const upWins = this.open.price >= this.open.strike;
    this.exchange.setAcceptingOrders(conditionId, false);
    this.finalPrices.set(eventId, Number(this.open.price.toFixed(2)));
    this.ended.push({ conditionId, upWins, resolveAtMs: endMs + RESOLVE_AFTER_MS });
    this.open = this.openWindow(nowMs, this.open.price);
  }

  private openWindow(nowMs: number, strike: number): OpenWindow {
    const lengthMs = this.series.minutes * 60_000;
    const startMs = Math.floor(nowMs / lengthMs) * lengthMs;
    const built = buildWindow(this.seed, this.series, startMs, strike);
    const path = pathPrng(this.seed, built.market.slug);
    const elapsed = Math.floor((nowMs - startMs) / MOVE_EVERY_MS);
    let price = strike;
    for (let i = 0; i < elapsed; i++) price += step(path, this.series.sigma);
    const movedAtMs = startMs + elapsed * MOVE_EVERY_MS;
    const market = new SimMarket(
      this.exchange,
      {
        conditionId: built.market.conditionId,
        tick: COARSE_TICK,
        fair: 5_000,
        fairMin: COARSE_TICK,
        fairMax: 9_800,
        bidGapTicks: 0,
        askGapTicks: 1,
        depthUsd: 4_000,
      },
      createPrng(this.seed, `book:${built.market.slug}`),
    );
    this.exchange.addEvent(built.event);
    this.exchange.addMarket(built.market, market.book());
    return {
      startMs,
      endMs: startMs + lengthMs,
      conditionId: built.market.conditionId,
      eventId: built.event.id,
      strike,
      market,
      path,
      price,
      movedAtMs,
    };
  }
}

/** The fair value on the grid, leaving room for a bid and an ask. */
function clampFair(units: number, tick: number): number {
  const onGrid = Math.round(units / tick) * tick;
  return Math.min(10_000 - 2 * tick, Math.max(tick, onGrid));
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

function windowSlug(series: WindowSeries, startMs: number): string {
  return `${series.coin}-updown-${series.minutes}m-${startMs / 1000}`;
}

function windowTokens(seed: number, slug: string): [string, string] {
  return [
    hashTokenId(`pitboss:paper:${seed}:${slug}:0`),
    hashTokenId(`pitboss:paper:${seed}:${slug}:1`),
  ];
}

function buildWindow(
  seed: number,
  series: WindowSeries,
  startMs: number,
  strike: number,
): { readonly event: EventSpec; readonly market: MarketSpec } {
  const endMs = startMs + series.minutes * 60_000;
  const start = startMs / 1000;
  const slug = windowSlug(series, startMs);
  const [up, down] = windowTokens(seed, slug);
  const day = new Date(startMs).toISOString().slice(0, 10);
  const title = `${series.name} Up or Down - ${day} ${clock(startMs)}-${clock(endMs)} UTC`;
  const conditionId = hashId(`pitboss:paper:${seed}:${slug}:condition`);
  const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  const eventId = `${start}${series.minutes}`;
  const description = `Resolves to "Up" if the venue's own simulated ${series.name} price at the end of the window is at or above the price at its start, otherwise to "Down".`;
  const market: MarketSpec = {
    conditionId,
    questionId: hashId(`pitboss:paper:${seed}:${slug}:question`),
    gammaId: `${eventId}0`,
    slug,
    question: title,
    description,
    outcomes: [
      { tokenId: up, name: "Up" },
      { tokenId: down, name: "Down" },
    ],
    tickSize: "0.01",
    minOrderSize: "5",
    negRisk: false,
    negRiskMarketId: null,
    negRiskOther: false,
    groupItemTitle: "",
    eventId,
    ...categoryFee("crypto"),
    version: "v1",
    endDate: iso(endMs),
    eventStartTime: iso(startMs),
    acceptingOrders: true,
    closed: false,
    secondsDelay: 0,
    tags: ["crypto", "up-or-down"],
    volume: "25000",
    recordedGamma: null,
  };
  const event: EventSpec = {
    id: eventId,
    slug,
    title,
    description,
    negRisk: false,
    negRiskAugmented: false,
    negRiskMarketId: null,
    endDate: iso(endMs),
    tags: ["crypto", "up-or-down"],
    conditionIds: [conditionId],
    metadata: { priceToBeat: Number(strike.toFixed(2)) },
  };
  return { event, market };
}
