/** What decides where a market stands in a list, besides how well it fits. */
export type RankedRow = {
  readonly tradable: boolean;
  readonly volumeUsd: number | null;
  readonly liquidityUsd: number | null;
  readonly endAtMs: number | null;
  readonly slug: string;
};

type Place = { readonly document: number; readonly fit: number; readonly row: RankedRow };

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
function isBefore(document: number, fit: number, row: RankedRow, other: Place): boolean {
  const order = other.fit - fit || compareRows(row, other.row) || document - other.document;
  return order < 0;
}

/** Keeps the best few of many, without sorting the many. */
export class TopRows {
  readonly #limit: number;
  readonly #kept: Place[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False when a row would not be kept even if it fitted so well: most of many need no closer look. */
  mayKeep(document: number, fit: number, row: RankedRow): boolean {
    if (this.#kept.length < this.#limit) return true;
    const worst = this.#kept.at(-1);
    return worst !== undefined && isBefore(document, fit, row, worst);
  }

  offer(document: number, fit: number, row: RankedRow): void {
    if (!this.mayKeep(document, fit, row)) return;
    const kept = this.#kept;
    let low = 0;
    let high = kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = kept[middle];
      if (there !== undefined && isBefore(document, fit, row, there)) high = middle;
      else low = middle + 1;
    }
    kept.splice(low, 0, { document, fit, row });
    if (kept.length > this.#limit) kept.pop();
  }

  best(): readonly Place[] {
    return this.#kept;
  }
}
