import type { ResyncReason } from "../domain/book-health.ts";
import type { MarketBook } from "../domain/market-book.ts";
import type { StepContext } from "./context.ts";
import { hashesChanged } from "./degraded.ts";
import { resync } from "./links.ts";
import { markChanged } from "./wake-up.ts";

/** Snapshots with a wrong hash, over all books, after which a change of the format is thought of. */
const badSnapshotsMin = 5;
/** Of five books that were looked at, four have to fail. */
const failingShare = 4;
/** While hashes are not believed: none may have failed for this long before they are again. */
const quietFailuresMs = 10_000;
/** Books whose hash fits again before hashes are believed again; fewer when fewer are watched. */
const fittingMin = 3;

/**
 * Follows what a change of a book found: a contradiction asks for a fresh one, hashes are weighed over all books, and the
 * strategies that listen to it are to look.
 */
export function judge(context: StepContext, book: MarketBook, reason: ResyncReason | null): void {
  const { health } = book;
  markChanged(context, book.conditionId);
  const { hashes } = context.state.live;
  if (book.hashesVerified > health.verifiedSeen) {
    health.verifiedSeen = book.hashesVerified;
    health.hashVerifiedAtMs = context.atMs;
    if (!hashes.trusted) believeAgain(context);
  }
  if (health.hashesFailed > health.failedSeen) {
    health.failedSeen = health.hashesFailed;
    hashes.failedAtMs = context.atMs;
    if (health.badSnapshots === 1) health.badSinceMs = context.atMs;
    if (hashes.trusted && health.badSnapshots > 0) weighHashes(context);
  }
  if (reason !== null) resync(context, book.conditionId, reason);
}

/**
 * A snapshot that does not have its own hash cannot be explained by lost frames. When nearly all do that at once, the
 * venue changed what the hash covers (twice so far, polymarket-market-data 3.1): traders are told once, and books are
 * judged by best prices until hashes fit again. Nothing is bought meanwhile.
 */
function weighHashes(context: StepContext): void {
  const { live } = context.state;
  let failing = 0;
  let snapshots = 0;
  let sinceMs = context.atMs;
  for (const { health } of live.books.values()) {
    if (health.badSnapshots === 0) continue;
    failing++;
    snapshots += health.badSnapshots;
    sinceMs = Math.min(sinceMs, health.badSinceMs);
  }
  if (snapshots < badSnapshotsMin) return;
  let fitting = 0;
  for (const { health } of live.books.values()) if (health.hashVerifiedAtMs > sinceMs) fitting++;
  if (fitting * failingShare > failing) return;
  setTrust(context, false);
  hashesChanged(context, `the hash of ${failing} of ${failing + fitting} books does not fit`);
}

function believeAgain(context: StepContext): void {
  const { live } = context.state;
  const { sinceMs, failedAtMs } = live.hashes;
  if (context.atMs - failedAtMs < quietFailuresMs) return;
  let fitting = 0;
  for (const { health } of live.books.values()) if (health.hashVerifiedAtMs > sinceMs) fitting++;
  if (fitting < Math.min(fittingMin, live.books.size)) return;
  setTrust(context, true);
  hashesChanged(context, null);
}

function setTrust(context: StepContext, trusted: boolean): void {
  const { live } = context.state;
  live.hashes.trusted = trusted;
  live.hashes.sinceMs = context.atMs;
  for (const book of live.books.values()) {
    book.hashTrusted = trusted;
    if (trusted) book.health.badSnapshots = 0;
  }
}
