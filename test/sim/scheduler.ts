type Planned = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Virtual time: events run one after the other, the earliest first, those of one moment in the order of planning. */
export class Scheduler {
  readonly #heap: Planned[] = [];
  readonly #canceled = new Set<number>();
  #planned = 0;
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Virtual milliseconds; never goes back. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans a call; the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const order = this.#planned++;
    this.#push({ atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), order, run });
    return () => this.#canceled.add(order);
  }

  /** Takes the next event and moves the time to it; null when nothing is planned until `untilMs`. */
  take(untilMs: number): (() => void) | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) return null;
      this.#pop();
      if (this.#canceled.delete(first.order)) continue;
      this.#nowMs = first.atMs;
      return first.run;
    }
  }

  #push(item: Planned): void {
    const heap = this.#heap;
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, item)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[at * 2 + 1];
      const right = heap[at * 2 + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && before(right, left);
      const child = isRight ? right : left;
      if (before(last, child)) break;
      heap[at] = child;
      at = at * 2 + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Lets every promise that can go on do so: Node empties the microtask queue before an immediate runs. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
