import type { FillReport } from "../domain/fill.ts";
import type { ConditionId, Market, MarketGroup, Side, TokenId } from "../domain/market.ts";
import type { BookSnapshot } from "../domain/market-event.ts";
import type { Price, Shares, Usd } from "../domain/numbers.ts";
import type { Denial, RejectReason } from "../domain/reasons.ts";

/** The venue's own account of one order. `ended` covers canceled, expired, killed and invalid; unknown words are "live". */
export type VenueOrder = {
  readonly orderHash: string;
  readonly conditionId: ConditionId;
  readonly tokenId: TokenId;
  readonly side: Side;
  readonly price: Price | null;
  readonly originalSize: Shares;
  readonly matched: Shares;
  readonly state: "live" | "matched" | "ended" | "delayed";
};

/** What became of one POST of an order (reliability 1.6). Only a documented refusal is `rejected`. */
export type PostOutcome =
  | { readonly kind: "accepted"; readonly state: "live" | "matched" | "delayed" }
  /** "Duplicated": an earlier copy reached the engine; says nothing about its fate. */
  | { readonly kind: "duplicated" }
  | { readonly kind: "rejected"; readonly reason: RejectReason; readonly detail: string }
  /** 425, 429 and venue modes: not taken; a query first, then the same bytes while deadline and bound hold. */
  | {
      readonly kind: "not_taken";
      readonly reason: RejectReason;
      readonly retryAfterMs: number | null;
      readonly detail: string;
    }
  /** Our own gate closed before the first byte. */
  | { readonly kind: "blocked"; readonly denial: Denial }
  | { readonly kind: "not_sent"; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string }
  /** The answer names another order than the one sent: our model of the venue is wrong. */
  | { readonly kind: "id_mismatch"; readonly got: string };

export type CancelOutcome =
  | {
      readonly kind: "answered";
      readonly canceled: readonly string[];
      /** Order hash -> the venue's words, for logs only. */
      readonly refused: Readonly<Record<string, string>>;
    }
  | { readonly kind: "failed"; readonly detail: string };

/** `absent` only when the venue answered that it does not know the order; a failed read is never "absent". */
export type QueryOutcome =
  | { readonly kind: "found"; readonly order: VenueOrder }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly detail: string };

export type AccountBalance = { readonly cash: Usd; readonly allowance: Usd };

/** What the private stream says. No snapshot and no replay: after each connect the REST reads are the truth. */
export type AccountEvent =
  | { readonly kind: "order.reported"; readonly order: VenueOrder }
  | { readonly kind: "fill.reported"; readonly fill: FillReport }
  | { readonly kind: "link.up"; readonly feed: "user"; readonly epoch: number }
  | { readonly kind: "link.lost"; readonly feed: "user"; readonly detail: string };

export type CatalogAnswer = {
  readonly markets: readonly Market[];
  readonly groups: readonly MarketGroup[];
};

/** A market with what finds it in the catalog. */
export type ListedMarket = {
  readonly market: Market;
  readonly eventSlug: string;
  /** Slugs of its event's tags. */
  readonly tags: readonly string[];
  readonly liquidityUsd: number | null;
  /** Gamma's cached best prices of outcome 0: for lists, never for trading. */
  readonly bid: Price | null;
  readonly ask: Price | null;
};

/** One page of the open markets; `next` continues behind it, null after the last one. */
export type CatalogPage = {
  readonly listed: readonly ListedMarket[];
  readonly groups: readonly MarketGroup[];
  readonly next: string | null;
};

/** A token whose shares are to be read. */
export type TokenRead = { readonly tokenId: TokenId; readonly version: "v1" | "v2" };

/** Shares of one token by the venue's own account of us. */
export type ShareReport = { readonly tokenId: TokenId; readonly shares: Shares };

/** One read of everything that the venue holds of our account; each part null when its read failed. */
export type AccountReport = {
  readonly openOrders: readonly VenueOrder[] | null;
  readonly fills: readonly FillReport[] | null;
  readonly balance: AccountBalance | null;
  /** Of the tokens that were asked for, those that could be read. */
  readonly shares?: readonly ShareReport[];
};

export type BookRead =
  | { readonly ok: true; readonly book: BookSnapshot }
  | { readonly ok: false; readonly detail: string };
