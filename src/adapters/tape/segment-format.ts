// The layout of a segment file, little-endian:
//   64 bytes   segment head
//   blocks     128 bytes head, then columns, hashes, texts as stored
//   at close   one index block, then 32 bytes that say where it begins
// Every block stands alone: it carries its own market ids and its own checksums, so a broken one costs itself alone.
import { crc32 } from "node:zlib";

export const segmentHeadBytes = 64;
export const blockHeadBytes = 128;
export const segmentEndBytes = 32;
/** Longest part of a block that a reader believes; a longer one is damage, not data. */
export const partBytesMax = 64 * 1024 * 1024;
/** 2: a change may stand for its mirror too. Tapes of 1 are read. */
export const formatVersion = 2;
const oldestVersion = 1;

/** First bytes of a block's head. */
export const blockMagic = Buffer.from("PBK1", "latin1");
const segmentMagic = Buffer.from("PBTAPE01", "latin1");
const endMagic = Buffer.from("PBTAPEND", "latin1");

/** What the head of a segment says. */
export type SegmentHead = {
  readonly number: number;
  readonly createdMs: number;
  readonly firstSeq: number;
};

/** What the head of a block says. Times are local milliseconds. */
export type BlockHead = {
  readonly kind: "rows" | "index";
  readonly firstSeq: number;
  /** Includes the rows that a gap at the end lost. */
  readonly lastSeq: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Time of the first row; the times of the others are steps from row to row. */
  readonly baseAtMs: number;
  /** Venue time of the first packed change; likewise. */
  readonly baseTimestampMs: number;
  readonly rows: number;
  /** Rows that are frames; the others are notes. */
  readonly frames: number;
  /** Frames that are kept as columns; the others are texts. */
  readonly deltas: number;
  /** Level changes that are kept of these. */
  readonly changes: number;
  readonly bigSizes: number;
  readonly hashes: number;
  readonly texts: number;
  readonly gaps: number;
  readonly lostRows: number;
  readonly columnBytesRaw: number;
  readonly columnBytes: number;
  readonly textBytesRaw: number;
  readonly textBytes: number;
  /** Over everything of the block behind its head. */
  readonly bodyCrc: number;
  /** Changes that stand for two, of both tokens. */
  readonly mirrors: number;
};

/** Bytes of a 20-byte SHA-1. */
export const hashBytes = 20;

/** Stored bytes of a block behind its head. */
export function bodyBytesOf(head: BlockHead): number {
  return head.columnBytes + head.hashes * hashBytes + head.textBytes;
}

export function encodeSegmentHead(head: SegmentHead): Buffer {
  const bytes = Buffer.alloc(segmentHeadBytes);
  segmentMagic.copy(bytes, 0);
  bytes.writeUInt32LE(formatVersion, 12);
  bytes.writeDoubleLE(head.number, 16);
  bytes.writeDoubleLE(head.createdMs, 24);
  bytes.writeDoubleLE(head.firstSeq, 32);
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

/** Null when the bytes are no head of a segment; a number is the version of a format that is not ours. */
export function decodeSegmentHead(bytes: Buffer): SegmentHead | number | null {
  if (bytes.length < segmentHeadBytes || !bytes.subarray(0, 8).equals(segmentMagic)) return null;
  if (crc32(bytes.subarray(12, segmentHeadBytes)) !== bytes.readUInt32LE(8)) return null;
  const version = bytes.readUInt32LE(12);
  if (version < oldestVersion || version > formatVersion) return version;
  return {
    number: bytes.readDoubleLE(16),
    createdMs: bytes.readDoubleLE(24),
    firstSeq: bytes.readDoubleLE(32),
  };
}

const doubles = [
  "firstSeq",
  "lastSeq",
  "firstAtMs",
  "lastAtMs",
  "baseAtMs",
  "baseTimestampMs",
] as const satisfies readonly (keyof BlockHead)[];
const words = [
  "rows",
  "frames",
  "deltas",
  "changes",
  "bigSizes",
  "hashes",
  "texts",
  "gaps",
  "lostRows",
  "columnBytesRaw",
  "columnBytes",
  "textBytesRaw",
  "textBytes",
  "bodyCrc",
  "mirrors",
] as const satisfies readonly (keyof BlockHead)[];
const doublesAt = 16;
const wordsAt = doublesAt + 8 * doubles.length;

export function encodeBlockHead(head: BlockHead): Buffer {
  const bytes = Buffer.alloc(blockHeadBytes);
  blockMagic.copy(bytes, 0);
  bytes.writeUInt32LE(head.kind === "rows" ? 1 : 2, 8);
  for (const [i, name] of doubles.entries()) bytes.writeDoubleLE(head[name], doublesAt + 8 * i);
  for (const [i, name] of words.entries()) bytes.writeUInt32LE(head[name], wordsAt + 4 * i);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Null when the bytes are no whole head of a block. */
export function decodeBlockHead(bytes: Buffer): BlockHead | null {
  if (bytes.length < blockHeadBytes || !bytes.subarray(0, 4).equals(blockMagic)) return null;
  if (crc32(bytes.subarray(8, blockHeadBytes)) !== bytes.readUInt32LE(4)) return null;
  const kind = bytes.readUInt32LE(8);
  if (kind !== 1 && kind !== 2) return null;
  const values: Record<string, number> = {};
  for (const [i, name] of doubles.entries()) values[name] = bytes.readDoubleLE(doublesAt + 8 * i);
  for (const [i, name] of words.entries()) values[name] = bytes.readUInt32LE(wordsAt + 4 * i);
  const head = { kind: kind === 1 ? "rows" : "index", ...values } as BlockHead;
  const parts = [head.columnBytesRaw, head.columnBytes, head.textBytesRaw, head.textBytes];
  return parts.every((part) => part <= partBytesMax) ? head : null;
}

/** The last bytes of a closed segment: where its index block begins. */
export function encodeSegmentEnd(indexAt: number): Buffer {
  const bytes = Buffer.alloc(segmentEndBytes);
  endMagic.copy(bytes, 0);
  bytes.writeDoubleLE(indexAt, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

/** Where the index begins, or null when the segment was never closed. */
export function decodeSegmentEnd(bytes: Buffer): number | null {
  if (bytes.length < segmentEndBytes || !bytes.subarray(0, 8).equals(endMagic)) return null;
  if (crc32(bytes.subarray(12, segmentEndBytes)) !== bytes.readUInt32LE(8)) return null;
  return bytes.readDoubleLE(16);
}
