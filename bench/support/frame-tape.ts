import { createHash } from "node:crypto";
import { seeded } from "./seeded.ts";

/** One synthetic market: ids as long as real ones, tick 0.001. */
export type TapeMarket = {
  readonly conditionId: string;
  readonly tokenIds: readonly [string, string];
};

/** Frames of the market channel in the venue's own shape, with hashes and best prices that are true. */
export type FrameTape = {
  readonly markets: readonly TapeMarket[];
  /** One book frame a market, then some changes without hashes: the books as they are after a while. */
  readonly opening: readonly Buffer[];
  /** price_change frames: two mirrored level changes each, about 600 bytes. */
  readonly frames: readonly Buffer[];
  /** Market of each frame. */
  readonly marketOf: Int32Array;
  readonly changesPerFrame: 2;
};

export type TapeOptions = {
  readonly markets: number;
  readonly frames: number;
  /** False leaves `hash` empty, as a venue that sends none would; readers then have nothing to verify. */
  readonly hashes: boolean;
  /** Changes of each market before the measured ones. */
  readonly openingChanges?: number;
};

const levelsPerSide = 70;
const openingChanges = 8;
/** Ticks in which levels lie on each side of the middle. */
const depthTicks = 80;
const ticksPerDollar = 1_000;
const firstTimestamp = 1_780_000_000_000;

/** What every hash covers besides market, token, time and levels (the venue's ten members, in its order). */
export const tapeTerms = {
  min_order_size: "5",
  tick_size: "0.001",
  neg_risk: true,
  last_trade_price: "0.500",
} as const;

/** Sizes in hundredths of a share by tick of token 0; the other token is the mirror. */
type Model = {
  readonly market: TapeMarket;
  readonly middle: number;
  readonly bids: Side;
  readonly asks: Side;
};
type Side = Map<number, number>;

/** The same markets and frames for the same options, whatever the machine. */
export function makeTape(options: TapeOptions): FrameTape {
  const draw = seeded(20_261_120);
  const models = Array.from({ length: options.markets }, (_, i) => makeModel(i, draw));
  const opening = models.map((model) => Buffer.from(snapshotText(model, String(firstTimestamp))));
  for (const model of models) {
    for (let i = 0; i < (options.openingChanges ?? openingChanges); i++) {
      opening.push(Buffer.from(changeText(model, String(firstTimestamp), draw, false)));
    }
  }
  const frames: Buffer[] = [];
  const marketOf = new Int32Array(options.frames);
  for (let i = 0; i < options.frames; i++) {
    const at = draw(models.length);
    const model = models[at];
    if (model === undefined) break;
    marketOf[i] = at;
    const timestamp = String(firstTimestamp + 1 + i);
    frames.push(Buffer.from(changeText(model, timestamp, draw, options.hashes)));
  }
  const markets = models.map((model) => model.market);
  return { markets, opening, frames, marketOf, changesPerFrame: 2 };
}

function makeModel(index: number, draw: (below: number) => number): Model {
  const tokenIds = [digits(draw), digits(draw)] as const;
  const conditionId = `0x${createHash("sha256").update(`bench ${index}`).digest("hex")}`;
  const middle = 300 + draw(400);
  const model: Model = {
    market: { conditionId, tokenIds },
    middle,
    bids: new Map(),
    asks: new Map(),
  };
  while (model.bids.size < levelsPerSide) model.bids.set(middle - 1 - draw(depthTicks), size(draw));
  while (model.asks.size < levelsPerSide) model.asks.set(middle + 1 + draw(depthTicks), size(draw));
  return model;
}

function digits(draw: (below: number) => number): string {
  let text = String(1 + draw(9));
  while (text.length < 77) text += String(draw(10));
  return text;
}

function size(draw: (below: number) => number): number {
  return 500 + draw(5_000_000);
}

const priceText = (tick: number): string => String(tick / ticksPerDollar);
const sizeText = (hundredths: number): string => String(hundredths / 100);

type Rows = { readonly price: string; readonly size: string }[];

/** Levels of one side of a token's book as the venue lists them: best last. */
function rowsOf(model: Model, token: 0 | 1, side: "bids" | "asks"): Rows {
  const own = token === 0 ? side : side === "bids" ? "asks" : "bids";
  const ticks = [...model[own]].map(([tick, amount]) => ({
    tick: token === 0 ? tick : ticksPerDollar - tick,
    amount,
  }));
  ticks.sort((a, b) => (side === "bids" ? a.tick - b.tick : b.tick - a.tick));
  return ticks.map(({ tick, amount }) => ({ price: priceText(tick), size: sizeText(amount) }));
}

function hashOf(model: Model, token: 0 | 1, timestamp: string): string {
  const summary = {
    market: model.market.conditionId,
    asset_id: model.market.tokenIds[token],
    timestamp,
    hash: "",
    bids: rowsOf(model, token, "bids"),
    asks: rowsOf(model, token, "asks"),
    ...tapeTerms,
  };
  return createHash("sha1").update(JSON.stringify(summary)).digest("hex");
}

function snapshotText(model: Model, timestamp: string): string {
  return JSON.stringify([
    {
      market: model.market.conditionId,
      asset_id: model.market.tokenIds[0],
      timestamp,
      hash: hashOf(model, 0, timestamp),
      bids: rowsOf(model, 0, "bids"),
      asks: rowsOf(model, 0, "asks"),
      tick_size: tapeTerms.tick_size,
      event_type: "book",
      last_trade_price: tapeTerms.last_trade_price,
      min_order_size: tapeTerms.min_order_size,
      neg_risk: tapeTerms.neg_risk,
    },
  ]);
}

/** Changes one level (one in four is a removal, while the side stays populated) and says so for both tokens. */
function changeText(
  model: Model,
  timestamp: string,
  draw: (below: number) => number,
  hashes: boolean,
): string {
  const side = draw(2) === 0 ? "bids" : "asks";
  const levels = model[side];
  let tick =
    side === "bids" ? model.middle - 1 - draw(depthTicks) : model.middle + 1 + draw(depthTicks);
  let amount = size(draw);
  if (draw(4) === 0 && levels.size > levelsPerSide - 10) {
    tick = [...levels.keys()][draw(levels.size)] ?? tick;
    amount = 0;
  }
  if (amount === 0) levels.delete(tick);
  else levels.set(tick, amount);
  const bestBid = Math.max(...model.bids.keys());
  const bestAsk = Math.min(...model.asks.keys());
  const change = (token: 0 | 1) => ({
    asset_id: model.market.tokenIds[token],
    price: priceText(token === 0 ? tick : ticksPerDollar - tick),
    size: sizeText(amount),
    side: (side === "bids") === (token === 0) ? "BUY" : "SELL",
    hash: hashes ? hashOf(model, token, timestamp) : "",
    best_bid: priceText(token === 0 ? bestBid : ticksPerDollar - bestAsk),
    best_ask: priceText(token === 0 ? bestAsk : ticksPerDollar - bestBid),
  });
  return JSON.stringify({
    market: model.market.conditionId,
    price_changes: [change(0), change(1)],
    timestamp,
    event_type: "price_change",
  });
}
