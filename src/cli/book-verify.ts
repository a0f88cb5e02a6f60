import { createHasher } from "../adapters/polymarket/hasher.ts";
import { lastTradeText } from "../engine/domain/book-hash.ts";
import { currentHash, type MarketBook, verifyHash } from "../engine/domain/market-book.ts";
import type { BookDelta, BookSnapshot, MarketEvent } from "../engine/domain/market-event.ts";
import { mirrorPrice, type Price } from "../engine/domain/numbers.ts";
import { applySnapshot, changeTick, setLevel } from "../engine/domain/order-book.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { FrameFileError, readFrameFile } from "./frame-files.ts";
import { marketsOfTape } from "./tape-markets.ts";

const help = `usage: pitboss book-verify FILE... [--neg-risk true|false] [--json]

Recomputes the SHA-1 of every recorded order book and of every change that names one. A file holds a /book answer, an
array or JSON lines of frames, or test vectors; .gz is read too. A missing neg_risk is found by trying both values on a
market's first book. Exit 0 when nothing failed and something was verified, else 1.

  --neg-risk B   neg_risk of all markets, instead of what the files say
  --json         one object for programs

example: pitboss book-verify ../shared/data/books/*.json`;

const hasher = createHasher();
const maxFiles = 10_000;

type Counts = { verified: number; failed: number; skipped: number };
type Failure = {
  readonly file: string;
  readonly conditionId: string;
  readonly tokenId: string;
  readonly timestamp: string;
  readonly wanted: string;
  readonly computed: string;
};
/** The market seen by each of its tokens. */
type Pair = readonly [MarketBook, MarketBook];
type Claim = { readonly outcome: 0 | 1; readonly timestamp: string; readonly hash: string | null };

/** `pitboss book-verify`: 0 when every hash is right, 1 when one is not or there was none, 2 for wrong use. */
export function bookVerifyCommand(args: readonly string[]): Promise<number> {
  const parsed = readArguments(
    args,
    { "neg-risk": { type: "string" }, json: { type: "boolean" } },
    help,
    maxFiles,
  );
  if (!parsed.ok) return Promise.resolve(parsed.exitCode);
  const negRisk = parsed.values["neg-risk"];
  if (negRisk !== undefined && negRisk !== "true" && negRisk !== "false") {
    return Promise.resolve(wrongUse("--neg-risk is true or false"));
  }
  if (parsed.rest.length === 0) return Promise.resolve(wrongUse("which files?"));
  const override = negRisk === undefined ? null : negRisk === "true";
  const run = new Verification(override, parsed.values.json);
  try {
    for (const file of parsed.rest) run.verifyFile(file);
  } catch (error) {
    if (!(error instanceof FrameFileError)) throw error;
    return Promise.resolve(wrongUse(error.message));
  }
  run.report();
  const { verified, failed } = run.counts;
  return Promise.resolve(failed === 0 && verified > 0 ? exitDone : exitFailed);
}

function wrongUse(mistake: string): number {
  process.stderr.write(`book-verify: ${mistake}\n${help}\n`);
  return exitWrongUse;
}

class Verification {
  readonly counts: Counts = { verified: 0, failed: 0, skipped: 0 };
  readonly #failures: Failure[] = [];
  readonly #negRisk: boolean | null;
  readonly #json: boolean;
  #file = "";

  constructor(negRisk: boolean | null, json: boolean) {
    this.#negRisk = negRisk;
    this.#json = json;
  }

  verifyFile(file: string): void {
    this.#file = file;
    const before = { ...this.counts };
    const events: MarketEvent[] = [];
    for (const { frame } of readFrameFile(file)) {
      if (frame === null) continue;
      events.push(...frame.events);
      // A message that is no book (an empty stub of a closed market) has no hash to check.
      this.counts.skipped += frame.refused.length;
    }
    const { books, guessedNegRisk } = marketsOfTape(events, this.#negRisk);
    // A book of its own for each token: one ladder for both would let one of two mirrored entries hide the other.
    const mirrors = marketsOfTape(events, this.#negRisk).books;
    for (const [conditionId, value] of guessedNegRisk) {
      this.#say(`${file}: neg_risk is not said for ${conditionId}; ${value} fits its first book`);
    }
    for (const [conditionId, book] of books) {
      this.#verifyMarket(
        [book, mirrors.get(conditionId) ?? book],
        events.filter((event) => event.conditionId === conditionId),
      );
    }
    const { verified, failed, skipped } = this.counts;
    this.#say(
      `${file}: verified ${verified - before.verified}, failed ${failed - before.failed}, skipped ${skipped - before.skipped}`,
    );
  }

  report(): void {
    if (this.#json) {
      process.stdout.write(`${JSON.stringify({ ...this.counts, failures: this.#failures })}\n`);
      return;
    }
    for (const failure of this.#failures) {
      this.#say(
        `FAILED ${failure.file}: token ${failure.tokenId} at ${failure.timestamp}: the book says ${failure.wanted}, its levels give ${failure.computed}`,
      );
    }
    const { verified, failed, skipped } = this.counts;
    this.#say(`verified ${verified}, failed ${failed}, skipped ${skipped}`);
  }

  #say(line: string): void {
    if (!this.#json) process.stdout.write(`${line}\n`);
  }

  /** Every hash is checked whatever the ones before it gave, and only after the last frame that names it. */
  #verifyMarket(books: Pair, events: readonly MarketEvent[]): void {
    let open: Claim[] = [];
    let hasBook = false;
    const close = () => {
      for (const claim of open) this.#check(books, claim, true);
      open = [];
    };
    for (const event of events) {
      if (event.kind === "book.snapshot") {
        // A trade-driven book repeats the hash of the change before it.
        close();
        this.#snapshot(books, event);
        hasBook = true;
      } else if (event.kind === "book.delta") {
        if (!hasBook) {
          this.counts.skipped += event.changes.length;
          continue;
        }
        const claims = claimsOf(books[0], event);
        if (!claims.every((claim) => open.some((other) => sameGroup(claim, other)))) close();
        applyChanges(books, event);
        open = [...open.filter((one) => !claims.some((claim) => sameGroup(claim, one))), ...claims];
      } else if (event.kind === "trade.printed") {
        close();
        for (const book of books) book.lastTradePrice = lastTradeText(event.price);
      } else if (event.kind === "tick-size.changed") {
        close();
        for (const book of books) setTick(book, event.tickSize);
      }
    }
    close();
  }

  #snapshot(books: Pair, event: BookSnapshot): void {
    const outcome = event.tokenId === books[0].tokenIds[0] ? 0 : 1;
    for (const book of books) {
      if (event.tickSize !== null) setTick(book, event.tickSize);
      if (event.minOrderSize !== null) book.minOrderSize = event.minOrderSize;
      if (event.negRisk !== null && this.#negRisk === null) book.negRisk = event.negRisk;
      if (event.lastTradePrice !== null) book.lastTradePrice = event.lastTradePrice;
      applySnapshot(book.ladder, outcome, event.bids, event.asks);
    }
    // A book that names all ten members is checked against exactly those.
    const complete = event.minOrderSize !== null && event.lastTradePrice !== null;
    this.#check(books, { outcome, timestamp: event.timestamp, hash: event.hash }, !complete);
  }

  #check(books: Pair, claim: Claim, mayLearnLastTrade: boolean): void {
    const { outcome, timestamp, hash } = claim;
    if (hash === null) {
      this.counts.skipped++;
      return;
    }
    const book = books[outcome];
    const computed = currentHash(book, outcome, timestamp, hasher);
    const fits =
      computed === hash ||
      (mayLearnLastTrade && verifyHash(book, outcome, timestamp, hash, hasher));
    // What one token's hash teaches about the market's last trade holds for the other too.
    books[1 - outcome === 0 ? 0 : 1].lastTradePrice = book.lastTradePrice;
    if (fits) this.counts.verified++;
    else {
      this.counts.failed++;
      const { conditionId, tokenIds } = book;
      const tokenId = tokenIds[outcome];
      this.#failures.push({
        file: this.#file,
        conditionId,
        tokenId,
        timestamp,
        wanted: hash,
        computed,
      });
    }
  }
}

function setTick(book: MarketBook, tickSize: Price): void {
  book.tickSize = tickSize;
  changeTick(book.ladder, tickSize);
}

function sameGroup(a: Claim, b: Claim): boolean {
  return a.outcome === b.outcome && a.timestamp === b.timestamp && a.hash === b.hash;
}

/** One claim for each token that the frame speaks of: several of its changes may carry the same. */
function claimsOf(book: MarketBook, event: BookDelta): readonly Claim[] {
  const claims: Claim[] = [];
  for (const change of event.changes) {
    const outcome = change.tokenId === book.tokenIds[0] ? 0 : 1;
    const claim = { outcome, timestamp: event.timestamp, hash: change.hash } as const;
    if (!claims.some((other) => sameGroup(claim, other))) claims.push(claim);
  }
  return claims;
}

/** A change belongs to its own token's book; to the other's only when the frame does not state it there itself. */
function applyChanges(books: Pair, event: BookDelta): void {
  const own = books[0].tokenIds[0];
  const stated = new Set(event.changes.map((change) => `${change.tokenId} ${change.price}`));
  for (const { tokenId, side, price, size } of event.changes) {
    const outcome = tokenId === own ? 0 : 1;
    setLevel(books[outcome].ladder, outcome, side, price, size);
    const other = outcome === 0 ? 1 : 0;
    if (stated.has(`${books[0].tokenIds[other]} ${mirrorPrice(price)}`)) continue;
    setLevel(books[other].ladder, outcome, side, price, size);
  }
}
