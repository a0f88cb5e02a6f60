import { crc32 } from "node:zlib";
import { type BlockHead, encodeBlockHead } from "./segment-format.ts";

/** Where a block of rows stands in its segment, and what it holds. */
export type IndexedBlock = {
  readonly offset: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly rows: number;
};

const names = [
  "offset",
  "firstSeq",
  "lastSeq",
  "firstAtMs",
  "lastAtMs",
  "rows",
] as const satisfies readonly (keyof IndexedBlock)[];

export function indexedBlock(offset: number, head: BlockHead): IndexedBlock {
  const { firstSeq, lastSeq, firstAtMs, lastAtMs, rows } = head;
  return { offset, firstSeq, lastSeq, firstAtMs, lastAtMs, rows };
}

/** The block that closes a segment: one line of numbers for each block of rows. */
export function encodeIndex(blocks: readonly IndexedBlock[]): Buffer {
  const body = Buffer.alloc(blocks.length * names.length * 8);
  for (const [i, block] of blocks.entries()) {
    for (const [j, name] of names.entries()) {
      body.writeDoubleLE(block[name], (i * names.length + j) * 8);
    }
  }
  const [first, last] = [blocks[0], blocks.at(-1)];
  const head: BlockHead = {
    kind: "index",
    firstSeq: first?.firstSeq ?? 0,
    lastSeq: last?.lastSeq ?? 0,
    firstAtMs: first?.firstAtMs ?? 0,
    lastAtMs: last?.lastAtMs ?? 0,
    baseAtMs: 0,
    baseTimestampMs: 0,
    rows: 0,
    frames: 0,
    deltas: 0,
    changes: 0,
    bigSizes: 0,
    hashes: 0,
    texts: 0,
    gaps: 0,
    lostRows: 0,
    columnBytesRaw: body.length,
    columnBytes: body.length,
    textBytesRaw: 0,
    textBytes: 0,
    mirrors: 0,
    bodyCrc: crc32(body),
  };
  return Buffer.concat([encodeBlockHead(head), body]);
}

/** Null when the bytes are no whole index. */
export function decodeIndex(head: BlockHead, body: Buffer): readonly IndexedBlock[] | null {
  const lineBytes = names.length * 8;
  if (head.kind !== "index" || crc32(body) !== head.bodyCrc || body.length % lineBytes !== 0) {
    return null;
  }
  return Array.from({ length: body.length / lineBytes }, (_, i) => {
    const value = (name: (typeof names)[number]) =>
      body.readDoubleLE(i * lineBytes + names.indexOf(name) * 8);
    return {
      offset: value("offset"),
      firstSeq: value("firstSeq"),
      lastSeq: value("lastSeq"),
      firstAtMs: value("firstAtMs"),
      lastAtMs: value("lastAtMs"),
      rows: value("rows"),
    };
  });
}
