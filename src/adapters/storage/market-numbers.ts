import type { Kysely } from "kysely";
import type { Market } from "../../engine/domain/market.ts";
import { StoreError } from "./store-error.ts";
import type { OutcomeRow, StoreTables } from "./tables.ts";

/** Where a token's rows stand. The outcome's number is the store's own: the table of outcomes says which token it is. */
export type TokenNumber = { readonly marketId: number; readonly outcome: 0 | 1 };

const rowsOfStatement = 200;

/** The store's numbers of markets and tokens, remembered. A market that nobody has described yet gets an empty row. */
export class MarketNumbers {
  readonly #db: Kysely<StoreTables>;
  readonly #markets = new Map<string, number>();
  readonly #tokens = new Map<string, TokenNumber>();
  /** How many tokens of a market have a number. */
  readonly #taken = new Map<number, number>();

  constructor(db: Kysely<StoreTables>) {
    this.#db = db;
  }

  /** The market's number, made when it has none. */
  async market(conditionId: string): Promise<number> {
    const known = this.#markets.get(conditionId);
    if (known !== undefined) return known;
    const find = this.#db
      .selectFrom("markets")
      .select("market_id")
      .where("condition_id", "=", conditionId);
    let found = await find.executeTakeFirst();
    if (found === undefined) {
      await this.#db
        .insertInto("markets")
        .values(undescribed(conditionId))
        .onConflict((clash) => clash.column("condition_id").doNothing())
        .execute();
      found = await find.executeTakeFirstOrThrow();
    }
    const { market_id: marketId } = found;
    const outcomes = await this.#db
      .selectFrom("outcomes")
      .selectAll()
      .where("market_id", "=", marketId)
      .execute();
    for (const row of outcomes) this.#know(row);
    this.#markets.set(conditionId, marketId);
    return marketId;
  }

  /** The token's number; a token that nobody has named yet takes the next free one of its market. @throws StoreError for a third one */
  async token(conditionId: string, tokenId: string, name = ""): Promise<TokenNumber> {
    const marketId = await this.market(conditionId);
    const known = this.#tokens.get(tokenId);
    if (known !== undefined) return known;
    const taken = this.#taken.get(marketId) ?? 0;
    if (taken > 1) {
      throw new StoreError("store_bad_value", `${conditionId} has two other tokens: ${tokenId}`);
    }
    const row: OutcomeRow = {
      token_id: tokenId,
      market_id: marketId,
      outcome: taken === 0 ? 0 : 1,
      name,
    };
    await this.#db.insertInto("outcomes").values(row).execute();
    this.#know(row);
    return { marketId, outcome: row.outcome };
  }

  /** Keeps what the catalog says of markets; tokens that were seen before keep their numbers. */
  async describe(markets: readonly Market[], atMs: number): Promise<void> {
    for (let at = 0; at < markets.length; at += rowsOfStatement) {
      const some = markets.slice(at, at + rowsOfStatement);
      await this.#db
        .insertInto("markets")
        .values(some.map((market) => described(market, atMs)))
        .onConflict((clash) =>
          clash.column("condition_id").doUpdateSet((row) => ({
            slug: row.ref("excluded.slug"),
            question: row.ref("excluded.question"),
            group_id: row.ref("excluded.group_id"),
            tick_size_e4: row.ref("excluded.tick_size_e4"),
            min_order_size_e6: row.ref("excluded.min_order_size_e6"),
            neg_risk: row.ref("excluded.neg_risk"),
            version: row.ref("excluded.version"),
            tradable: row.ref("excluded.tradable"),
            end_at_ms: row.ref("excluded.end_at_ms"),
            updated_ms: row.ref("excluded.updated_ms"),
          })),
        )
        .execute();
    }
    for (const { conditionId, outcomes } of markets) {
      for (const { tokenId, name } of outcomes) {
        await this.token(conditionId, tokenId, name);
        await this.#db
          .updateTable("outcomes")
          .set({ name })
          .where("token_id", "=", tokenId)
          .where("name", "!=", name)
          .execute();
      }
    }
  }

  #know({ token_id: tokenId, market_id: marketId, outcome }: OutcomeRow): void {
    if (!this.#tokens.has(tokenId)) this.#taken.set(marketId, (this.#taken.get(marketId) ?? 0) + 1);
    this.#tokens.set(tokenId, { marketId, outcome });
  }
}

function undescribed(conditionId: string) {
  return {
    condition_id: conditionId,
    slug: "",
    question: "",
    group_id: null,
    tick_size_e4: 0,
    min_order_size_e6: 0,
    neg_risk: 0 as const,
    version: "",
    tradable: 0 as const,
    end_at_ms: null,
    rule_hash: null,
    updated_ms: 0,
  };
}

function described(market: Market, atMs: number) {
  return {
    condition_id: market.conditionId,
    slug: market.slug,
    question: market.question,
    group_id: market.groupId,
    tick_size_e4: market.tickSize,
    min_order_size_e6: market.minOrderSize,
    neg_risk: market.negRisk ? (1 as const) : (0 as const),
    version: market.version,
    tradable: market.tradable ? (1 as const) : (0 as const),
    end_at_ms: market.endAtMs,
    rule_hash: null,
    updated_ms: atMs,
  };
}
