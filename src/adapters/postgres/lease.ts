import type { LeaseInfo, LeaseResult } from "../../engine/ports/lease.ts";
import { type PostgresOptions, placeOf } from "./connection.ts";
import { openSession } from "./session.ts";

/**
 * Takes the lease of a name in a database, or says who has it; never waits for it. It is held by a connection of its
 * own and is lost with it. Rejects with LogError when the database cannot be used.
 */
export async function acquirePostgresLease(
  options: PostgresOptions,
  name: string,
  info: LeaseInfo,
): Promise<LeaseResult> {
  let held = true;
  const result = await openSession(options, name, info, () => {
    held = false;
  });
  const place = placeOf(options.url);
  if (!result.ok) return { ok: false, place, heldBy: result.heldBy };
  const { client } = result.session;
  return {
    ok: true,
    lease: {
      place,
      isHeld: () => held,
      release: () => {
        if (!held) return;
        held = false;
        client.end().catch(() => undefined);
      },
    },
  };
}
