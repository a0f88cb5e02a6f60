// The floor under a replay: the same changes as packed events of 32 bytes, from a file into bare ladders of one slot a tick.
// Nothing is unpacked, checked or kept in order; it is what reading numbers and setting levels costs by itself.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const eventBytes = 32;
const doublesPerEvent = eventBytes / 8;
const wordsPerEvent = eventBytes / 4;
/** Doubles of an event: venue milliseconds and size. Words behind them: market, slot, kind. */
const sizeAt = 1;
const marketAt = 4;
const slotAt = 5;
const kindAt = 6;
const kinds = { clear: 0, bid: 1, ask: 2 } as const;
const slots = 1_000;
const cells = slots + 1;

type Level = { readonly price: string; readonly size: string };
type Change = Level & { readonly asset_id: string; readonly side: string };
type Frame = {
  readonly market: string;
  readonly asset_id?: string;
  readonly timestamp: string;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly price_changes?: readonly Change[];
};

/** Writes frames of the market channel as events. All see the book of a market's first token. */
export class EventFile {
  readonly #handle: number;
  /** Token 0 of each market, in the order of `BareLadders`. */
  readonly #tokens: ReadonlyMap<string, { readonly market: number; readonly token: string }>;
  events = 0;

  constructor(
    file: string,
    markets: readonly { conditionId: string; tokenIds: readonly string[] }[],
  ) {
    this.#handle = openSync(file, "w");
    this.#tokens = new Map(
      markets.map(({ conditionId, tokenIds }, market) => [
        conditionId,
        { market, token: tokenIds[0] ?? "" },
      ]),
    );
  }

  add(text: string): void {
    const value = JSON.parse(text) as Frame | readonly Frame[];
    for (const frame of Array.isArray(value) ? (value as readonly Frame[]) : [value as Frame]) {
      const known = this.#tokens.get(frame.market);
      if (known === undefined) continue;
      const rows: [kind: number, slot: number, size: number][] = [];
      if (frame.price_changes === undefined) {
        rows.push([kinds.clear, 0, 0]);
        for (const level of frame.bids ?? []) rows.push([kinds.bid, ...numbersOf(level)]);
        for (const level of frame.asks ?? []) rows.push([kinds.ask, ...numbersOf(level)]);
      }
      for (const change of frame.price_changes ?? []) {
        const isOwn = change.asset_id === known.token;
        const [slot, size] = numbersOf(change);
        const isBid = (change.side === "BUY") === isOwn;
        rows.push([isBid ? kinds.bid : kinds.ask, isOwn ? slot : slots - slot, size]);
      }
      this.#write(known.market, Number(frame.timestamp), rows);
    }
  }

  close(): void {
    closeSync(this.#handle);
  }

  #write(market: number, atMs: number, rows: readonly [number, number, number][]): void {
    const bytes = new ArrayBuffer(rows.length * eventBytes);
    const doubles = new Float64Array(bytes);
    const words = new Uint32Array(bytes);
    for (const [i, [kind, slot, size]] of rows.entries()) {
      doubles.set([atMs, size], i * doublesPerEvent);
      words.set([market, slot, kind], i * wordsPerEvent + marketAt);
      if (kind !== kinds.clear) this.events++;
    }
    writeSync(this.#handle, new Uint8Array(bytes));
  }
}

function numbersOf({ price, size }: Level): [slot: number, size: number] {
  return [Math.round(Number(price) * slots), Math.round(Number(size) * 1e6)];
}

/** Sizes in micro-shares by market, side and slot, and the best slots. */
export class BareLadders {
  readonly #sizes: Float64Array;
  readonly #bests: Int32Array;

  constructor(markets: number) {
    this.#sizes = new Float64Array(markets * 2 * cells);
    this.#bests = new Int32Array(markets * 2);
  }

  /** Plays a file of events. */
  play(file: string): void {
    const { buffer, byteOffset, length } = readFileSync(file);
    const doubles = new Float64Array(buffer, byteOffset, length / 8);
    const words = new Uint32Array(buffer, byteOffset, length / 4);
    for (let event = 0; event < length / eventBytes; event++) {
      const word = event * wordsPerEvent;
      const market = words[word + marketAt] ?? 0;
      const kind = words[word + kindAt] ?? 0;
      if (kind === kinds.clear) this.#clear(market);
      else {
        const size = doubles[event * doublesPerEvent + sizeAt] ?? 0;
        this.#set(market, kind === kinds.bid, words[word + slotAt] ?? 0, size);
      }
    }
  }

  /** Filled levels of one side, best first: slot and size. */
  levels(market: number, isBid: boolean): [slot: number, size: number][] {
    const from = (2 * market + (isBid ? 0 : 1)) * cells;
    const found = [...this.#sizes.subarray(from, from + cells)].flatMap(
      (size, slot): [number, number][] => (size > 0 ? [[slot, size]] : []),
    );
    return isBid ? found.toReversed() : found;
  }

  #clear(market: number): void {
    this.#sizes.fill(0, 2 * market * cells, (2 * market + 2) * cells);
    this.#bests[2 * market] = 0;
    this.#bests[2 * market + 1] = slots;
  }

  #set(market: number, isBid: boolean, slot: number, size: number): void {
    const sizes = this.#sizes;
    const bests = this.#bests;
    const side = 2 * market + (isBid ? 0 : 1);
    const from = side * cells;
    sizes[from + slot] = size;
    const best = bests[side] ?? 0;
    if (size > 0) {
      if (isBid ? slot > best : slot < best) bests[side] = slot;
      return;
    }
    if (slot !== best) return;
    let next = slot;
    if (isBid) while (next > 0 && sizes[from + next] === 0) next--;
    else while (next < slots && sizes[from + next] === 0) next++;
    bests[side] = next;
  }
}
