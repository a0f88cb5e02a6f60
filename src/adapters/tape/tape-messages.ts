import type { FolderLimits, TapeIdentity, WriterTotals } from "./folder-writer.ts";
import type { BlockMarket } from "./market-table.ts";

/** What the recording thread is started with. */
export type TapeWorkerData = {
  readonly folder: string;
  readonly identity: TapeIdentity;
  readonly limits: FolderLimits;
};

/** Rows in one buffer: `rowHeadBytes` of head each (length, kind, time), then the row's bytes. */
export type TapeRequest =
  | { readonly do: "rows"; readonly chunk: ArrayBuffer; readonly bytes: number }
  /** Markets that are followed from now on, for the manifest. */
  | { readonly do: "followed"; readonly markets: readonly BlockMarket[] }
  /** What was taken goes to the disk at once. */
  | { readonly do: "flush" }
  | { readonly do: "close" };

export type TapeAnswer =
  | { readonly kind: "opened" }
  | { readonly kind: "failed"; readonly message: string; readonly isTapeError: boolean }
  /** The rows of a chunk are taken; the chunk can be filled again. */
  | { readonly kind: "taken"; readonly chunk: ArrayBuffer; readonly totals: WriterTotals }
  | { readonly kind: "told"; readonly totals: WriterTotals }
  | { readonly kind: "closed"; readonly totals: WriterTotals };

export const rowHeadBytes = 16;
/** The kind of a row in a chunk. */
export const chunkRow = { frame: 0, note: 1, step: 2 } as const;
