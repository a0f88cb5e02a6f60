import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHasher } from "../../../src/adapters/polymarket/hasher.ts";
import {
  type MarketFrame,
  parseMarketFrame,
  parseMarketValue,
} from "../../../src/adapters/polymarket/parse-market-frame.ts";
import { bookText } from "../../../src/cli/book-replay.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
} from "../../../src/engine/domain/market-book.ts";
import { price, shares } from "../../../src/engine/domain/numbers.ts";
import type { WatchedMarket } from "../../../src/engine/ports/market-data.ts";
import { holds } from "../../engine/support/holds.ts";
import { frameText, ordinaryFrame, watched } from "./market-frames.ts";
import { expectSame, readerOf } from "./read-both-ways.ts";
import { recordedJson, recordedText, skipped } from "./recorded-data.ts";

const hasher = createHasher();

/** What a run of frames does to the books of these markets: every outcome, then the books themselves. */
function bookRun(
  markets: readonly WatchedMarket[],
  frames: readonly MarketFrame[],
): { readonly outcomes: readonly unknown[]; readonly books: readonly string[] } {
  const books = new Map(
    markets.map(({ conditionId, tokenIds }) => [
      conditionId,
      createMarketBook({
        conditionId,
        tokenIds,
        tickSize: price(10),
        minOrderSize: shares(5_000_000),
        negRisk: true,
        hashes: "each",
      }),
    ]),
  );
  const outcomes = frames.flatMap((frame) =>
    frame.events.map((event) => {
      const book = books.get(event.conditionId);
      return book === undefined ? "other" : applyMarketEvent(book, event, 1, hasher);
    }),
  );
  const all = [...books.values()];
  for (const book of all) outcomes.push(checkClaims(book, hasher));
  const counts = all.map(({ framesApplied, hashesVerified, resyncs }) =>
    JSON.stringify({ framesApplied, hashesVerified, resyncs }),
  );
  return { outcomes, books: [...all.map(bookText), ...counts] };
}

describe("books", () => {
  test("random runs of frames leave the same books, outcomes and verified hashes", () => {
    const runs = fc.array(fc.oneof(frameText, ordinaryFrame), { minLength: 1, maxLength: 12 });
    const [first] = watched;
    const opening = JSON.stringify({
      market: first?.conditionId,
      asset_id: first?.tokenIds[0],
      timestamp: "0",
      hash: "",
      bids: [{ price: "0.01", size: "5" }],
      asks: [{ price: "0.99", size: "7.25" }],
      event_type: "book",
    });
    let live = 0;
    holds(
      fc.property(runs, (rest) => {
        const reader = readerOf(watched);
        const texts = [opening, ...rest];
        const fast = texts.map((text) => reader.read(Buffer.from(text)));
        const simple = texts.map((text) => parseMarketFrame(text));
        const run = bookRun(watched, fast);
        expect(run).toEqual(bookRun(watched, simple));
        if (run.books.some((book) => book.includes('"status":"live"'))) live++;
      }),
      400,
    );
    expect(live).toBeGreaterThan(20);
  });
});

test("a level in every spelling is the simple way's, and its text stays only where the hash covers it", () => {
  const prices = "0.5 0.50 0.05 0.001 0.0001 0.9999 0.12345 0 1 .5 0. 00.5 5e-1".split(" ");
  const usual = "1 10 7.5 7.05 7.25 7.50 7.0 7.00 0.5 0.25 0 0.0 007 7. .5";
  const long = "7.125 7.000001 7.0000001 1234567 12345678 1234567.89 12345678.91 9007199254.740991";
  const sizes = ["", ...`${usual} ${long} 99999999999 -1 1e3 7.2x 7x5`.split(" ")];
  const [market] = watched;
  const reader = readerOf(watched);
  let given = 0;
  const read = (levels: string, hash = "a7".repeat(20)) => {
    const text =
      `{"market":"${market?.conditionId}","asset_id":"${market?.tokenIds[0]}","timestamp":"7","hash":"${hash}",` +
      `"bids":[${levels}],"asks":[],"event_type":"book"}`;
    expectSame(reader, Buffer.from(text));
    const [event] = reader.read(Buffer.from(text)).events;
    if (event?.kind === "book.snapshot" && (event.rows?.text ?? null) !== null) given++;
  };
  for (const at of prices) {
    for (const size of sizes) {
      const level = `{"price":"${at}","size":"${size}"}`;
      read(level);
      read(`{"price":"0.0001","size":"3"},${level},{"price":"0.9999","size":"4"}`);
    }
  }
  expect(given).toBeGreaterThan(60);
  given = 0;
  read('{"price":"0.5","size":"7.25"}', "");
  expect(given).toBe(0);
  // Where a value has to end.
  for (const end of ['x},{"', '",]', '"]}', "x]", '""', "},{", '"x{"']) {
    read(`{"price":"0.5","size":"7.25${end}price":"0.6","size":"4"}`);
    read(`{"price":"0.5","size":"7${end}price":"0.6","size":"4"}`);
    read(`{"price":"0.5${end}size":"7"}`);
  }
});

describe.skipIf(skipped(2))("recorded frames", () => {
  /** The markets of a recording, as a catalog would name them. */
  function marketsOf(frames: readonly unknown[]): WatchedMarket[] {
    const tokens = new Map<string, Set<string>>();
    const note = (market: unknown, token: unknown) => {
      if (typeof market !== "string" || typeof token !== "string") return;
      tokens.set(market, (tokens.get(market) ?? new Set()).add(token));
    };
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(visit);
      else if (typeof value === "object" && value !== null) {
        const fields = value as Record<string, unknown>;
        note(fields["market"], fields["asset_id"]);
        const changes = fields["price_changes"];
        if (Array.isArray(changes)) {
          for (const one of changes as Record<string, unknown>[])
            note(fields["market"], one["asset_id"]);
        }
      }
    };
    visit(frames);
    return [...tokens].map(([conditionId, ids]) => {
      const [a = "0", b = "1".repeat(77)] = ids;
      return { conditionId, tokenIds: [a, b] };
    });
  }

  test("the Fed frames are all scanned and read as the simple way reads them", () => {
    const frames = recordedJson("ws/fed-decision-2026-07-20.frames.json") as unknown[];
    const reader = readerOf(marketsOf(frames));
    for (const frame of frames) expectSame(reader, Buffer.from(JSON.stringify(frame)));
    expect(reader).toMatchObject({ scanned: 27, parsed: 0 });
    const read = frames.map((frame) => reader.read(Buffer.from(JSON.stringify(frame))));
    const run = bookRun(marketsOf(frames), read);
    expect(run).toEqual(bookRun(marketsOf(frames), frames.map(parseMarketValue)));
    expect(run.outcomes.every((outcome) => outcome === null)).toBe(true);
    expect(run.books.at(-1)).toContain('"hashesVerified":48');
  });

  test("every event type, and messages of another service", () => {
    const lines = recordedText("ws/all-event-types-2026-05.jsonl").split("\n").filter(Boolean);
    const reader = readerOf(marketsOf(lines.map((line) => JSON.parse(line) as unknown)));
    for (const line of lines) expectSame(reader, Buffer.from(line));
    // New and resolved markets and the scores are rare: the simple way reads them.
    expect(reader).toMatchObject({ scanned: 10, parsed: 4 });
  });
});
