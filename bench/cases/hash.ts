import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { currentHash, type MarketBook } from "../../src/engine/domain/market-book.ts";
import { type UsualBook, UsualBooks } from "../baseline/usual-book.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { makeTape } from "../support/frame-tape.ts";
import { LiveBooks } from "../support/live-books.ts";
import { keep, race, timeEach } from "../support/race.ts";

/** SHA-1 of a book of 140 levels: ours against JSON.stringify of a rebuilt summary. */
export const hashCase: BenchCase = { name: "hash", run };

const marketCount = 200;
const hashesPerRound = 4_000;

async function run(context: BenchContext): Promise<CaseResult> {
  const hasher = createHasher();
  const { pairs, timestamp } = openBooks();
  const ours = (i: number): string => {
    const pair = pairs[i % pairs.length];
    return pair === undefined ? "" : currentHash(pair.mine, 0, timestamp, hasher);
  };
  const usual = (i: number): string => pairs[i % pairs.length]?.usual.hash(timestamp) ?? "";
  for (let i = 0; i < pairs.length; i++) demand(ours(i) === usual(i), `book hash of market ${i}`);
  const round = (hash: (i: number) => string) => () =>
    timeEach(hashesPerRound, (i) => keep(hash(i)));
  const timings = await race(
    [
      { name: "ours", round: round(ours) },
      { name: "rebuilt summary + JSON.stringify + sha1", round: round(usual) },
    ],
    { rounds: context.rounds, warmUps: 2 },
    (text) => context.progress(`hash: ${text}`),
  );
  const { rows, ratio } = rowsAgainst("", timings);
  return {
    title: `Book hash: one token of ${marketCount} books of 140 levels`,
    rows,
    notes: [],
    ratios: { hash: ratio },
    aims: [ratioAim("book hash over the usual way", ratio, 2)],
  };
}

type Pair = { readonly mine: MarketBook; readonly usual: UsualBook };

function openBooks(): { readonly pairs: readonly Pair[]; readonly timestamp: string } {
  const tape = makeTape({ markets: marketCount, frames: marketCount * 20, hashes: false });
  const mine = new LiveBooks(tape);
  const usual = new UsualBooks(new Map(tape.markets.map(({ tokenIds }) => tokenIds)), false);
  for (const frame of [...tape.opening, ...tape.frames]) {
    mine.read(frame);
    usual.read(frame.toString("utf8"));
  }
  const pairs = tape.markets.flatMap(({ conditionId, tokenIds }) => {
    const book = mine.books.get(conditionId);
    const other = usual.books.get(tokenIds[0]);
    return book === undefined || other === undefined ? [] : [{ mine: book, usual: other }];
  });
  demand(pairs.length === marketCount, "every market has a book");
  return { pairs, timestamp: "1790000000000" };
}
