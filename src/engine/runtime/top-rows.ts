/** What decides where a market stands in a list, besides how well it fits. */
export type RankedRow = {
  readonly tradable: boolean;
  readonly volumeUsd: number | null;
  readonly liquidityUsd: number | null;
  readonly endAtMs: number | null;
  readonly slug: string;
};

type Place = { readonly document: number; readonly fit: number; readonly row: RankedRow };

/** Below zero when `a` stands before `b`. Two different markets never stand in the same place. */
function comparePlaces(a: Place, b: Place): number {
  return b.fit - a.fit || compareRows(a.row, b.row) || a.document - b.document;
}

function compareRows(a: RankedRow, b: RankedRow): number {
  return (
    Number(b.tradable) - Number(a.tradable) ||
    (b.volumeUsd ?? 0) - (a.volumeUsd ?? 0) ||
    (b.liquidityUsd ?? 0) - (a.liquidityUsd ?? 0) ||
    (a.endAtMs ?? Number.MAX_SAFE_INTEGER) - (b.endAtMs ?? Number.MAX_SAFE_INTEGER) ||
    (a.slug < b.slug ? -1 : Number(a.slug > b.slug))
  );
}

/** Keeps the best few of many, without sorting the many. */
export class TopRows {
  readonly #limit: number;
  readonly #kept: Place[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(document: number, fit: number, row: RankedRow): void {
    const kept = this.#kept;
    const worst = kept.length < this.#limit ? undefined : kept.at(-1);
    // Most of many fit worse than the last one kept: those make no object.
    if (worst !== undefined && fit < worst.fit) return;
    const place = { document, fit, row };
    if (worst !== undefined && comparePlaces(place, worst) > 0) return;
    let low = 0;
    let high = kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = kept[middle];
      if (there !== undefined && comparePlaces(there, place) < 0) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, place);
    if (kept.length > this.#limit) kept.pop();
  }

  best(): readonly Place[] {
    return this.#kept;
  }
}
