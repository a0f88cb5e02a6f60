import type { Kysely } from "kysely";
import type { Market } from "../../engine/domain/market.ts";
import { undescribed, upsertMarkets } from "./market-rows.ts";
import { StoreError } from "./store-error.ts";
import type { OutcomeRow, StoreTables } from "./tables.ts";

/** Where a token's rows stand. The outcome's number is the store's own: the table of outcomes says which token it is. */
export type TokenNumber = { readonly marketId: number; readonly outcome: 0 | 1 };

/** A market's tokens, as a recording names them. */
export type MarketTokens = { readonly conditionId: string; readonly tokenIds: readonly string[] };

/** SQLite takes at most 32,766 values in one statement; a market's row has a dozen. */
const marketsOfStatement = 1_000;
/** Somebody else may take a market's place meanwhile: then the next one is tried, there are only two, and a look follows. */
const roundsMax = 3;

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
    await this.#read([marketId]);
    this.#markets.set(conditionId, marketId);
    return marketId;
  }

  /** The token's number; a token that nobody has named yet takes the next free one of its market. @throws StoreError for a third one */
  async token(conditionId: string, tokenId: string, name = ""): Promise<TokenNumber> {
    const marketId = await this.market(conditionId);
    for (let round = 0; round < roundsMax; round++) {
      const known = this.#tokens.get(tokenId);
      if (known !== undefined) return known;
      const taken = this.#taken.get(marketId) ?? 0;
      await this.#insert([{ ...freshOutcome(conditionId, marketId, tokenId, taken), name }]);
    }
    throw strangerOf(conditionId, [tokenId]);
  }

  /** Gives numbers to the tokens of many markets at once, as `token` does to one. @throws StoreError for a third token of a market */
  async learn(markets: readonly MarketTokens[]): Promise<void> {
    const tokens = new Map<string, Set<string>>();
    for (const { conditionId, tokenIds } of markets) {
      const fresh = tokenIds.filter((id) => !this.#tokens.has(id));
      if (fresh.length > 0) {
        tokens.set(conditionId, new Set([...(tokens.get(conditionId) ?? []), ...fresh]));
      }
    }
    const unknown = [...tokens].map(([conditionId, ids]) => ({ conditionId, tokenIds: [...ids] }));
    for (let at = 0; at < unknown.length; at += marketsOfStatement) {
      await this.#learnSome(unknown.slice(at, at + marketsOfStatement));
    }
  }

  async #learnSome(markets: readonly MarketTokens[]): Promise<void> {
    const wanted = markets.map(({ conditionId }) => conditionId);
    const find = this.#db
      .selectFrom("markets")
      .select(["market_id", "condition_id"])
      .where("condition_id", "in", wanted);
    const known = new Set((await find.execute()).map((row) => row.condition_id));
    const missing = wanted.filter((conditionId) => !known.has(conditionId));
    if (missing.length > 0) {
      await this.#db
        .insertInto("markets")
        .values(missing.map(undescribed))
        .onConflict((clash) => clash.column("condition_id").doNothing())
        .execute();
    }
    const found = await find.execute();
    await this.#read(found.map((row) => row.market_id));
    for (const row of found) this.#markets.set(row.condition_id, row.market_id);
    for (let round = 0; round < roundsMax; round++) {
      const fresh = markets.flatMap(({ conditionId, tokenIds }) =>
        this.#freshOutcomes(conditionId, tokenIds),
      );
      if (fresh.length === 0) return;
      await this.#insert(fresh);
    }
    for (const { conditionId, tokenIds } of markets) {
      const left = tokenIds.filter((id) => !this.#tokens.has(id));
      if (left.length > 0) throw strangerOf(conditionId, left);
    }
  }

  /**
   * Adds those for which there is room, and reads what their markets have then: a running service and other loaders give
   * numbers too. A market whose row was not taken has more tokens afterwards than were known.
   */
  async #insert(rows: readonly OutcomeRow[]): Promise<void> {
    await this.#db
      .insertInto("outcomes")
      .values(rows)
      .onConflict((clash) => clash.doNothing())
      .execute();
    await this.#read([...new Set(rows.map((row) => row.market_id))]);
  }

  async #read(marketIds: readonly number[]): Promise<void> {
    const outcomes = await this.#db
      .selectFrom("outcomes")
      .selectAll()
      .where("market_id", "in", marketIds)
      .execute();
    for (const row of outcomes) this.#know(row);
  }

  /** Rows for those of a known market's tokens that have no number yet. */
  #freshOutcomes(conditionId: string, tokenIds: readonly string[]): readonly OutcomeRow[] {
    const marketId = this.#markets.get(conditionId) ?? 0;
    const taken = this.#taken.get(marketId) ?? 0;
    const fresh = tokenIds.filter((id) => !this.#tokens.has(id));
    return fresh.map((id, i) => freshOutcome(conditionId, marketId, id, taken + i));
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

/** The row of a token that comes after `taken` others of its market. */
function freshOutcome(
  conditionId: string,
  marketId: number,
  tokenId: string,
  taken: number,
): OutcomeRow {
  if (taken > 1) {
    throw new StoreError("store_bad_value", `${conditionId} has two other tokens: ${tokenId}`);
  }
  return { token_id: tokenId, market_id: marketId, outcome: taken === 0 ? 0 : 1, name: "" };
}

function strangerOf(conditionId: string, tokenIds: readonly string[]): StoreError {
  return new StoreError(
    "store_bad_value",
    `${tokenIds.join(", ")} of ${conditionId} is known as another market's`,
  );
}
