import { appendFileSync, closeSync, fsyncSync, openSync } from "node:fs";
import { join } from "node:path";
import { type Config, isLive } from "../../../config/config.ts";
import { killFileIn } from "../../adapters/system/kill-file.ts";
import type { PreparedOrder } from "../../engine/domain/order.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import type { Lease } from "../../engine/ports/lease.ts";
import { foldLedger } from "../../engine/runtime/ledger-writer.ts";
import { createState, type EngineState } from "../../engine/state/engine-state.ts";
import { openLedgerToRead } from "../../open-ledger.ts";
import { type OpenedVenue, openVenue, withoutLog } from "../../open-venue.ts";
import { requirePreflight } from "../../preflight-stamp.ts";
import { ServiceError } from "../../service-error.ts";
import { takeLease } from "../../take-lease.ts";

const journalName = "check-orders.jsonl";
const ownerOnly = 0o600;

/** The venue of a command that may post one order of its own, with the one-writer lease of the service. */
export type CheckDesk = OpenedVenue & {
  readonly config: Config;
  /**
   * The gate of the one order of this command, asked as the service's gate is: synchronously, before its first byte. It
   * opens once, before its deadline, while the lease is held and no kill lies there.
   */
  readonly gate: (deadlineMs: number) => () => Denial | null;
  /** Keeps hash and body on the disk before the order is sent. */
  readonly journal: (order: PreparedOrder, atMs: number) => void;
  readonly end: () => Promise<void>;
};

/** Opens it, or says why nothing of the kind may run now: a service holds the lease, the desk is killed or halted. @throws ConfigError, ServiceError */
export async function openCheckDesk(
  config: Config,
  purpose: string,
  options: { readonly readOnly: boolean },
): Promise<CheckDesk> {
  const venue = await openVenue(withoutLog(config), options);
  let lease: Lease | null = null;
  try {
    const { signer } = venue.polymarket.venue.account;
    lease = takeLease(config, signer, purpose);
    if (!options.readOnly) {
      if (isLive(config)) requirePreflight(config, signer, Date.now());
      await refuseStopped(config);
    }
  } catch (error) {
    lease?.release();
    await venue.close();
    throw error;
  }
  const held = lease;
  const killFile = killFileIn(config.service.stateDir);
  let opened = false;
  return {
    ...venue,
    config,
    gate: (deadlineMs) => () => {
      if (!held.isHeld()) return { code: "paused", subject: "lease_lost" };
      if (killFile.note() !== null) return { code: "killed" };
      if (Date.now() >= deadlineMs) return { code: "command_expired" };
      if (opened) return { code: "card_used" };
      opened = true;
      return null;
    },
    journal: (order, atMs) => keep(config.service.stateDir, { atMs, purpose, ...order }),
    end: async () => {
      await venue.close();
      held.release();
    },
  };
}

/** The desk's state as a start would find it; null when no ledger is there yet. @throws LogError */
export async function foldedState(config: Config): Promise<EngineState | null> {
  const log = await openLedgerToRead(config);
  if (log === null) return null;
  try {
    const state = createState();
    await foldLedger(log, state);
    return state;
  } finally {
    await log.close();
  }
}

/** A kill is for every order of this key, also for one of a check. */
async function refuseStopped(config: Config): Promise<void> {
  const { stateDir } = config.service;
  const state = await foldedState(config);
  const isKilled = state?.killed != null || killFileIn(stateDir).note() !== null;
  if (isKilled) {
    throw new ServiceError(
      "killed",
      "the desk is KILLED: no order leaves. Start the service and type /resume",
    );
  }
  const halt = state?.halt ?? null;
  if (halt !== null && halt.reason !== "live_start") {
    throw new ServiceError(
      "halted",
      `the desk is halted (${halt.reason}): no order leaves. Start the service; /status shows why`,
    );
  }
}

function keep(stateDir: string, line: unknown): void {
  const handle = openSync(join(stateDir, journalName), "a", ownerOnly);
  try {
    appendFileSync(handle, `${JSON.stringify(line)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
