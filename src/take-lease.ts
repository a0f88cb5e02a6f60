import { homedir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { acquireLeases, leaseFiles } from "./adapters/sqlite/lease.ts";
import type { Lease } from "./engine/ports/lease.ts";
import { ServiceError } from "./service-error.ts";

/** One writer, one signer: a second service on this state folder or this key says who holds it. @throws ServiceError */
export function takeLease(config: Config, signer: string, purpose: string): Lease {
  const { service, relayer } = config;
  const files = leaseFiles({
    stateDir: service.stateDir,
    venueHost: new URL(relayer.baseUrl).host,
    signer,
    userStateDir: process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"),
  });
  const info = { pid: process.pid, sinceMs: Date.now(), purpose: `${purpose} ${service.name}` };
  const result = acquireLeases(files, info);
  if (result.ok) return result.lease;
  const { heldBy } = result;
  const who =
    heldBy === null
      ? "another process"
      : `process ${heldBy.pid} (${heldBy.purpose}) since ${new Date(heldBy.sinceMs).toISOString()}`;
  throw new ServiceError(
    "lease_held",
    `${who} trades with this key or state folder already (${result.place}): stop it first, two writers would double orders`,
  );
}
