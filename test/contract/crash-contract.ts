// What a load that is killed leaves behind, in either home.
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import type { Store } from "../../src/adapters/storage/store.ts";
import { openStoreAt } from "../../src/open-store.ts";
import type { StorePlace } from "../../src/store-place.ts";
import { crashCheckpoint } from "./crash-batch.ts";
import { durableSeq, type Loop, watched } from "./ledger-contract.ts";

const loadLoop = new URL("./load-loop.ts", import.meta.url).pathname;
const crashes = 3;

export function startLoad(place: StorePlace): Loop {
  return watched(process.execPath, [loadLoop, JSON.stringify(place)]);
}

/** Every row up to the checkpoint is there once, in each table and in the sum of the bars; returns the checkpoint. */
export async function expectWholeLoad(store: Store): Promise<number> {
  const checkpoint = await store.db
    .selectFrom("checkpoints")
    .select("position")
    .where("name", "=", crashCheckpoint)
    .executeTakeFirst();
  const position = checkpoint?.position ?? 0;
  for (const table of ["book_events", "trades"]) {
    const { rows } = await sql<{ count: number; first: number; last: number; different: number }>`
      SELECT count(*) AS count, min(seq) AS first, max(seq) AS last, count(DISTINCT seq) AS different
        FROM ${sql.table(table)}`.execute(store.db);
    expect(rows[0], table).toEqual({
      count: position,
      first: 1,
      last: position,
      different: position,
    });
  }
  const bars = await store.db.selectFrom("minute_bars").select("changes").execute();
  expect(bars).toEqual([{ changes: position }]);
  return position;
}

/** `fresh` gives an empty place for each test. */
export function describeCrash(home: string, fresh: () => Promise<StorePlace>): void {
  describe(`a load that is killed, into ${home}`, () => {
    test("keeps every acknowledged batch whole and goes on without doubles", {
      timeout: 240_000,
    }, async () => {
      const place = await fresh();
      let acknowledged = 0;
      for (let crash = 0; crash < crashes; crash++) {
        const loop = startLoad(place);
        const wanted = 2 + crash * 3;
        // Killed in the moment an acknowledgement is heard, or, as nothing waits for it, amid the next batch.
        loop.child.stdout?.on("data", () => {
          if (loop.lines.length > wanted) loop.child.kill("SIGKILL");
        });
        await loop.ended;
        expect(loop.child.signalCode).toBe("SIGKILL");
        const before = acknowledged;
        acknowledged = Math.max(acknowledged, durableSeq(loop.lines));
        expect(acknowledged).toBeGreaterThan(before);
        const store = await openStoreAt(place);
        // A server may still be carrying out what the killed loader sent; whatever it keeps, it keeps whole.
        expect(await expectWholeLoad(store)).toBeGreaterThanOrEqual(acknowledged);
        await store.close();
      }
    });
  });
}
