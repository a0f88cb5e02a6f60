import { hashBytes } from "../adapters/tape/segment-format.ts";

/** About what a part takes besides its hashes. */
const partBytes = 256;

/** Hashes by number, left in the blocks that brought them: of all that a busy market says, a few are ever looked at again. */
export class HashPool {
  readonly #parts: Buffer[] = [];
  /** Number of the first hash of each part. */
  readonly #starts: number[] = [];
  #count = 0;
  /** Memory of all parts, about. */
  bytes = 0;

  /** The number of the first of these hashes; those behind it follow. */
  add(hashes: Buffer): number {
    const first = this.#count;
    this.#parts.push(hashes);
    this.#starts.push(first);
    this.#count += hashes.length / hashBytes;
    this.bytes += hashes.length + partBytes;
    return first;
  }

  hash(number: number): Buffer {
    let part = 0;
    for (let end = this.#starts.length; end - part > 1; ) {
      const middle = (part + end) >>> 1;
      if ((this.#starts[middle] ?? 0) > number) end = middle;
      else part = middle;
    }
    const from = (number - (this.#starts[part] ?? 0)) * hashBytes;
    return (this.#parts[part] ?? none).subarray(from, from + hashBytes);
  }
}

const none = Buffer.alloc(0);
