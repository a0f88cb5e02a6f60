import type { DurableLog } from "../../engine/ports/durable-log.ts";
import { abandon, connectPostgres, type PostgresOptions, placeOf } from "./connection.ts";
import { readRows } from "./ledger-rows.ts";
import { logErrorOf } from "./postgres-error.ts";
import { ledgerSchema, schemaVersion } from "./schema.ts";

/**
 * The ledger of a database to be read beside its writer, without its lease and without changing anything; null when
 * there is none yet. Rejects with LogError when the database is out of reach.
 */
export async function openPostgresReader(
  options: PostgresOptions,
): Promise<(Pick<DurableLog, "read"> & { close(): Promise<void> }) | null> {
  const doing = `ledger in ${placeOf(options.url)}`;
  const client = await connectPostgres(options);
  try {
    if ((await schemaVersion(client, ledgerSchema)) === 0) {
      await client.end();
      return null;
    }
  } catch (error) {
    abandon(client);
    throw logErrorOf(error, doing);
  }
  return {
    read: async (fromSeq, limit) => {
      try {
        return await readRows(client, fromSeq, limit);
      } catch (error) {
        throw logErrorOf(error, doing);
      }
    },
    close: () => client.end(),
  };
}
