import type { CatalogBatch } from "./adapters/storage/write-catalog.ts";

/** What the keeper asks of its thread; one request is worked on at a time. */
export type CatalogRequest =
  | { readonly do: "write"; readonly batch: CatalogBatch }
  | { readonly do: "close-unseen"; readonly sinceMs: number; readonly atMs: number };

/** `contradictions`: tokens that were left out because their market has two others. */
export type CatalogReply =
  | { readonly ok: true; readonly contradictions: number }
  | { readonly ok: false; readonly detail: string };
