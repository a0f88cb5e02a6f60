import type { AccessReport } from "./adapters/polymarket/access.ts";
import type { DegradedSource } from "./engine/domain/reasons.ts";
import type { Log } from "./engine/ports/system.ts";

/** How soon a check that gave no answer is repeated. */
const unknownRetryMs = 1_000;

export type AccessWatchDeps = {
  readonly readAccess: () => Promise<AccessReport>;
  /** Asks for no new risk while a detail stands, and withdraws it with null. */
  readonly degrade: (source: DegradedSource, detail: string | null) => Promise<void>;
  readonly intervalMs: number;
  readonly logger: Log;
  /** Told of every check in which both answers were "open". */
  readonly onOpen: () => void;
};

/**
 * Asks again and again whether this place and this account may trade. A restriction stops new buys; an answer that cannot
 * be read changes nothing: the last one that could holds. Returns what ends the watch.
 */
export function watchAccess(deps: AccessWatchDeps): () => void {
  const { intervalMs } = deps;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const again = (afterMs: number) => {
    if (!stopped) timer = setTimeout(() => void check(), afterMs);
  };
  const check = async (): Promise<void> => {
    let isKnown = false;
    try {
      const report = await deps.readAccess();
      if (!stopped) isKnown = await follow(deps, report);
    } catch (error) {
      const detail = error instanceof Error ? error.message : "unknown failure";
      deps.logger.error("access.check-failed", { detail });
    }
    again(isKnown ? intervalMs : Math.min(intervalMs, unknownRetryMs));
  };
  void check();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
  };
}

/** True when both answers could be read. */
async function follow(deps: AccessWatchDeps, { place, account }: AccessReport): Promise<boolean> {
  const { degrade, logger } = deps;
  if (place.state === "blocked") await degrade("geoblock", place.country);
  else if (place.state === "open") await degrade("geoblock", null);
  if (account.state === "open") await degrade("account", null);
  else if (account.state !== "unknown") await degrade("account", account.state);
  if (place.state === "unknown" || account.state === "unknown") {
    logger.warn("access.unknown", { place: place.state, account: account.state });
    return false;
  }
  if (place.state === "open" && account.state === "open") deps.onOpen();
  return true;
}
