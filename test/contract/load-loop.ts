// Child process of the crash tests: loads batches without end and prints each position once it is acknowledged.
import { openStoreAt } from "../../src/open-store.ts";
import type { StorePlace } from "../../src/store-place.ts";
import { crashBatch, crashCheckpoint } from "./crash-batch.ts";

const store = await openStoreAt(JSON.parse(process.argv[2] ?? "{}") as StorePlace);
const found = await store.db
  .selectFrom("checkpoints")
  .select("position")
  .where("name", "=", crashCheckpoint)
  .executeTakeFirst();
let position = found?.position ?? 0;
try {
  for (;;) {
    const batch = crashBatch(position);
    await store.load(batch);
    position = batch.checkpoint.to;
    // A batch that is followed may not be kept yet.
    if (batch.isFollowed !== true) process.stdout.write(`${position}\n`);
  }
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : "untyped";
  process.stdout.write(`failed ${code}\n`);
  await store.close();
}
