/** What decides where a market stands in a list, besides how well it fits. */
export type RankedRow = {
  readonly tradable: boolean;
  readonly volumeUsd: number | null;
  readonly liquidityUsd: number | null;
  readonly endAtMs: number | null;
  readonly slug: string;
};

/** A row as one number for most comparisons: a higher one stands before, equal ones need a closer look. */
export function rankOf({ tradable, volumeUsd }: RankedRow): number {
  const volume = Math.min(Math.max(volumeUsd ?? 0, 0), untradableBelow - 1);
  return tradable ? untradableBelow + volume : volume;
}

/** More than any market has traded. */
const untradableBelow = 1e12;

/** A row that is offered for a list. `rank` is `rankOf` the row, read without touching it. */
export type Place = {
  readonly document: number;
  readonly fit: number;
  readonly rank: number;
  readonly row: RankedRow;
};

function compareRows(a: RankedRow, b: RankedRow): number {
  return (
    Number(b.tradable) - Number(a.tradable) ||
    (b.volumeUsd ?? 0) - (a.volumeUsd ?? 0) ||
    (b.liquidityUsd ?? 0) - (a.liquidityUsd ?? 0) ||
    (a.endAtMs ?? Number.MAX_SAFE_INTEGER) - (b.endAtMs ?? Number.MAX_SAFE_INTEGER) ||
    (a.slug < b.slug ? -1 : Number(a.slug > b.slug))
  );
}

/** Two different markets never stand in the same place. */
function isBefore(one: Place, other: Place): boolean {
  if (one.fit !== other.fit) return one.fit > other.fit;
  if (one.rank !== other.rank) return one.rank > other.rank;
  return (compareRows(one.row, other.row) || one.document - other.document) < 0;
}

/** Keeps the best few of many, without sorting the many. */
export class TopRows {
  readonly #limit: number;
  readonly #kept: Place[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when no row of this fit and rank would be kept: most of many need no closer look. */
  mayKeep(fit: number, rank: number): boolean {
    if (this.#kept.length < this.#limit) return true;
    const worst = this.#kept.at(-1);
    if (worst === undefined || fit < worst.fit) return false;
    return fit > worst.fit || rank >= worst.rank;
  }

  offer(place: Place): void {
    if (!this.mayKeep(place.fit, place.rank)) return;
    const kept = this.#kept;
    let low = 0;
    let high = kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = kept[middle];
      if (there !== undefined && isBefore(place, there)) high = middle;
      else low = middle + 1;
    }
    kept.splice(low, 0, place);
    if (kept.length > this.#limit) kept.pop();
  }

  best(): readonly Place[] {
    return this.#kept;
  }
}
