import { describe, expect, test } from "vitest";
import { currentHash } from "../../../src/engine/domain/market-book.ts";
import type { BookSnapshot } from "../../../src/engine/domain/market-event.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { plainHasher } from "../support/hasher.ts";
import { marketOf, plain, plainRows, snapshotOf } from "../support/markets.ts";

const many = [21, 22, 23, 24, 25, 26].map((n) => marketOf(n));
const wrong = "0".repeat(40);

function watching(): CoreDesk {
  const desk = openCoreDesk();
  for (const market of many) desk.list(market);
  desk.drain();
  return desk;
}

function bookOf(desk: CoreDesk, id: string) {
  const book = desk.state.live.books.get(id);
  if (book === undefined) throw new TypeError("no book");
  return book;
}

/** A fresh book of the market with the hash that the venue gives it today, or with another one. */
function read(desk: CoreDesk, market: typeof plain, hash: "right" | "wrong"): BookSnapshot {
  desk.nowMs += 1;
  const fresh = snapshotOf(market, plainRows, desk.nowMs);
  const other = openCoreDesk();
  other.list(market);
  const right = currentHash(bookOf(other, market.conditionId), 0, fresh.timestamp, plainHasher);
  return { ...fresh, hash: hash === "right" ? right : wrong };
}

function show(desk: CoreDesk, market: typeof plain, hash: "right" | "wrong"): void {
  desk.run({ kind: "market", event: read(desk, market, hash) });
}

const told = (desk: CoreDesk) => desk.notices().filter((body) => body.kind.startsWith("degraded"));

/** Hashes that fit nowhere any more. */
function changed(): CoreDesk {
  const desk = watching();
  for (const market of many) show(desk, market, "wrong");
  return desk;
}

describe("hashes that fail everywhere (P6)", () => {
  test("are told once; books live by best prices and nothing is bought", () => {
    const desk = changed();
    expect(told(desk)).toMatchObject([{ kind: "degraded", cause: "book_hash" }]);
    for (const market of many) show(desk, market, "wrong");
    expect(told(desk)).toHaveLength(1);
    for (const market of many) expect(bookOf(desk, market.conditionId).status).toBe("live");
    const { conditionId } = many[0] ?? plain;
    expect(desk.quote({ conditionId })).toMatchObject({
      ok: false,
      error: { code: "degraded", subject: "book_hash" },
    });
  });

  test("one market alone is enough when its own snapshots fail again and again", () => {
    const desk = openCoreDesk();
    desk.state.live.books.delete(marketOf(2).conditionId);
    for (let i = 0; i < 4; i++) show(desk, plain, "wrong");
    expect(told(desk)).toEqual([]);
    expect(bookOf(desk, plain.conditionId).status).toBe("stale");
    show(desk, plain, "wrong");
    expect(told(desk)).toHaveLength(1);
  });

  test("a book that fails while others fit is its own trouble", () => {
    const desk = watching();
    for (let i = 0; i < 20; i++) {
      show(desk, many[0] ?? plain, "wrong");
      show(desk, many[1] ?? plain, "right");
    }
    expect(told(desk)).toEqual([]);
    expect(bookOf(desk, many[0]?.conditionId ?? "").status).toBe("stale");
    expect(desk.state.live.resyncs.get("hash_mismatch")).toBe(20);
  });

  test("ends when hashes fit again and none failed for a while", () => {
    const desk = changed();
    for (const market of many) show(desk, market, "right");
    expect(told(desk)).toHaveLength(1);
    desk.nowMs += 10_000;
    for (const market of many.slice(0, 2)) show(desk, market, "right");
    expect(told(desk).at(-1)).toMatchObject({ kind: "degraded.over", cause: "book_hash" });
    show(desk, many[0] ?? plain, "wrong");
    expect(bookOf(desk, many[0]?.conditionId ?? "").status).toBe("stale");
  });

  test("ends for three books that fit, not for one or two", () => {
    const desk = changed();
    desk.nowMs += 10_000;
    for (const market of many.slice(0, 2)) show(desk, market, "right");
    show(desk, many[0] ?? plain, "right");
    expect(told(desk)).toHaveLength(1);
    show(desk, many[2] ?? plain, "right");
    expect(told(desk).at(-1)).toMatchObject({ kind: "degraded.over", cause: "book_hash" });
  });

  test("without hashes a REST read is compared level by level", () => {
    const desk = changed();
    const market = many[0] ?? plain;
    show(desk, market, "wrong");
    const same = { ...read(desk, market, "wrong"), source: "rest" as const };
    desk.run({ kind: "book.read", conditionId: market.conditionId, book: same });
    expect(bookOf(desk, market.conditionId).confirmedAtMs).toBe(desk.nowMs);
    const rows = { bids: [["0.47", "2000"]], asks: plainRows.asks } as const;
    const other = { ...same, ...snapshotOf(market, rows, desk.nowMs), hash: wrong };
    desk.run({ kind: "book.read", conditionId: market.conditionId, book: other });
    expect(desk.state.live.resyncs.get("rest_mismatch")).toBe(1);
  });
});

describe("hashes that fit again", () => {
  /** A book as it comes with a trade: without the last trade price that its hash covers. */
  function traded(desk: CoreDesk, market: typeof plain): void {
    const event = { ...read(desk, market, "wrong"), lastTradePrice: null };
    desk.run({ kind: "market", event });
  }

  test("are believed although trades go on: a book without its last trade price proves nothing", () => {
    const desk = changed();
    const [first = plain, ...others] = many;
    for (let i = 0; i < 10; i++) {
      desk.nowMs += 1_000;
      traded(desk, first);
    }
    expect(bookOf(desk, first.conditionId).status).toBe("live");
    for (const market of others.slice(0, 3)) show(desk, market, "right");
    expect(told(desk).at(-1)).toMatchObject({ kind: "degraded.over", cause: "book_hash" });
  });

  test("are found by REST reads alone where the stream sends no fresh books", () => {
    const desk = changed();
    const compare = (hash: "right" | "wrong") => {
      for (const market of many.slice(0, 3)) {
        const { conditionId } = market;
        const book = { ...read(desk, market, hash), source: "rest" as const };
        desk.run({ kind: "book.read", conditionId, book });
      }
    };
    desk.nowMs += 9_000;
    compare("wrong");
    desk.nowMs += 9_000;
    compare("right");
    // One failed within the last ten seconds.
    expect(told(desk)).toHaveLength(1);
    desk.nowMs += 1_000;
    compare("right");
    expect(told(desk).at(-1)).toMatchObject({ kind: "degraded.over", cause: "book_hash" });
  });
});

describe("every fresh book has a reason and a name", () => {
  test("requests are numbered, and the time until the snapshot came is kept", () => {
    const desk = watching();
    const { conditionId } = plain;
    desk.run({ kind: "market", event: { kind: "change.unread", conditionId } });
    const [effect] = desk.drain();
    expect(effect).toEqual({
      kind: "book.resync",
      conditionId,
      reason: "frame_refused",
      resyncId: "r1",
    });
    desk.nowMs += 40;
    show(desk, plain, "right");
    expect(bookOf(desk, conditionId).health).toMatchObject({
      lastResyncMs: 41,
      staleSinceMs: null,
      resyncs: { frame_refused: 1 },
    });
  });

  test("after a stall each book is asked for once, whatever was buffered before its snapshot", () => {
    const desk = watching();
    desk.run({ kind: "time.jumped", detail: "the process did not run for 9000 ms" });
    for (const book of desk.state.live.books.values()) expect(book.status).toBe("stale");
    const asked = () => desk.effects.filter((effect) => effect.kind === "book.resync");
    const books = asked().length;
    expect(books).toBe(desk.state.live.books.size);
    const change = { kind: "book.delta", conditionId: plain.conditionId, changes: [] } as const;
    desk.run({ kind: "market", event: { ...change, timestamp: String(desk.nowMs) } });
    expect(asked()).toHaveLength(books);
    show(desk, plain, "right");
    expect(bookOf(desk, plain.conditionId)).toMatchObject({ status: "live", resyncs: 1 });
  });

  test.each([
    [undefined, "link_lost"],
    ["silent", "silent"],
    ["lagging", "lagging"],
  ] as const)("a connection that ends for cause %s is counted as %s", (cause, reason) => {
    const desk = watching();
    const { conditionId } = plain;
    const lost = {
      kind: "link.lost",
      feed: "market",
      conditionIds: [conditionId],
      detail: "",
    } as const;
    desk.run({ kind: "market", event: cause === undefined ? lost : { ...lost, cause } });
    expect(bookOf(desk, conditionId)).toMatchObject({ status: "waiting", resyncReason: reason });
    expect(desk.state.live.resyncs.get(reason)).toBe(1);
    // The connection subscribes anew by itself.
    expect(desk.drain()).toEqual([]);
  });
});
