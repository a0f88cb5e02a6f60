import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type BookHasher, bookHashText } from "../engine/domain/book-hash.ts";
import { currentHash, type MarketBook } from "../engine/domain/market-book.ts";
import { frameLine } from "./frame-files.ts";

/** Names of the files that `snapshot` writes and `prune` removes. */
export const snapshotFilePattern = /^books-\d{4}-\d{2}-\d{2}T[\d-]+Z\.jsonl\.gz$/;

/** The book as the venue's first `book` message of a subscription: all ten members of its hash, and the hash. */
export function snapshotText(book: MarketBook, hasher: BookHasher): string {
  const { prefix, suffix } = bookHashText(book.ladder, 0, { ...book, tokenId: book.tokenIds[0] });
  const hash = currentHash(book, 0, book.timestamp, hasher);
  const members = `${prefix}${book.lastTradePrice}${suffix}`.replace(
    '"hash":""',
    `"hash":"${hash}"`,
  );
  return `{"event_type":"book",${members.slice(1)}`;
}

/** Writes one line a book, in one step. Returns the file. @throws the system's error */
export function writeSnapshot(folder: string, atMs: number, texts: readonly string[]): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = new Date(atMs).toISOString().replaceAll(/[:.]/g, "-");
  const file = join(folder, `books-${name}.jsonl.gz`);
  const handle = openSync(`${file}.new`, "wx", 0o600);
  try {
    writeSync(handle, gzipSync(texts.map((text) => frameLine(atMs, text)).join("")));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${file}.new`, file);
  return file;
}
