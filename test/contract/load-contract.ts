// Filling the store from recordings and from the ledger, in either home.
import { describe, expect, test } from "vitest";
import { parseMarketFrame } from "../../src/adapters/polymarket/parse-market-frame.ts";
import { loadTape, type TapeFrame } from "../../src/adapters/storage/load-tape.ts";
import type { Store } from "../../src/adapters/storage/store.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { foldLedger } from "../../src/engine/runtime/ledger-writer.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import { projectLedger } from "../../src/project-ledger.ts";
import { withStoreOf } from "./with-store.ts";

export const conditionId = `0x${"ab".repeat(32)}`;
export const yes = "1".repeat(77);
export const no = "2".repeat(77);
const startMs = Date.UTC(2026, 10, 20, 12);

/** Frames as the venue sends them: a book of each token, pairs of mirrored changes, trades, a new tick. */
export function tapeFrames(count: number): TapeFrame[] {
  const book = (tokenId: string, bid: string, ask: string) => ({
    event_type: "book",
    asset_id: tokenId,
    market: conditionId,
    timestamp: `${startMs}`,
    hash: "ab".repeat(20),
    bids: [{ price: bid, size: "100.5" }],
    asks: [{ price: ask, size: "7" }],
  });
  const change = (i: number) => ({
    event_type: "price_change",
    market: conditionId,
    timestamp: `${startMs + i * 60_000}`,
    price_changes: [
      { asset_id: yes, side: "BUY", price: "0.52", size: `${i}.000001` },
      { asset_id: no, side: "SELL", price: "0.48", size: `${i}.000001` },
    ].map((one) => ({ ...one, hash: "cd".repeat(20), best_bid: "0.52", best_ask: "0.53" })),
  });
  const trade = (i: number) => ({
    event_type: "last_trade_price",
    asset_id: yes,
    market: conditionId,
    price: "0.53",
    size: "12.25",
    side: "BUY",
    fee_rate_bps: "0",
    timestamp: `${startMs + i * 60_000}`,
  });
  const texts = Array.from({ length: count }, (_, i): unknown => {
    if (i === 0) return [book(yes, "0.52", "0.53"), book(no, "0.47", "0.48")];
    return i % 10 === 5 ? [trade(i), trade(i)] : change(i);
  });
  return texts.map((value, i) => ({
    seq: i + 1,
    atMs: startMs + i,
    events: parseMarketFrame(JSON.stringify(value)).events,
  }));
}

const tables = [
  "markets",
  "outcomes",
  "book_events",
  "snapshots",
  "trades",
  "minute_bars",
  "orders",
  "fills",
  "positions",
  "execution_audit",
  "commands",
  "notices",
] as const;

/** Every row of every table, with the venue's ids and an order that do not depend on the home. */
export async function contentsOf(store: Store): Promise<Readonly<Record<string, unknown>>> {
  const contents: Record<string, unknown> = {};
  const markets = await store.db
    .selectFrom("markets")
    .select(["market_id", "condition_id"])
    .execute();
  const named = new Map(markets.map((row) => [row.market_id, row.condition_id]));
  for (const table of tables) {
    const rows = await store.db.selectFrom(table).selectAll().execute();
    contents[table] = rows
      .map((row) =>
        JSON.stringify(row, (key, value: unknown) =>
          key === "market_id" ? (named.get(value as number) ?? value) : value,
        ),
      )
      .toSorted();
  }
  return contents;
}

function logOf(records: readonly LogRecord[]) {
  return {
    read: (from: number, limit: number) =>
      Promise.resolve(records.filter(({ seq }) => seq >= from).slice(0, limit)),
  };
}

/** `ledger` gives the rows of a desk that traded; `open` a store in a fresh place. */
export function describeLoading(
  home: string,
  open: () => Promise<Store>,
  ledger: () => readonly LogRecord[],
): void {
  const withStore = withStoreOf(open);

  describe(`filling the store in ${home}`, () => {
    test("a recording becomes rows: every level, book and trade of it, with its own numbers", () =>
      withStore(async (store) => {
        const report = await loadTape(store, { name: "a" }, tapeFrames(101), 1);
        expect(report).toEqual({
          bookEvents: 180,
          snapshots: 2,
          trades: 20,
          framesKnown: 0,
          undated: 0,
        });
        const outcomes = await store.db.selectFrom("outcomes").selectAll().execute();
        expect(outcomes.map((row) => [row.token_id, row.outcome])).toEqual([
          [yes, 0],
          [no, 1],
        ]);
        const events = await store.db
          .selectFrom("book_events")
          .selectAll()
          .where("seq", "=", 8)
          .orderBy("part")
          .execute();
        const row = {
          market_id: 1,
          ts: startMs + 7 * 60_000,
          seq: 8,
          tape_id: 1,
          size_e6: 7_000_001,
        };
        expect(events).toEqual([
          { ...row, part: 0, outcome: 0, side: 0, price_e4: 5200 },
          { ...row, part: 1, outcome: 1, side: 1, price_e4: 4800 },
        ]);
        const snapshots = await store.db
          .selectFrom("snapshots")
          .selectAll()
          .orderBy("part")
          .execute();
        expect(snapshots[0]).toMatchObject({
          bids: "[[5200,100500000]]",
          asks: "[[5300,7000000]]",
        });
        const trades = await store.db
          .selectFrom("trades")
          .selectAll()
          .where("seq", "=", 6)
          .execute();
        expect(trades.map(({ part, size_e6: size }) => [part, size])).toEqual([
          [0, 12_250_000],
          [1, 12_250_000],
        ]);
      }));

    test("cut off anywhere and begun again, or loaded twice, or grown: the same rows", () =>
      withStore(async (whole) => {
        const frames = tapeFrames(60);
        await loadTape(whole, { name: "a" }, frames, 1);
        const wanted = await contentsOf(whole);
        await withStore(async (cut) => {
          async function* broken(): AsyncGenerator<TapeFrame> {
            yield* frames.slice(0, 33);
            await Promise.reject(new RangeError("the disk is gone"));
          }
          await expect(loadTape(cut, { name: "a" }, broken(), 1, 9)).rejects.toThrow(
            "the disk is gone",
          );
          const kept = await cut.db.selectFrom("checkpoints").selectAll().execute();
          expect(kept.map(({ position }) => position)).toEqual([30]);
          await loadTape(cut, { name: "a" }, frames.slice(0, 40), 1);
          const rest = await loadTape(cut, { name: "a" }, frames, 1);
          expect(rest.framesKnown).toBe(40);
          expect((await loadTape(cut, { name: "a" }, frames, 1)).framesKnown).toBe(60);
          expect(await contentsOf(cut)).toEqual(wanted);
        });
      }));

    test("a recording that was known by another name goes on under its new one", () =>
      withStore(async (store) => {
        const frames = tapeFrames(60);
        await loadTape(store, { name: "a" }, frames.slice(0, 40), 1);
        const renamed = { name: "a of Tuesday", was: "a" };
        for (const known of [40, 60]) {
          expect((await loadTape(store, renamed, frames, 1)).framesKnown).toBe(known);
        }
        const tapes = await store.db.selectFrom("tapes").select("name").execute();
        expect(tapes).toEqual([{ name: "a of Tuesday" }]);
        // Its old name is free for another one, of which nothing is known yet.
        const other = await loadTape(store, { name: "a of Wednesday", was: "a" }, frames, 1);
        expect(other.framesKnown).toBe(0);
        const rows = await store.db
          .selectFrom("trades")
          .select((is) => is.fn.countAll<number>().as("count"))
          .groupBy("tape_id")
          .execute();
        expect(rows.map(({ count }) => count)).toEqual([12, 12]);
      }));

    test("minutes are kept as the venue's best prices, whatever batches their frames came in", () =>
      withStore(async (whole) => {
        const quote = (i: number, bid: string, ask: string) => ({
          event_type: "price_change",
          market: conditionId,
          timestamp: `${startMs + i * 20_000}`,
          price_changes: [
            { asset_id: yes, side: "BUY", price: "0.40", size: "5", hash: "ab".repeat(20) },
          ].map((one) => ({ ...one, best_bid: bid, best_ask: ask })),
        });
        const [plainBook] = tapeFrames(1);
        const frames = [
          ...(plainBook === undefined ? [] : [plainBook]),
          ...[
            quote(0, "0.50", "0.55"),
            quote(1, "0.54", "0.56"),
            quote(2, "0.49", "0.53"),
            quote(3, "0.51", "0.52"),
          ].map((value, i) => ({
            seq: i + 2,
            atMs: null,
            events: parseMarketFrame(JSON.stringify(value)).events,
          })),
        ];
        await loadTape(whole, { name: "a" }, frames, 1);
        const bars = await whole.db
          .selectFrom("minute_bars")
          .selectAll()
          .where("outcome", "=", 0)
          .orderBy("ts")
          .execute();
        const place = { market_id: 1, outcome: 0, tape_id: 1, trades: 0 };
        expect(bars).toEqual([
          {
            ...place,
            ts: startMs,
            bid_open_e4: 5200,
            bid_high_e4: 5400,
            bid_low_e4: 4900,
            bid_close_e4: 4900,
            ask_open_e4: 5300,
            ask_high_e4: 5600,
            ask_low_e4: 5300,
            ask_close_e4: 5300,
            changes: 3,
            books: 1,
          },
          {
            ...place,
            ts: startMs + 60_000,
            bid_open_e4: 5100,
            bid_high_e4: 5100,
            bid_low_e4: 5100,
            bid_close_e4: 5100,
            ask_open_e4: 5200,
            ask_high_e4: 5200,
            ask_low_e4: 5200,
            ask_close_e4: 5200,
            changes: 1,
            books: 0,
          },
        ]);
        await withStore(async (single) => {
          await loadTape(single, { name: "a" }, frames, 1, 1);
          expect(await contentsOf(single)).toEqual(await contentsOf(whole));
        });
      }));

    test("the ledger's orders, fills, positions, commands and notices are as its fold has them", () =>
      withStore(async (store) => {
        const records = ledger();
        const state = createState();
        await foldLedger(logOf(records), state);
        const report = await projectLedger(logOf(records), store, 1);
        expect(report).toEqual({ rows: records.length, from: 0, to: records.length });
        const orders = await store.db
          .selectFrom("orders")
          .selectAll()
          .orderBy("client_oid")
          .execute();
        expect(orders.map((row) => `${row.client_oid} ${row.status} ${row.filled_e6}`)).toEqual(
          [...state.orders.values()]
            .map((one) => `${one.clientOid} ${one.status} ${one.filled}`)
            .toSorted(),
        );
        expect(orders.length).toBeGreaterThan(1);
        const fills = await store.db.selectFrom("fills").selectAll().orderBy("fill_id").execute();
        expect(fills.map((row) => `${row.fill_id} ${row.status} ${row.money_usd_e6}`)).toEqual(
          [...state.fills.values()]
            .map((one) => `${one.fillId} ${one.status} ${one.money}`)
            .toSorted(),
        );
        expect(fills.length).toBeGreaterThan(0);
        const positions = await store.db.selectFrom("positions").selectAll().execute();
        expect(positions.map((row) => [row.token_id, row.confirmed_e6, row.cost_usd_e6])).toEqual(
          [...state.positions.values()].map((one) => [one.tokenId, one.confirmed, one.cost]),
        );
        const kinds = (kind: string) => records.filter((row) => row.kind === kind).length;
        const commands = await store.db.selectFrom("commands").selectAll().execute();
        expect(commands.length).toBe(kinds("command.received"));
        expect(commands.filter((row) => row.verdict !== null).length).toBe(
          kinds("command.answered"),
        );
        const notices = await store.db.selectFrom("notices").selectAll().execute();
        expect(notices.length).toBe(kinds("notice.raised"));
        const audit = await store.db.selectFrom("execution_audit").selectAll().execute();
        for (const row of audit)
          expect(row.code_version.length * row.config_hash.length).toBeGreaterThan(0);
        expect(audit.filter((row) => row.kind === "plan.approved").length).toBe(
          kinds("plan.approved"),
        );
        // The signed bytes are in the ledger and stay there.
        const bytes = [...state.orders.values()].map((one) =>
          JSON.stringify(one.body).slice(1, -1),
        );
        expect(bytes.length).toBeGreaterThan(0);
        for (const text of bytes) {
          expect(records.some((row) => row.body.includes(text))).toBe(true);
          expect(audit.some((row) => row.body.includes(text))).toBe(false);
        }
      }));

    test("the ledger in stretches gives the same rows as at once, and again gives nothing new", () =>
      withStore(async (whole) => {
        const records = ledger();
        await projectLedger(logOf(records), whole, 1);
        const wanted = await contentsOf(whole);
        const step = Math.ceil(records.length / 7);
        await withStore(async (store) => {
          for (let end = step; end < records.length + step; end += step) {
            await projectLedger(logOf(records.slice(0, end)), store, 1);
          }
          const again = await projectLedger(logOf(records), store, 1);
          expect(again).toMatchObject({ rows: 0 });
          expect(await contentsOf(store)).toEqual(wanted);
        });
      }));
  });
}
