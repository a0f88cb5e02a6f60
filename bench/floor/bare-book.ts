// The floor under a snapshot: its bytes scanned for numbers into a bare ladder of one slot a tick. No key, order, grid or
// bound is looked at, nothing is kept for the hash, and nobody could apply another message to it.

const zero = 0x30;
const quote = 0x22;
const dot = 0x2e;
const closeBracket = 0x5d;
const bids = Buffer.from('"bids":[');
const asks = Buffer.from('"asks":[');
/** Characters before a price's places, and between its last one and the size. */
const beforePrice = '{"price":"0.'.length;
const beforeSize = '","size":"'.length;
/** Behind a size: quote, brace and comma or bracket. */
const behindSize = 2;

/** Slots of a dollar, whose ticks are thousandths. */
const slots = 1_000;

/** Micro-shares by slot, all bids before all asks, and the best slots. */
export class BareBook {
  readonly sizes = new Float64Array(2 * slots);
  bestBid = 0;
  bestAsk = slots;

  read(frame: Buffer): void {
    this.sizes.fill(0);
    this.bestBid = this.#side(frame, frame.indexOf(bids) + bids.length, 0);
    this.bestAsk = this.#side(frame, frame.indexOf(asks) + asks.length, slots);
  }

  /** The last level is the best one. */
  #side(bytes: Uint8Array, from: number, first: number): number {
    const { sizes } = this;
    let at = from;
    let slot = 0;
    while (bytes[at - 1] !== closeBracket && bytes[at] !== closeBracket) {
      at += beforePrice;
      slot = 0;
      let unit = slots;
      for (; bytes[at] !== quote; at++) {
        slot = slot * 10 + (bytes[at] ?? 0) - zero;
        unit /= 10;
      }
      slot *= unit;
      at += beforeSize;
      let size = 0;
      let scale = 1_000_000;
      for (; bytes[at] !== quote && bytes[at] !== dot; at++) {
        size = size * 10 + (bytes[at] ?? 0) - zero;
      }
      if (bytes[at] === dot) {
        for (at++; bytes[at] !== quote; at++) {
          size = size * 10 + (bytes[at] ?? 0) - zero;
          scale /= 10;
        }
      }
      sizes[first + slot] = size * scale;
      at += behindSize + 1;
    }
    return slot;
  }
}
