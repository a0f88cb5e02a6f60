import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { BlockView } from "./block-view.ts";
import {
  type BlockHead,
  blockHeadBytes,
  blockMagic,
  bodyBytesOf,
  decodeBlockHead,
  decodeSegmentEnd,
  decodeSegmentHead,
  formatVersion,
  type SegmentHead,
  segmentEndBytes,
  segmentHeadBytes,
} from "./segment-format.ts";
import { decodeIndex, type IndexedBlock } from "./segment-index.ts";
import { TapeError } from "./tape-error.ts";

/** Bytes that are no whole block. At the end of a file they are what a killed writer left; elsewhere they are damage. */
export type Hole = { readonly offset: number; readonly bytes: number; readonly atEnd: boolean };

export type FoundBlock = { readonly offset: number; readonly head: BlockHead };
export type Scanned = {
  readonly blocks: readonly FoundBlock[];
  readonly holes: readonly Hole[];
  /** Null when the writer never closed the segment, or its index is damaged. */
  readonly index: readonly IndexedBlock[] | null;
};

const searchBytes = 1024 * 1024;

/** Reads one segment. Close it when done. */
export class SegmentReader {
  readonly file: string;
  readonly head: SegmentHead;
  readonly bytes: number;
  readonly #handle: number;

  /** @throws TapeError when the file cannot be read or does not begin as a segment */
  constructor(file: string) {
    this.file = file;
    this.#handle = opened(file);
    try {
      this.bytes = fstatSync(this.#handle).size;
      this.head = this.#readHead();
    } catch (error) {
      closeSync(this.#handle);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#handle);
  }

  /** The index that the writer left, or null. */
  index(): readonly IndexedBlock[] | null {
    if (this.bytes < segmentHeadBytes + segmentEndBytes) return null;
    const indexAt = decodeSegmentEnd(this.#read(this.bytes - segmentEndBytes, segmentEndBytes));
    if (indexAt === null || !(indexAt >= segmentHeadBytes && indexAt < this.bytes)) return null;
    const head = decodeBlockHead(this.#read(indexAt, blockHeadBytes));
    if (head === null) return null;
    return decodeIndex(head, this.#read(indexAt + blockHeadBytes, bodyBytesOf(head)));
  }

  /** Every block from head to head, and what lies between them that is none. Bodies are not looked at. */
  scan(): Scanned {
    const blocks: FoundBlock[] = [];
    const holes: Hole[] = [];
    const index = this.index();
    const end = index === null ? this.bytes : this.bytes - segmentEndBytes;
    let at = segmentHeadBytes;
    while (at < end) {
      const head = this.headAt(at, end);
      if (head !== null) {
        if (head.kind === "rows") blocks.push({ offset: at, head });
        at += blockHeadBytes + bodyBytesOf(head);
        continue;
      }
      const next = this.#nextHead(at + 1, end);
      holes.push({ offset: at, bytes: next - at, atEnd: next === end && index === null });
      at = next;
    }
    return { blocks, holes, index };
  }

  /** The head of a whole block at this place, or null. */
  headAt(offset: number, end: number = this.bytes): BlockHead | null {
    if (offset + blockHeadBytes > end) return null;
    const head = decodeBlockHead(this.#read(offset, blockHeadBytes));
    if (head === null || offset + blockHeadBytes + bodyBytesOf(head) > end) return null;
    return head;
  }

  /** The rows of a block. @throws TapeError when its checksum does not fit */
  view({ offset, head }: FoundBlock): BlockView {
    try {
      return new BlockView(head, this.#read(offset + blockHeadBytes, bodyBytesOf(head)));
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      throw new TapeError(`${this.file}: block at byte ${offset}: ${error.message}`);
    }
  }

  #readHead(): SegmentHead {
    const head = decodeSegmentHead(this.#read(0, Math.min(segmentHeadBytes, this.bytes)));
    if (head === null) throw new TapeError(`${this.file}: does not begin as a segment of a tape`);
    if (typeof head === "number") {
      throw new TapeError(`${this.file}: format ${head}, this version reads ${formatVersion}`);
    }
    return head;
  }

  /** Place of the next block's head, or `end`. */
  #nextHead(from: number, end: number): number {
    for (let at = from; at < end; at += searchBytes - blockMagic.length) {
      const part = this.#read(at, Math.min(searchBytes, end - at));
      for (let i = part.indexOf(blockMagic); i >= 0; i = part.indexOf(blockMagic, i + 1)) {
        if (this.headAt(at + i, end) !== null) return at + i;
      }
      if (part.length < searchBytes) break;
    }
    return end;
  }

  #read(offset: number, length: number): Buffer {
    // Not from the pool: typed arrays of a block live as long as its view.
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#handle, bytes, done, length - done, offset + done);
      if (read === 0) throw new TapeError(`${this.file}: ended at byte ${offset + done}`);
      done += read;
    }
    return bytes;
  }
}

function opened(file: string): number {
  try {
    return openSync(file, "r");
  } catch (error) {
    throw new TapeError(error instanceof Error ? error.message : `${file}: cannot be opened`);
  }
}
