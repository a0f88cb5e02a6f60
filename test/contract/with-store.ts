import type { Store } from "../../src/adapters/storage/store.ts";

/** Gives work a store of its own and closes it. `open` gives one in a fresh place. */
export function withStoreOf(
  open: () => Promise<Store>,
): (work: (store: Store) => Promise<void>) => Promise<void> {
  return async (work) => {
    const store = await open();
    try {
      await work(store);
    } finally {
      await store.close();
    }
  };
}
