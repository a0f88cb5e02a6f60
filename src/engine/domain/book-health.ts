import type { BookDelta } from "./market-event.ts";

/** Why a book is not believed and a fresh snapshot is asked for. A closed set: it labels a counter. */
export const resyncReasons = [
  /** A change came before its snapshot, or is not part of the REST read that was taken for one. */
  "no_snapshot",
  /** The book's own SHA-1 is not the one that the venue states, whatever the last trade price. */
  "hash_mismatch",
  /** The venue names another best bid or ask than the book has. */
  "best_price_mismatch",
  /** YES and NO are one book seen twice, and a message says two different things about it. */
  "mirror_mismatch",
  "crossed",
  /** A new level lies off the grid of the tick that is in force: a tick change was missed. */
  "off_tick",
  "tick_changed",
  /** A change older than one that is applied already, and not a repetition: the order was lost. */
  "out_of_order",
  /** A message about the market could not be read. */
  "frame_refused",
  /** A REST read shows another book of the same moment or a later one. */
  "rest_mismatch",
  "link_lost",
  /** The connection answered pings and brought no data while the venue had some. */
  "silent",
  /** The reader could not keep up, so the connection's backlog was thrown away. */
  "lagging",
  /** The process did not run for a while. */
  "stalled",
  /** An order waits for a younger book. */
  "order_recheck",
] as const;

export type ResyncReason = (typeof resyncReasons)[number];

/** Closed groups that are remembered to tell a repeated frame from a late one. */
const keptGroups = 16;

/** What became of one book's frames in this run. */
export type BookHealth = {
  readonly resyncs: Partial<Record<ResyncReason, number>>;
  /** Messages about the market that could not be read. */
  invalid: number;
  /** Repeated frames, and those that a newer snapshot had overtaken. Harmless: levels are absolute. */
  repeated: number;
  outdated: number;
  hashesFailed: number;
  /** Groups whose hash was left out because only every n-th is checked. */
  hashesSkipped: number;
  /** Hashes that fitted only with another last trade price than the one told. */
  lastTradesLearnt: number;
  /** Snapshots in a row whose own hash did not fit: no lost frame explains that. */
  badSnapshots: number;
  /** Local time of the first of them. */
  badSinceMs: number;
  /** Venue milliseconds of the newest change that came while the book was not believed; 0 after a snapshot. */
  missedMs: number;
  /** As many hashes of this book were weighed already. */
  verifiedSeen: number;
  failedSeen: number;
  /** Local time of the last hash that fitted. */
  hashVerifiedAtMs: number;
  /** Tick changes so far: levels and prices of an earlier epoch are void. */
  tickEpoch: number;
  /** Time from the last request for a snapshot to its coming; null while none was asked for. */
  lastResyncMs: number | null;
  /** Local time since which the book is not believed; null while it is. */
  staleSinceMs: number | null;
};

export function createBookHealth(): BookHealth {
  return {
    resyncs: {},
    invalid: 0,
    repeated: 0,
    outdated: 0,
    hashesFailed: 0,
    hashesSkipped: 0,
    lastTradesLearnt: 0,
    badSnapshots: 0,
    badSinceMs: 0,
    missedMs: 0,
    verifiedSeen: 0,
    failedSeen: 0,
    hashVerifiedAtMs: 0,
    tickEpoch: 0,
    lastResyncMs: null,
    staleSinceMs: null,
  };
}

/** Only a snapshot that is as new as this change has it. */
export function noteMissed(health: BookHealth, { timestamp }: BookDelta): void {
  health.missedMs = Math.max(health.missedMs, Number(timestamp));
}

/** The newest groups of frames that were closed: timestamp and hash in turn, overwritten in a circle. */
export type RecentGroups = { readonly keys: string[]; next: number };

export function createRecentGroups(): RecentGroups {
  return { keys: [], next: 0 };
}

export function rememberGroup(groups: RecentGroups, timestamp: string, hash: string): void {
  groups.keys[groups.next] = timestamp;
  groups.keys[groups.next + 1] = hash;
  groups.next = (groups.next + 2) % (2 * keptGroups);
}

/** True when the frame's group was closed lately: applied once more it would bring old levels back. */
export function isRepeated({ keys }: RecentGroups, { timestamp, changes }: BookDelta): boolean {
  const hash = changes[0]?.hash ?? null;
  if (hash === null) return false;
  for (let i = 0; i < keys.length; i += 2) {
    if (keys[i] === timestamp && keys[i + 1] === hash) return true;
  }
  return false;
}
