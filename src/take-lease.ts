import { homedir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { acquireLeases, leaseFiles } from "./adapters/sqlite/lease.ts";
import type { Lease, LeaseInfo, LeaseResult } from "./engine/ports/lease.ts";
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
  const result = acquireLeases(files, leaseInfo(config, purpose));
  if (result.ok) return result.lease;
  throw leaseRefusal(result);
}

/** The note that a holder leaves. */
export function leaseInfo({ service }: Config, purpose: string): LeaseInfo {
  return { pid: process.pid, sinceMs: Date.now(), purpose: `${purpose} ${service.name}` };
}

/** Why a second writer does not start. */
export function leaseRefusal({
  place,
  heldBy,
}: LeaseResult & { readonly ok: false }): ServiceError {
  const who =
    heldBy === null
      ? "another process"
      : `process ${heldBy.pid} (${heldBy.purpose}) since ${new Date(heldBy.sinceMs).toISOString()}`;
  return new ServiceError(
    "lease_held",
    `${who} trades with this key or state folder already (${place}): stop it first, two writers would double orders`,
  );
}
