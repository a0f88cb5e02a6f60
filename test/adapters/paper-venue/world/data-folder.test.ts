import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { outcomeTitles, slugOf } from "../../../../src/adapters/paper-venue/world/complete-sets.ts";
import { parseCsv } from "../../../../src/adapters/paper-venue/world/csv.ts";
import { createDataWorld } from "../../../../src/adapters/paper-venue/world/data-world.ts";
import { WorldError } from "../../../../src/adapters/paper-venue/world/errors.ts";
import {
  conditionIdOfToken,
  noTokenOfToken,
} from "../../../../src/adapters/paper-venue/world/ids.ts";
import { recordedDataDir, saySkipped } from "./recorded-data.ts";
import { RecordingExchange } from "./recording-exchange.ts";

type RawBook = {
  readonly bids: { readonly price: string; readonly size: string }[];
  readonly asks: { readonly price: string; readonly size: string }[];
};

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0, 123);
const dir = recordedDataDir();
if (dir === null) saySkipped(5);

function load(from: string): { exchange: RecordingExchange; summary: string } {
  const exchange = new RecordingExchange();
  const { summary } = createDataWorld(exchange, from, NOW_MS);
  return { exchange, summary };
}

function sorted(raw: RawBook): RawBook {
  const by = (a: { price: string }, b: { price: string }): number =>
    Number(a.price) - Number(b.price);
  return { bids: raw.bids.toSorted(by), asks: raw.asks.toSorted((a, b) => by(b, a)) };
}

describe.skipIf(dir === null)("recorded data", () => {
  const data = dir ?? "";

  test("all 16 single books load with exact levels, the empty one too", () => {
    const { exchange } = load(data);
    const names = readdirSync(join(data, "books"));
    expect(names).toHaveLength(16);
    let empty = 0;
    for (const name of names) {
      const raw = JSON.parse(readFileSync(join(data, "books", name), "utf8")) as RawBook;
      const { bids, asks } = exchange.book(name.replace(".json", ""));
      expect({ bids, asks }).toEqual(sorted(raw));
      if (bids.length + asks.length === 0) empty++;
    }
    expect(empty).toBe(1);
  });

  test("all 831 books of the complete sets load with exact levels under the agreed ids", () => {
    const { exchange } = load(data);
    const text = gunzipSync(
      readFileSync(join(data, "complete-sets/books-2026-08-22.json.gz")),
    ).toString("utf8");
    const books = Object.entries(JSON.parse(text) as Record<string, RawBook>);
    expect(books).toHaveLength(831);
    const served = new Set(exchange.markets().map(({ spec }) => spec.outcomes[0].tokenId));
    let derived = 0;
    for (const [token, raw] of books) {
      expect(served.has(token)).toBe(true);
      const market = exchange.market(conditionIdOfToken(token));
      if (market === null) continue;
      derived++;
      expect(exchange.book(market.spec.conditionId)).toEqual(sorted(raw));
      expect(market.spec.outcomes[1].tokenId).toBe(noTokenOfToken(token));
    }
    // Three of them are also in books/, with their real condition ids.
    expect(derived).toBe(828);
  });

  test("every declared market of a set is listed, without a book where none was recorded", () => {
    const { exchange } = load(data);
    const nominee = exchange.events().find(({ id }) => id === "30829");
    expect(nominee?.conditionIds).toHaveLength(128);
    expect(nominee?.negRiskAugmented).toBe(true);
    const bookless = (nominee?.conditionIds ?? []).filter(
      (id) => exchange.book(id).asks.length === 0,
    );
    expect(bookless).toHaveLength(77);
    const fed = exchange.events().find(({ id }) => id === "481717");
    expect(fed?.negRiskAugmented).toBe(false);
    expect(fed?.conditionIds.every((id) => exchange.book(id).asks.length > 0)).toBe(true);
    const ballon = exchange.events().find(({ id }) => id === "48361");
    expect(ballon?.conditionIds).toHaveLength(89);
  });

  test("a recorded neg-risk event of which only one market is known never looks complete", () => {
    const { exchange } = load(data);
    const fed = exchange.events().find(({ id }) => id === "287395");
    expect(fed?.conditionIds).toHaveLength(2);
    expect(exchange.book(fed?.conditionIds[1] ?? "").asks).toEqual([]);
  });

  test("times are shifted, dead end dates lie 30 days ahead, and the summary says so", () => {
    const { exchange, summary } = load(data);
    const lebron = exchange.bySlug("will-lebron-james-play-for-the-san-antonio-spurs-in-2026-27");
    const expected = Date.parse("2026-10-31T03:59:00Z") + NOW_MS - 1_784_574_617_346;
    expect(Math.abs(Date.parse(lebron.spec.endDate) - expected)).toBeLessThan(1000);
    expect(lebron.spec).toMatchObject({ feeRate: "0.05", tickSize: "0.001", negRisk: true });
    const open = exchange.markets().filter(({ spec }) => !spec.closed);
    expect(open.every(({ spec }) => Date.parse(spec.endDate) > NOW_MS)).toBe(true);
    expect(exchange.markets().filter(({ spec }) => spec.closed)).toHaveLength(1);
    expect(summary).toMatch(/843 books in 1771 markets .*shifted.*30 days ahead.*hashes/);
  });
});

describe("data folder", () => {
  test("a folder of our own: a book without Gamma, missing members, a quoted CSV with an unmatched row", () => {
    const root = mkdtempSync(join(tmpdir(), "pitboss-data-"));
    mkdirSync(join(root, "books"));
    mkdirSync(join(root, "complete-sets"));
    const bare = { asset_id: "77", bids: [{ price: "0.31", size: "5" }], asks: [] };
    writeFileSync(join(root, "books", `0x${"ab".repeat(32)}.json`), JSON.stringify(bare));
    const set = {
      "123": {
        event_id: "9",
        event_title: "Made up",
        n_markets: 2,
        question: 'Will "A, B" win?',
        bids: [{ price: "0.4", size: "10" }],
        asks: [{ price: "0.455", size: "20" }],
      },
    };
    writeFileSync(join(root, "complete-sets", "books-2026-01-02.json"), JSON.stringify(set));
    writeFileSync(
      join(root, "complete-sets", "markets-2026-01-02.csv"),
      'event_id,event_title,event_volume,n_markets,market_id,question,best_ask,end_date\n9,Made up,100,2,1,"Will ""A, B"" win?",0.455,2026-02-01T00:00:00Z\n9,Made up,100,2,2,Will C win?,,2027-02-01T00:00:00Z\n',
    );
    const { exchange } = load(root);
    rmSync(root, { recursive: true });
    const bareSpec = exchange.market(`0x${"ab".repeat(32)}`)?.spec;
    expect(bareSpec).toMatchObject({ minOrderSize: "5", tickSize: "0.01", feeRate: null });
    const first = exchange.market(conditionIdOfToken("123"));
    expect(first?.spec).toMatchObject({ tickSize: "0.001", groupItemTitle: '"A, B"' });
    expect(exchange.events().find(({ id }) => id === "9")?.conditionIds).toHaveLength(2);
    const second = exchange.bySlug("will-c-win");
    expect(second.bestAsk).toBeNull();
    expect(second.acceptingOrders).toBe(true);
  });

  test("an empty folder and broken files are refused with the file's name", () => {
    const root = mkdtempSync(join(tmpdir(), "pitboss-data-"));
    expect(() => load(root)).toThrow(WorldError);
    mkdirSync(join(root, "books"));
    writeFileSync(join(root, "books", "0xab.json"), "{");
    expect(() => load(root)).toThrow(/0xab\.json is not JSON/);
    rmSync(root, { recursive: true });
  });

  test("move shifts a recorded book by whole ticks", () => {
    const root = mkdtempSync(join(tmpdir(), "pitboss-data-"));
    mkdirSync(join(root, "books"));
    const levels = {
      bids: [
        { price: "0.01", size: "5" },
        { price: "0.3", size: "7" },
      ],
    };
    const id = `0x${"cd".repeat(32)}`;
    writeFileSync(
      join(root, "books", `${id}.json`),
      JSON.stringify({ ...levels, asset_id: "5", asks: [{ price: "0.33", size: "9" }] }),
    );
    const exchange = new RecordingExchange();
    const world = createDataWorld(exchange, root, NOW_MS);
    rmSync(root, { recursive: true });
    world.move(id, -2);
    expect(exchange.book(id)).toEqual({
      bids: [{ price: "0.28", size: "7" }],
      asks: [{ price: "0.31", size: "9" }],
    });
  });
});

describe("CSV", () => {
  test("quotes, doubled quotes, commas, line breaks inside quotes and CRLF", () => {
    expect(parseCsv('a,b\r\n"x, ""y""","1\n2"\r\nz,\r\n')).toEqual([
      { a: 'x, "y"', b: "1\n2" },
      { a: "z", b: "" },
    ]);
  });

  test("a short row and an open quote are refused", () => {
    expect(() => parseCsv("a,b\n1\n")).toThrow(/row 2 has 1 fields/);
    expect(() => parseCsv('a\n"1')).toThrow(/inside a quoted field/);
  });
});

test("outcome titles are what distinguishes the questions; slugs follow the venue", () => {
  expect(outcomeTitles(["Will A B win it in 2026?", "Will C win it in 2026?"])).toEqual([
    "A B",
    "C",
  ]);
  expect(slugOf("Will Nicolás O’Brien win F1 in 2026?")).toBe("will-nicolas-obrien-win-f1-in-2026");
});
