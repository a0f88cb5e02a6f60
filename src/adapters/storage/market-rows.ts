import type { Insertable, Kysely } from "kysely";
import type { Market } from "../../engine/domain/market.ts";
import type { MarketRow, StoreTables } from "./tables.ts";

const rowsOfStatement = 200;

/**
 * Writes what is known of markets. A row of a later time stays, whoever comes with an older one; a rule hash that is not
 * told stays, too.
 */
export async function upsertMarkets(
  db: Kysely<StoreTables>,
  markets: readonly Market[],
  atMs: number,
): Promise<void> {
  // In one order everywhere: two writers that need the same rows must not wait for each other in a ring.
  const rows = markets
    .map((market) => described(market, atMs))
    .toSorted((a, b) => (a.condition_id < b.condition_id ? -1 : 1));
  for (let at = 0; at < rows.length; at += rowsOfStatement) {
    await db
      .insertInto("markets")
      .values(rows.slice(at, at + rowsOfStatement))
      .onConflict((clash) =>
        clash
          .column("condition_id")
          .doUpdateSet((row) => ({
            ...Object.fromEntries(
              renewed.map((column) => [column, row.ref(`excluded.${column}` as never)]),
            ),
            rule_hash: row.fn.coalesce("excluded.rule_hash", "markets.rule_hash"),
          }))
          .whereRef("markets.updated_ms", "<=", "excluded.updated_ms"),
      )
      .execute();
  }
}

/** A market of which only the name is known. */
export function undescribed(conditionId: string): Insertable<MarketRow> {
  return {
    condition_id: conditionId,
    slug: "",
    question: "",
    group_id: null,
    tick_size_e4: 0,
    min_order_size_e6: 0,
    neg_risk: 0,
    version: "",
    tradable: 0,
    end_at_ms: null,
    rule_hash: null,
    updated_ms: 0,
  };
}

/** Columns that a later description replaces; the rule hash has a rule of its own. */
const renewed = [
  "slug",
  "question",
  "group_id",
  "tick_size_e4",
  "min_order_size_e6",
  "neg_risk",
  "version",
  "tradable",
  "end_at_ms",
  "updated_ms",
  "winner",
  "fee_rate_e6",
  "taker_delay_ms",
  "is_other",
  "is_placeholder",
  "window_coin",
  "window_start_ms",
  "window_end_ms",
  "window_strike_usd_e6",
] as const satisfies readonly (keyof MarketRow)[];

function described(market: Market, atMs: number): Insertable<MarketRow> & { condition_id: string } {
  const { window } = market;
  return {
    condition_id: market.conditionId,
    slug: market.slug,
    question: market.question,
    group_id: market.groupId,
    tick_size_e4: market.tickSize,
    min_order_size_e6: market.minOrderSize,
    neg_risk: flag(market.negRisk),
    version: market.version,
    tradable: flag(market.tradable),
    end_at_ms: market.endAtMs,
    rule_hash: market.ruleHash ?? null,
    updated_ms: atMs,
    winner: market.winner ?? null,
    fee_rate_e6: market.fee.rate,
    taker_delay_ms: market.takerDelayMs,
    is_other: flag(market.isOther),
    is_placeholder: flag(market.isPlaceholder === true),
    window_coin: window?.coin ?? null,
    window_start_ms: window?.startMs ?? null,
    window_end_ms: window?.endMs ?? null,
    window_strike_usd_e6: window?.strike ?? null,
  };
}

export function flag(is: boolean): 0 | 1 {
  return is ? 1 : 0;
}
