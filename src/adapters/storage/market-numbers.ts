import type { Kysely } from "kysely";
import type { Market } from "../../engine/domain/market.ts";
import { undescribed, upsertMarkets } from "./market-rows.ts";
import { StoreError } from "./store-error.ts";
import type { OutcomeRow, StoreTables } from "./tables.ts";

/** Where a token's rows stand. The outcome's number is the store's own: the table of outcomes says which token it is. */
export type TokenNumber = { readonly marketId: number; readonly outcome: 0 | 1 };

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

  /** The token's number when it was asked for before; null otherwise. */
  known(tokenId: string): TokenNumber | null {
    return this.#tokens.get(tokenId) ?? null;
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

  /** Keeps what the ledger says of markets; tokens that were seen before keep their numbers. */
  async describe(markets: readonly Market[], atMs: number): Promise<void> {
    await upsertMarkets(this.#db, markets, atMs);
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
