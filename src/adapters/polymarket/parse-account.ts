import type { FillReport, FillStatus } from "../../engine/domain/fill.ts";
import type { ConditionId, Side } from "../../engine/domain/market.ts";
import {
  addShares,
  addUsd,
  costCeil,
  costFloor,
  mirrorPrice,
  type Price,
  type Shares,
  type Usd,
} from "../../engine/domain/numbers.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import type { VenueOrder } from "../../engine/protocol/venue-report.ts";
import { priceOf, type RefusalReason, sizeOf } from "./parse-book.ts";
import {
  arrayOf,
  conditionIdOf,
  type Fields,
  fieldsOf,
  freeText,
  hexOf,
  sideOf,
  textOf,
  tokenIdOf,
} from "./wire.ts";

/** How our entries are recognised in a trade: by the API key that owns them or the account that holds the money. */
export type Self = { readonly apiKey: string; readonly funder: string };

/** Maker orders of one trade; a match of the venue has far fewer. */
const maxMakerOrders = 5_000;

/** One order as /data/order, /data/orders and the user channel write it. */
export function parseVenueOrder(fields: Fields): Result<VenueOrder, RefusalReason> {
  const orderHash = hexOf(fields["id"]);
  if (orderHash === null) return err("bad_shape");
  const conditionId = conditionIdOf(fields["market"]) ?? hexOf(fields["market"]);
  if (conditionId === null) return err("bad_market");
  const tokenId = tokenIdOf(fields["asset_id"]);
  if (tokenId === null) return err("bad_token");
  const side = sideOf(fields["side"]);
  if (side === null) return err("bad_side");
  const originalSize = sizeOf(fields["original_size"]);
  // A killed order says "" for nothing matched.
  const matchedText = fields["size_matched"];
  const matched = matchedText === "" || matchedText == null ? (0 as Shares) : sizeOf(matchedText);
  if (originalSize === null || matched === null) return err("bad_size");
  const order = { orderHash, conditionId, tokenId, side, originalSize, matched };
  return ok({ ...order, price: priceOf(fields["price"]), state: stateOf(fields, order) });
}

/** Status words are free text ("CANCELED_order couldn't be fully filled..."); one that we do not know is alive. */
function stateOf(
  fields: Fields,
  order: { readonly originalSize: Shares; readonly matched: Shares },
): VenueOrder["state"] {
  const word = freeText(fields["status"])
    .toUpperCase()
    .replace(/^ORDER_STATUS_/, "");
  if (/^(?:CANCEL|INVALID|EXPIRED|KILLED|REJECTED)/.test(word)) return "ended";
  if (freeText(fields["type"]).toUpperCase() === "CANCELLATION") return "ended";
  if (word === "DELAYED") return "delayed";
  if (word !== "MATCHED") return "live";
  // A resting order that is matched in part goes on resting; a market order is over with its first match.
  const rests = /^(?:GTC|GTD)$/.test(freeText(fields["order_type"]).toUpperCase());
  return rests && order.matched < order.originalSize ? "live" : "matched";
}

/** MATCHED, MINED, RETRYING and every word that we do not know are provisional; `TRADE_STATUS_` is a REST spelling. */
export function fillStatusOf(value: unknown): FillStatus {
  const word = freeText(value)
    .toUpperCase()
    .replace(/^TRADE_STATUS_/, "");
  if (word === "CONFIRMED") return "confirmed";
  return word === "FAILED" ? "failed" : "provisional";
}

/**
 * Our part of a trade, one fill for each of our orders in it. As the taker that is the trade itself; as a maker it is
 * our entries of `maker_orders`, whose token and side may be the other ones (polymarket-market-data 4).
 */
export function parseTrade(
  fields: Fields,
  self: Self,
): Result<readonly FillReport[], RefusalReason> {
  const tradeId = freeText(fields["id"]);
  if (tradeId === "" || tradeId.length > 128) return err("bad_shape");
  const atMs = timeOf(fields["match_time"] ?? fields["matchtime"] ?? fields["timestamp"]);
  if (atMs === null) return err("bad_timestamp");
  const conditionId = conditionIdOf(fields["market"]) ?? hexOf(fields["market"]);
  const status = fillStatusOf(fields["status"]);
  const head: TradeHead = {
    tradeId,
    atMs,
    status,
    ...(conditionId === null ? {} : { conditionId }),
  };
  const taker = parseTakerPart(fields);
  if (!taker.ok) return taker;
  if (weTook(fields, self)) {
    const { orderHash, tokenId, side, size } = taker.value;
    const money = takerMoney(taker.value);
    return ok([{ ...head, orderHash, tokenId, side, size, money, isMaker: false }]);
  }
  const ours = taker.value.makers.filter((maker) => isOurs(maker.fields, self));
  if (ours.length === 0) return err("not_ours");
  return ok(ours.map((maker) => makerFill(head, maker)));
}

type TradeHead = {
  readonly tradeId: string;
  readonly atMs: number;
  readonly status: FillStatus;
  readonly conditionId?: ConditionId;
};

type MakerPart = {
  readonly fields: Fields;
  readonly orderHash: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly size: Shares;
  readonly price: Price;
};

type TakerPart = {
  readonly orderHash: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly size: Shares;
  readonly price: Price;
  readonly makers: readonly MakerPart[];
};

function isOurs(fields: Fields, self: Self): boolean {
  return (
    (self.apiKey !== "" && fields["owner"] === self.apiKey) ||
    freeText(fields["maker_address"]).toLowerCase() === self.funder.toLowerCase()
  );
}

/** The venue says which side we were on; without that word the owner of the taker's order tells. */
function weTook(fields: Fields, self: Self): boolean {
  const role = freeText(fields["trader_side"]).toUpperCase();
  if (role === "TAKER") return true;
  return role !== "MAKER" && isOurs(fields, self);
}

function parseTakerPart(fields: Fields): Result<TakerPart, RefusalReason> {
  const orderHash = hexOf(fields["taker_order_id"]);
  if (orderHash === null) return err("bad_shape");
  const tokenId = tokenIdOf(fields["asset_id"]);
  if (tokenId === null) return err("bad_token");
  const side = sideOf(fields["side"]);
  if (side === null) return err("bad_side");
  const size = sizeOf(fields["size"]);
  if (size === null) return err("bad_size");
  const at = priceOf(fields["price"]);
  if (at === null) return err("bad_price");
  const list = arrayOf(fields["maker_orders"] ?? []);
  if (list === null) return err("bad_shape");
  if (list.length > maxMakerOrders) return err("too_many");
  const makers: MakerPart[] = [];
  for (const item of list) {
    const maker = parseMakerPart(item, { tokenId, side });
    if (!maker.ok) return maker;
    makers.push(maker.value);
  }
  return ok({ orderHash, tokenId, side, size, price: at, makers });
}

function parseMakerPart(
  item: unknown,
  taker: { readonly tokenId: string; readonly side: Side },
): Result<MakerPart, RefusalReason> {
  const fields = fieldsOf(item);
  const orderHash = fields === null ? null : hexOf(fields["order_id"]);
  if (fields === null || orderHash === null) return err("bad_shape");
  const tokenId = tokenIdOf(fields["asset_id"]);
  if (tokenId === null) return err("bad_token");
  const size = sizeOf(fields["matched_amount"]);
  if (size === null) return err("bad_size");
  const at = priceOf(fields["price"]);
  if (at === null) return err("bad_price");
  // Old entries name no side: the same token is the other side of the taker's, the other token (mint, merge) the same.
  const opposite = taker.side === "buy" ? "sell" : "buy";
  const side = sideOf(fields["side"]) ?? (tokenId === taker.tokenId ? opposite : taker.side);
  return ok({ fields, orderHash, tokenId, side, size, price: at });
}

function makerFill(head: TradeHead, maker: MakerPart): FillReport {
  const { orderHash, tokenId, side, size, price } = maker;
  const money = side === "buy" ? costCeil(price, size) : costFloor(price, size);
  return { ...head, orderHash, tokenId, side, size, money, isMaker: true };
}

/**
 * What the taker paid or got: each maker's own price, mirrored when the maker traded the other token. The price of the
 * trade itself is a rounded average and is used only when the entries do not add up to the size.
 */
function takerMoney(taker: TakerPart): Usd {
  const cost = taker.side === "buy" ? costCeil : costFloor;
  let size = 0 as Shares;
  let money = 0 as Usd;
  for (const maker of taker.makers) {
    const at = maker.tokenId === taker.tokenId ? maker.price : mirrorPrice(maker.price);
    if (maker.size > taker.size) return cost(taker.price, taker.size);
    size = addShares(size, maker.size);
    if (size > taker.size) return cost(taker.price, taker.size);
    money = addUsd(money, cost(at, maker.size));
  }
  return size === taker.size ? money : cost(taker.price, taker.size);
}

const latestSecond = 99_999_999_999;

/** Seconds or milliseconds as text or number, in milliseconds. */
function timeOf(value: unknown): number | null {
  const text = textOf(value);
  if (text === null || !/^\d{1,15}$/.test(text)) return null;
  const time = Number(text);
  return time > latestSecond ? time : time * 1_000;
}
