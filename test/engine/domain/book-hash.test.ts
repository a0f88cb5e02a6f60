import { describe, expect, test } from "vitest";
import type { ResyncReason } from "../../../src/engine/domain/book-health.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  currentHash,
  type MarketBook,
} from "../../../src/engine/domain/market-book.ts";
import type { BookSnapshot, MarketEvent } from "../../../src/engine/domain/market-event.ts";
import type { Shares } from "../../../src/engine/domain/numbers.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { bookFor, eventsOf, recordedBook } from "../support/frames.ts";
import { plainHasher } from "../support/hasher.ts";
import { filesIn, readJson, recordedDataDir, saySkipped } from "../support/recorded.ts";

const dir = recordedDataDir();
if (dir === null) saySkipped(8);
const data = dir ?? "";
const fedFile = "ws/fed-decision-2026-07-20.frames.json";
const vectorFile = "ws/book-hash-vectors-2026-09.json";
const fedTokens = [
  "111604417349377875799825956621596386269673370070912696668140891647145772186047",
  "36015050921127306245266044699797268780268172446856063291868548314968920497494",
] as const;

function apply(book: MarketBook, event: MarketEvent): ResyncReason | null {
  return applyMarketEvent(book, event, 1_000, plainHasher);
}

function firstBook(events: readonly MarketEvent[]): BookSnapshot {
  const first = events.find((event) => event.kind === "book.snapshot");
  if (first?.kind !== "book.snapshot") throw new TypeError("no book in the recording");
  return first;
}

/** Applies frames to a fresh book of the Fed market; the reasons of every distrust, in order. */
function runFed(events: readonly MarketEvent[]) {
  const book = bookFor(firstBook(events), true, fedTokens[1]);
  const reasons = events.map((event) => apply(book, event));
  reasons.push(checkClaims(book, plainHasher));
  return { book, reasons: reasons.filter((reason) => reason !== null) };
}

/** True when the book has its hash under either value of neg-risk, which stream books do not carry. */
function hashHolds(read: BookSnapshot): boolean {
  return [true, false].some((negRisk) => {
    const book = bookFor(read, negRisk);
    return apply(book, read) === null && book.hashesVerified === 1;
  });
}

describe.skipIf(dir === null)("the book hash on recorded books", () => {
  const rest = dir === null ? [] : filesIn(data, "books");

  test("every REST book has its hash, and loses it when one size changes", () => {
    let verified = 0;
    for (const file of rest) {
      const read = recordedBook(readJson(data, file));
      if (read?.hash == null) continue;
      expect(hashHolds(read), file).toBe(true);
      verified++;
      const [first, ...others] = read.bids;
      if (first === undefined) continue;
      const bids = [{ ...first, size: (first.size + 10_000) as Shares }, ...others];
      expect(hashHolds({ ...read, bids }), file).toBe(false);
    }
    expect(rest).toHaveLength(16);
    expect(verified).toBe(15);
  });

  test("the mirrored token's book has the venue's hash of that token", () => {
    const vectors = readJson(data, vectorFile) as readonly unknown[];
    const reads = vectors.slice(0, 2).map(recordedBook);
    const [a, b] = reads;
    if (a == null || b == null) throw new TypeError("two books expected");
    const book = bookFor(a, false, b.tokenId);
    expect(apply(book, a)).toBeNull();
    expect(currentHash(book, 1, b.timestamp, plainHasher)).toBe(b.hash);
  });

  test("two books and four two-token changes of September 2026 verify, every hash of them", () => {
    const vectors = readJson(data, vectorFile) as readonly Record<string, unknown>[];
    const events = eventsOf(vectors.map((one) => ({ ...one, event_type: one["kind"] })));
    const [first, second] = events;
    if (first?.kind !== "book.snapshot" || second?.kind !== "book.snapshot") {
      throw new TypeError("two books expected");
    }
    const book = bookFor(first, false, second.tokenId);
    const reasons = events.map((event) => apply(book, event));
    reasons.push(checkClaims(book, plainHasher));
    expect(reasons.every((reason) => reason === null)).toBe(true);
    expect(book.hashesVerified).toBe(2 + 4 * 2);
  });
});

describe.skipIf(dir === null)("27 contiguous frames of the Fed market", () => {
  const events = dir === null ? [] : eventsOf(readJson(data, fedFile));

  test("every hash and best price holds", () => {
    const { book, reasons } = runFed(events);
    expect(events).toHaveLength(27);
    expect(reasons).toEqual([]);
    expect(book.status).toBe("live");
    // 24 changes of both tokens, two of them in a group that the later book closes, and two books.
    expect(book.hashesVerified).toBeGreaterThanOrEqual(23 * 2 + 2);
  });

  test("by default one hash proves both outcomes of a group", () => {
    const first = firstBook(events);
    const { hashes: _, ...spec } = bookFor(first, true, fedTokens[1]);
    const book = createMarketBook(spec);
    for (const event of events) expect(apply(book, event)).toBeNull();
    expect(checkClaims(book, plainHasher)).toBeNull();
    expect(book.hashesVerified).toBe(23 + 2);
  });

  test("the changes alone give the later book exactly", () => {
    const at = events.findIndex((event, i) => i > 0 && event.kind === "book.snapshot");
    const later = events[at];
    if (later?.kind !== "book.snapshot") throw new TypeError("no later book");
    const { book } = runFed(events.slice(0, at));
    const fresh = bookFor(firstBook(events), true, fedTokens[1]);
    apply(fresh, { ...later, tickSize: fresh.tickSize });
    for (const side of ["buy", "sell"] as const) {
      expect(levelsOf(book.ladder, 0, side)).toEqual(levelsOf(fresh.ladder, 0, side));
    }
  });

  test("any dropped change is noticed, unless a later frame says the same again", () => {
    const whole = runFed(events);
    let noticed = 0;
    events.forEach((event, dropped) => {
      // After the last frame there is nothing left that could tell.
      if (event.kind !== "book.delta" || dropped === events.length - 1) return;
      const { book, reasons } = runFed(events.filter((_, i) => i !== dropped));
      const [reason] = reasons;
      if (reason === undefined) {
        for (const side of ["buy", "sell"] as const) {
          expect(levelsOf(book.ladder, 0, side)).toEqual(levelsOf(whole.book.ladder, 0, side));
        }
        return;
      }
      noticed++;
      expect(["hash_mismatch", "best_price_mismatch"]).toContain(reason);
    });
    expect(noticed).toBeGreaterThanOrEqual(18);
  });

  test("without the hashes the best prices still tell a missing best level", () => {
    const blind = events.map((event) =>
      event.kind === "book.delta"
        ? { ...event, changes: event.changes.map((change) => ({ ...change, hash: null })) }
        : event,
    );
    expect(runFed(blind).reasons).toEqual([]);
    const reasons = blind.map(
      (_, i) => runFed(blind.filter((__, j) => i !== j || i === 0)).reasons,
    );
    const all = reasons.flat();
    expect(all.every((reason) => reason === "best_price_mismatch")).toBe(true);
  });
});
