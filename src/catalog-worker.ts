// The thread that writes the catalog into the store: neither SQLite nor a slow database is waited for where orders are made.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { Store } from "./adapters/storage/store.ts";
import { closeUnseen, writeCatalog } from "./adapters/storage/write-catalog.ts";
import type { CatalogReply, CatalogRequest } from "./catalog-messages.ts";
import { assert } from "./engine/lib/assert.ts";
import { openStoreAt } from "./open-store.ts";
import type { StorePlace } from "./store-place.ts";

function serve(port: MessagePort, place: StorePlace): void {
  let store: Store | null = null;
  const work = async (request: CatalogRequest): Promise<number> => {
    store ??= await openStoreAt(place);
    if (request.do === "write") return writeCatalog(store, request.batch);
    await closeUnseen(store, request.sinceMs, request.atMs);
    return 0;
  };
  port.on("message", (request: CatalogRequest) => {
    const answer = (reply: CatalogReply) => port.postMessage(reply);
    work(request).then(
      (contradictions) => answer({ ok: true, contradictions }),
      (error: unknown) => {
        answer({ ok: false, detail: error instanceof Error ? error.message : String(error) });
      },
    );
  });
}

assert(parentPort !== null, "the catalog's worker runs in a thread");
serve(parentPort, workerData as StorePlace);
