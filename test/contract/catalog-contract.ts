// What the catalog leaves in the store, in either home.
import { describe, expect, test } from "vitest";
import { loadTape } from "../../src/adapters/storage/load-tape.ts";
import { MarketNumbers } from "../../src/adapters/storage/market-numbers.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import { closeUnseen, writeCatalog } from "../../src/adapters/storage/write-catalog.ts";
import type { Market, MarketGroup } from "../../src/engine/domain/market.ts";
import type { Price, Rate, Usd } from "../../src/engine/domain/numbers.ts";
import { codeOf } from "../adapters/sqlite/support.ts";
import { marketOf } from "../engine/support/markets.ts";
import { withStoreOf } from "./with-store.ts";

const hashA = "a".repeat(64);
const hashB = "b".repeat(64);

function listed(n: number, over: Partial<Market> = {}): Market {
  return marketOf(n, { ruleHash: hashA, tradable: true, ...over });
}

async function statusesOf(store: Store, conditionId: string): Promise<string[]> {
  const rows = await store.db
    .selectFrom("market_status")
    .innerJoin("markets", "markets.market_id", "market_status.market_id")
    .select(["ts", "status", "detail"])
    .where("condition_id", "=", conditionId)
    .orderBy("ts")
    .orderBy("status")
    .execute();
  return rows.map(({ ts, status, detail }) => `${ts} ${status} ${detail}`.trim());
}

const rowOf = (store: Store, conditionId: string) =>
  store.db
    .selectFrom("markets")
    .selectAll()
    .where("condition_id", "=", conditionId)
    .executeTakeFirstOrThrow();

/** `open` gives a store in a fresh place. */
export function describeCatalog(home: string, open: () => Promise<Store>): void {
  const withStore = withStoreOf(open);
  const write = (
    store: Store,
    atMs: number,
    markets: readonly Market[],
    groups: readonly MarketGroup[] = [],
  ) => writeCatalog(store, { markets, groups, atMs });

  describe(`the catalog in ${home}`, () => {
    test("every member of a market, of a window and of a group has its column", () =>
      withStore(async (store) => {
        const window = { coin: "btc", startMs: 5, endMs: 6, strike: 64_000_000_001 as Usd };
        const market = listed(1, {
          question: "Ä 'x'; --?",
          groupId: "g1",
          window,
          fee: { rate: 40_000 as Rate },
          isPlaceholder: true,
          endAtMs: 9,
          takerDelayMs: 3_000,
          tickSize: 25 as Price,
        });
        const group: MarketGroup = {
          groupId: "g1",
          slug: "g",
          title: "G",
          negRisk: true,
          augmented: true,
          conditionIds: [market.conditionId, "0xother"],
        };
        expect(await write(store, 100, [market], [group])).toBe(0);
        expect(await rowOf(store, market.conditionId)).toEqual({
          market_id: 1,
          condition_id: market.conditionId,
          slug: market.slug,
          question: market.question,
          group_id: "g1",
          tick_size_e4: 25,
          min_order_size_e6: market.minOrderSize,
          neg_risk: market.negRisk ? 1 : 0,
          version: market.version,
          tradable: 1,
          end_at_ms: 9,
          rule_hash: hashA,
          updated_ms: 100,
          winner: null,
          fee_rate_e6: 40_000,
          taker_delay_ms: 3_000,
          is_other: market.isOther ? 1 : 0,
          is_placeholder: 1,
          window_coin: "btc",
          window_start_ms: 5,
          window_end_ms: 6,
          window_strike_usd_e6: 64_000_000_001,
        });
        const tokens = await store.db
          .selectFrom("outcomes")
          .selectAll()
          .orderBy("outcome")
          .execute();
        expect(tokens).toEqual(
          market.outcomes.map(({ tokenId, name }, outcome) => ({
            token_id: tokenId,
            market_id: 1,
            outcome,
            name,
          })),
        );
        expect(await store.db.selectFrom("market_groups").selectAll().execute()).toEqual([
          {
            group_id: "g1",
            slug: "g",
            title: "G",
            neg_risk: 1,
            augmented: 1,
            condition_ids: JSON.stringify(group.conditionIds),
            updated_ms: 100,
          },
        ]);
      }));

    test("a market's life is written down once, change by change", () =>
      withStore(async (store) => {
        const { conditionId, outcomes } = listed(1);
        await write(store, 100, [listed(1)]);
        await write(store, 110, [listed(1)]);
        await write(store, 120, [listed(1, { ruleHash: hashB })]);
        await write(store, 130, [listed(1, { ruleHash: hashB, tickSize: 10 as Price })]);
        const shut = { ruleHash: hashB, tickSize: 10 as Price, tradable: false } as const;
        await write(store, 140, [listed(1, shut)]);
        await write(store, 150, [listed(1, { ...shut, tradable: true })]);
        await write(store, 160, [listed(1, { ...shut, winner: 1 })]);
        await write(store, 170, [listed(1, { ...shut, winner: 1 })]);
        expect(await statusesOf(store, conditionId)).toEqual([
          "100 open",
          `120 rules ${JSON.stringify({ from: hashA, to: hashB })}`,
          "130 tick_size 10",
          "140 closed",
          "150 open",
          `160 resolved ${outcomes[1].tokenId}`,
        ]);
        expect(await rowOf(store, conditionId)).toMatchObject({
          winner: 1,
          tradable: 0,
          rule_hash: hashB,
          updated_ms: 170,
        });
      }));

    test("an older report changes nothing, and one without a rule hash keeps the one that is known", () =>
      withStore(async (store) => {
        const { conditionId } = listed(1);
        await write(store, 200, [listed(1)]);
        await write(store, 100, [listed(1, { tradable: false, ruleHash: hashB })]);
        expect(await rowOf(store, conditionId)).toMatchObject({ tradable: 1, rule_hash: hashA });
        const { ruleHash: _, ...untold } = listed(1, { question: "Later?" });
        await write(store, 300, [untold]);
        expect(await rowOf(store, conditionId)).toMatchObject({
          question: "Later?",
          rule_hash: hashA,
        });
        await new MarketNumbers(store.db).describe([listed(1, { question: "Once?" })], 50);
        expect((await rowOf(store, conditionId)).question).toBe("Later?");
        expect(await statusesOf(store, conditionId)).toEqual(["200 open"]);
      }));

    test("what a whole reading did not see is closed, once; what it saw and what was read since stays", () =>
      withStore(async (store) => {
        await write(store, 100, [listed(1), listed(2), listed(3, { tradable: false })]);
        await write(store, 205, [listed(2)]);
        expect(await closeUnseen(store, 200, 300)).toBe(1);
        expect(await closeUnseen(store, 200, 310)).toBe(0);
        expect(await statusesOf(store, listed(1).conditionId)).toEqual(["100 open", "300 closed"]);
        expect(await statusesOf(store, listed(2).conditionId)).toEqual(["100 open"]);
        expect(await statusesOf(store, listed(3).conditionId)).toEqual(["100 closed"]);
        await write(store, 400, [listed(1)]);
        expect(await statusesOf(store, listed(1).conditionId)).toContain("400 open");
      }));

    test("tokens that a recording named first keep their numbers, and get their names", () =>
      withStore(async (store) => {
        const market = listed(1);
        const [yes, no] = market.outcomes;
        const trade = {
          kind: "trade.printed",
          conditionId: market.conditionId,
          tokenId: no.tokenId,
          price: 5_000 as Price,
          size: 1_000_000,
          takerSide: "buy",
          timestamp: `${Date.UTC(2026, 10, 20)}`,
        };
        const frame = { seq: 1, atMs: 1, events: [trade as never] };
        await loadTape(store, { name: "a" }, [frame], 1);
        await write(store, 100, [market]);
        const numbers = async () => {
          const rows = await store.db.selectFrom("outcomes").selectAll().execute();
          return new Map(rows.map((row) => [row.token_id, `${row.outcome} ${row.name}`]));
        };
        expect(await numbers()).toEqual(
          new Map([
            [no.tokenId, `0 ${no.name}`],
            [yes.tokenId, `1 ${yes.name}`],
          ]),
        );
        const strangers = [
          { tokenId: "777", name: "Yes" },
          { tokenId: "778", name: "No" },
        ] as const;
        const contradicting = listed(1, { outcomes: strangers });
        expect(await write(store, 200, [contradicting, listed(2)])).toBe(2);
        expect((await numbers()).size).toBe(4);
        expect(await statusesOf(store, listed(2).conditionId)).toEqual(["200 open"]);
      }));

    test("thousands at once; a batch that fails keeps nothing", () =>
      withStore(async (store) => {
        const many = Array.from({ length: 2_500 }, (_, n) => listed(n + 1));
        await write(store, 100, many);
        const counted = async (table: "markets" | "outcomes" | "market_status") => {
          const all = await store.db.selectFrom(table).select("market_id").execute();
          return all.length;
        };
        expect([
          await counted("markets"),
          await counted("outcomes"),
          await counted("market_status"),
        ]).toEqual([2_500, 5_000, 2_500]);
        const broken = [listed(1, { tradable: false }), listed(9_999, { slug: null as never })];
        expect(await codeOf(write(store, 200, broken))).toBe("store_failed");
        expect(await statusesOf(store, listed(1).conditionId)).toEqual(["100 open"]);
        expect(await counted("markets")).toBe(2_500);
      }));
  });
}
