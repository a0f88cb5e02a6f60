// Numbers of markets and tokens, in either home.
import { describe, expect, test } from "vitest";
import { loadTape } from "../../src/adapters/storage/load-tape.ts";
import { MarketNumbers } from "../../src/adapters/storage/market-numbers.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import { codeOf } from "../adapters/sqlite/support.ts";
import { conditionId, no, tapeFrames, yes } from "./load-contract.ts";
import { withStoreOf } from "./with-store.ts";

/** `open` a store in a fresh place. */
export function describeNumbers(home: string, open: () => Promise<Store>): void {
  const withStore = withStoreOf(open);

  describe(`numbers of markets in ${home}`, () => {
    test("markets that a recording lists get the numbers that their frames would give them, in one go", () =>
      withStore(async (store) => {
        const many = Array.from({ length: 1_200 }, (_, i) => ({
          conditionId: `0x${i.toString(16).padStart(64, "0")}`,
          tokenIds: [`${i}1`, `${i}2`],
        }));
        const [first, ...rest] = tapeFrames(60);
        const listed = [{ conditionId, tokenIds: [yes, no] }, ...many, ...many.slice(0, 3)];
        const frames = first === undefined ? [] : [{ ...first, markets: listed }, ...rest];
        await loadTape(store, { name: "a" }, frames, 1);
        await loadTape(store, { name: "b" }, frames, 1);
        const outcomes = await store.db
          .selectFrom("outcomes")
          .innerJoin("markets", "markets.market_id", "outcomes.market_id")
          .select(["condition_id", "token_id", "outcome"])
          .execute();
        const wanted = listed
          .slice(0, -3)
          .flatMap((market) =>
            market.tokenIds.map((id, outcome) => `${market.conditionId} ${id} ${outcome}`),
          );
        expect(
          outcomes.map((row) => `${row.condition_id} ${row.token_id} ${row.outcome}`).toSorted(),
        ).toEqual(wanted.toSorted());
        // One token was known before: the other one is the second. A third one is nobody's.
        const half = [{ conditionId: "0xhalf", tokenIds: ["7"] }];
        const both = [{ conditionId: "0xhalf", tokenIds: ["8", "7"] }];
        const three = [{ conditionId: "0xhalf", tokenIds: ["8", "7", "9"] }];
        const only = (markets: typeof half) => rest.slice(0, 1).map((one) => ({ ...one, markets }));
        await loadTape(store, { name: "c" }, only(half), 1);
        await loadTape(store, { name: "d" }, only(both), 1);
        expect(await codeOf(loadTape(store, { name: "e" }, only(three), 1))).toBe(
          "store_bad_value",
        );
        const known = await store.db
          .selectFrom("outcomes")
          .select(["token_id", "outcome"])
          .where("token_id", "in", ["7", "8", "9"])
          .orderBy("token_id")
          .execute();
        expect(known).toEqual([
          { token_id: "7", outcome: 0 },
          { token_id: "8", outcome: 1 },
        ]);
      }));

    test("numbers that another writer gave meanwhile are taken over", () =>
      withStore(async (store) => {
        const [mine, other] = [new MarketNumbers(store.db), new MarketNumbers(store.db)];
        const ids = ["0xone", "0xtwo"];
        for (const id of ids) await mine.market(id);
        for (const id of ids) await other.token(id, `${id} no`);
        await other.token("0xone", "0xone yes");
        expect(await mine.token("0xone", "0xone no")).toMatchObject({ outcome: 0 });
        expect(await mine.token("0xone", "0xone yes")).toMatchObject({ outcome: 1 });
        // The first place of the second market is taken although nobody told.
        expect(await mine.token("0xtwo", "0xtwo yes")).toMatchObject({ outcome: 1 });
        await mine.market("0xsix");
        await other.token("0xsix", "0xsix no");
        await mine.learn([{ conditionId: "0xsix", tokenIds: ["0xsix yes", "0xsix no"] }]);
        expect(mine.known("0xsix yes")).toMatchObject({ outcome: 1 });
        expect(await codeOf(mine.token("0xtwo", "0xtwo maybe"))).toBe("store_bad_value");
        // A token of another market, which this one has not met, has no place here and nobody waits for one.
        await other.token("0xfour", "0xfour yes");
        expect(await codeOf(mine.token("0xfive", "0xfour yes"))).toBe("store_bad_value");
        const taken = [{ conditionId: "0xseven", tokenIds: ["0xfour yes"] }];
        expect(await codeOf(new MarketNumbers(store.db).learn(taken))).toBe("store_bad_value");
      }));
  });
}
