import { hashBytes } from "./segment-format.ts";

/** A block is closed at latest when it holds this many rows, changes or bytes of text. */
export const blockRowsMax = 16_384;
export const blockChangesMax = 65_536;
export const blockTextBytesMax = 4 * 1024 * 1024;
/** Changes of one message that is kept as columns. */
export const deltaChangesMax = 255;

const textBytesAtFirst = 256 * 1024;

/** The columns of the block that is being filled; reused from block to block. */
export class BlockColumns {
  readonly rowKinds = new Uint8Array(blockRowsMax);
  /** Milliseconds since the row before. */
  readonly rowSteps = new Int32Array(blockRowsMax);
  readonly deltaMarkets = new Uint16Array(blockRowsMax);
  readonly deltaChanges = new Uint8Array(blockRowsMax);
  /** Milliseconds of venue time since the change before. */
  readonly deltaSteps = new Int32Array(blockRowsMax);
  readonly flags = new Uint8Array(blockChangesMax + deltaChangesMax);
  readonly prices = new Uint16Array(blockChangesMax + deltaChangesMax);
  readonly bestBids = new Uint16Array(blockChangesMax + deltaChangesMax);
  readonly bestAsks = new Uint16Array(blockChangesMax + deltaChangesMax);
  readonly sizes = new Uint32Array(blockChangesMax + deltaChangesMax);
  readonly bigSizes = new Float64Array(blockChangesMax + deltaChangesMax);
  readonly hashes = new Uint8Array((blockChangesMax + deltaChangesMax) * hashBytes);
  readonly textLengths = new Uint32Array(blockRowsMax);
  texts = Buffer.allocUnsafe(textBytesAtFirst);
  rowCount = 0;
  deltaCount = 0;
  changeCount = 0;
  /** Changes that stand for two (changeFlag.mirrored). */
  mirrorCount = 0;
  bigSizeCount = 0;
  hashCount = 0;
  textCount = 0;
  textBytes = 0;

  get isFull(): boolean {
    return (
      this.rowCount >= blockRowsMax ||
      this.changeCount + this.mirrorCount >= blockChangesMax ||
      this.textBytes >= blockTextBytesMax
    );
  }

  clear(): void {
    this.rowCount = 0;
    this.deltaCount = 0;
    this.changeCount = 0;
    this.mirrorCount = 0;
    this.bigSizeCount = 0;
    this.hashCount = 0;
    this.textCount = 0;
    this.textBytes = 0;
    // One huge frame must not keep its room for ever.
    if (this.texts.length > 2 * blockTextBytesMax) {
      this.texts = Buffer.allocUnsafe(textBytesAtFirst);
    }
  }

  addText(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.textBytes + length > this.texts.length) {
      const more = Buffer.allocUnsafe(2 * (this.textBytes + length));
      this.texts.copy(more, 0, 0, this.textBytes);
      this.texts = more;
    }
    this.texts.set(bytes.subarray(from, to), this.textBytes);
    this.textBytes += length;
    this.textLengths[this.textCount++] = length;
  }
}
