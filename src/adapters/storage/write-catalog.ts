import type { Insertable, Transaction } from "kysely";
import type { Market, MarketGroup } from "../../engine/domain/market.ts";
import { flag, upsertMarkets } from "./market-rows.ts";
import type { Store } from "./store.ts";
import { StoreError } from "./store-error.ts";
import type { MarketStatusRow, OutcomeRow, StoreTables } from "./tables.ts";

/** What the catalog brought; each market and each group once. */
export type CatalogBatch = {
  readonly markets: readonly Market[];
  readonly groups: readonly MarketGroup[];
  readonly atMs: number;
};

/** Its time says when the catalog was written last. */
export const catalogCheckpoint = "catalog";

const rowsOfStatement = 500;

type Known = {
  readonly market_id: number;
  readonly tradable: 0 | 1;
  readonly tick_size_e4: number;
  readonly rule_hash: string | null;
  readonly winner: 0 | 1 | null;
  readonly updated_ms: number;
};

/**
 * Brings markets, outcomes and groups up to what the catalog says and writes down what changed in a market's life, in one
 * transaction. What is there of a later time stays. Returns how many tokens contradict those that their market has
 * already: they are left out, as rows of market data stand under the others. @throws StoreError; nothing is kept then
 */
export async function writeCatalog(store: Store, batch: CatalogBatch): Promise<number> {
  const { markets, groups, atMs } = batch;
  return inTransaction(store, async (work) => {
    await touch(work, atMs);
    const before = await knownMarkets(work, markets);
    await upsertMarkets(work, markets, atMs);
    const after = await knownMarkets(work, markets);
    const contradictions = await writeOutcomes(work, markets, after);
    const statuses = markets.flatMap((market) => {
      const marketId = after.get(market.conditionId)?.market_id ?? 0;
      return changesOf(market, before.get(market.conditionId), atMs).map((change) => ({
        market_id: marketId,
        ts: atMs,
        ...change,
      }));
    });
    await addStatuses(work, statuses);
    await writeGroups(work, groups, atMs);
    return contradictions;
  });
}

/** Closes what a whole reading of the open markets, begun at `sinceMs`, did not see. Returns how many. @throws StoreError */
export async function closeUnseen(store: Store, sinceMs: number, atMs: number): Promise<number> {
  return inTransaction(store, async (work) => {
    await touch(work, atMs);
    const gone = await work
      .updateTable("markets")
      .set({ tradable: 0 })
      .where("tradable", "=", 1)
      .where("updated_ms", "<", sinceMs)
      .returning("market_id")
      .execute();
    await addStatuses(
      work,
      gone.map((row) => ({ market_id: row.market_id, ts: atMs, status: "closed", detail: "" })),
    );
    return gone.length;
  });
}

async function inTransaction<T>(
  store: Store,
  work: (transaction: Transaction<StoreTables>) => Promise<T>,
): Promise<T> {
  try {
    return await store.db.transaction().execute(work);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StoreError("store_failed", `${store.place}: ${message}`, error);
  }
}

/** First of all: a transaction that reads before it writes is refused by SQLite when somebody else wrote meanwhile. */
async function touch(work: Transaction<StoreTables>, atMs: number): Promise<void> {
  await work
    .insertInto("checkpoints")
    .values({ name: catalogCheckpoint, position: 0, at_ms: atMs })
    .onConflict((clash) => clash.column("name").doUpdateSet({ at_ms: atMs }))
    .execute();
}

async function knownMarkets(
  work: Transaction<StoreTables>,
  markets: readonly Market[],
): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  for (const some of pages(markets)) {
    const rows = await work
      .selectFrom("markets")
      .select([
        "condition_id",
        "market_id",
        "tradable",
        "tick_size_e4",
        "rule_hash",
        "winner",
        "updated_ms",
      ])
      .where(
        "condition_id",
        "in",
        some.map(({ conditionId }) => conditionId),
      )
      .execute();
    for (const row of rows) known.set(row.condition_id, row);
  }
  return known;
}

/** What is new about a market; a report that is older than what is known says nothing. */
function changesOf(
  market: Market,
  known: Known | undefined,
  atMs: number,
): Pick<MarketStatusRow, "status" | "detail">[] {
  const changes: Pick<MarketStatusRow, "status" | "detail">[] = [];
  const winner = market.winner === undefined ? null : market.outcomes[market.winner];
  const resolved = winner === null ? null : { status: "resolved", detail: winner.tokenId };
  const openness = { status: market.tradable ? "open" : "closed", detail: "" };
  if (known === undefined || known.updated_ms === 0) return [resolved ?? openness];
  if (known.updated_ms > atMs) return [];
  if (resolved !== null && known.winner === null) changes.push(resolved);
  else if (known.tradable !== flag(market.tradable)) changes.push(openness);
  const { ruleHash } = market;
  if (known.rule_hash !== null && ruleHash !== undefined && known.rule_hash !== ruleHash) {
    const detail = JSON.stringify({ from: known.rule_hash, to: ruleHash });
    changes.push({ status: "rules", detail });
  }
  if (known.tick_size_e4 !== market.tickSize) {
    changes.push({ status: "tick_size", detail: `${market.tickSize}` });
  }
  return changes;
}

/** Tokens that have a number keep it; returns how many find none free. */
async function writeOutcomes(
  work: Transaction<StoreTables>,
  markets: readonly Market[],
  known: ReadonlyMap<string, Known>,
): Promise<number> {
  const numbers = await outcomeNumbers(work, [...known.values()]);
  const rows: Insertable<OutcomeRow>[] = [];
  let contradictions = 0;
  for (const { conditionId, outcomes } of markets) {
    const marketId = known.get(conditionId)?.market_id ?? 0;
    const taken = numbers.get(marketId) ?? new Map<string, 0 | 1>();
    for (const { tokenId, name } of outcomes) {
      const outcome = taken.get(tokenId) ?? freeNumber(taken);
      if (outcome === null) {
        contradictions++;
        continue;
      }
      taken.set(tokenId, outcome);
      rows.push({ token_id: tokenId, market_id: marketId, outcome, name });
    }
  }
  for (const some of pages(rows)) {
    await work
      .insertInto("outcomes")
      .values(some)
      .onConflict((clash) =>
        clash.column("token_id").doUpdateSet((row) => ({ name: row.ref("excluded.name") })),
      )
      .execute();
  }
  return contradictions;
}

/** The tokens of each market with their numbers. */
async function outcomeNumbers(
  work: Transaction<StoreTables>,
  markets: readonly Known[],
): Promise<Map<number, Map<string, 0 | 1>>> {
  const numbers = new Map<number, Map<string, 0 | 1>>();
  for (const some of pages(markets)) {
    const rows = await work
      .selectFrom("outcomes")
      .select(["market_id", "token_id", "outcome"])
      .where(
        "market_id",
        "in",
        some.map((row) => row.market_id),
      )
      .execute();
    for (const row of rows) {
      const taken = numbers.get(row.market_id) ?? new Map<string, 0 | 1>();
      numbers.set(row.market_id, taken.set(row.token_id, row.outcome));
    }
  }
  return numbers;
}

function freeNumber(taken: ReadonlyMap<string, 0 | 1>): 0 | 1 | null {
  const used = [...taken.values()];
  return !used.includes(0) ? 0 : !used.includes(1) ? 1 : null;
}

async function addStatuses(
  work: Transaction<StoreTables>,
  rows: readonly MarketStatusRow[],
): Promise<void> {
  for (const some of pages(rows)) {
    await work
      .insertInto("market_status")
      .values(some)
      .onConflict((clash) => clash.doNothing())
      .execute();
  }
}

async function writeGroups(
  work: Transaction<StoreTables>,
  groups: readonly MarketGroup[],
  atMs: number,
): Promise<void> {
  const rows = groups
    .map((group) => ({
      group_id: group.groupId,
      slug: group.slug,
      title: group.title,
      neg_risk: flag(group.negRisk),
      augmented: flag(group.augmented),
      condition_ids: JSON.stringify(group.conditionIds),
      updated_ms: atMs,
    }))
    .toSorted((a, b) => (a.group_id < b.group_id ? -1 : 1));
  for (const some of pages(rows)) {
    await work
      .insertInto("market_groups")
      .values(some)
      .onConflict((clash) =>
        clash
          .column("group_id")
          .doUpdateSet((row) => ({
            slug: row.ref("excluded.slug"),
            title: row.ref("excluded.title"),
            neg_risk: row.ref("excluded.neg_risk"),
            augmented: row.ref("excluded.augmented"),
            condition_ids: row.ref("excluded.condition_ids"),
            updated_ms: row.ref("excluded.updated_ms"),
          }))
          .whereRef("market_groups.updated_ms", "<=", "excluded.updated_ms"),
      )
      .execute();
  }
}

function* pages<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += rowsOfStatement) {
    yield rows.slice(at, at + rowsOfStatement);
  }
}
