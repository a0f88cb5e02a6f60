import type { Config } from "../config/config.ts";
import { configHash } from "../config/config-hash.ts";
import { TapeError } from "./adapters/tape/tape-error.ts";
import { openTapeRecorder, type TapeRecorder } from "./adapters/tape/tape-recorder.ts";
import { codeVersion } from "./code-version.ts";
import type { MarketEvent } from "./engine/domain/market-event.ts";
import type { FeedEvent } from "./engine/ports/market-data.ts";
import type { Clock, Log } from "./engine/ports/system.ts";
import type { DeskDeps } from "./engine/runtime/desk-deps.ts";
import { StepJournal } from "./engine/runtime/step-journal.ts";
import { ServiceError } from "./service-error.ts";

/** The tape of a running service. */
export type ServiceTape = {
  /** What the feed tells it; never waits. Before `open` and without a folder nothing is kept. */
  readonly recording: {
    readonly onFrame: (bytes: Uint8Array) => void;
    readonly onEvents: (events: readonly MarketEvent[]) => void;
    readonly onLink: (event: FeedEvent) => void;
  };
  /** For the desk: keeps its inputs on the same tape. Nothing without a folder. */
  readonly deskParts: Pick<DeskDeps, "journal">;
  /** Begins to record where `storage.tape_dir` names a folder. @throws ServiceError when it cannot be used */
  readonly open: (log: Log) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A tape that fails while the service runs is told and trading goes on: market data is not money. */
export function createServiceTape(
  config: Config,
  clock: Clock,
  liveHashEvery?: number,
): ServiceTape {
  let recorder: TapeRecorder | null = null;
  let close = () => Promise.resolve();
  const journal =
    config.storage.tapeDir === null
      ? null
      : new StepJournal(
          {
            step: (atMs, text) => recorder?.step(atMs, text),
            missed: (atMs) => recorder?.missed(atMs),
          },
          liveHashEvery,
        );
  return {
    deskParts: journal === null ? {} : { journal },
    recording: {
      onFrame: (bytes) => recorder?.frame(clock.nowMs(), bytes),
      onEvents: (events) => journal?.framed(events),
      onLink: (event) => {
        if (event.kind === "link.up") recorder?.link(clock.nowMs(), "up");
        else recorder?.link(clock.nowMs(), "lost", event.conditionIds);
      },
    },
    open: async (log) => {
      const folder = config.storage.tapeDir;
      if (folder === null) return;
      const opened = await openedTape(config, folder, log);
      recorder = opened;
      close = async () => {
        const { frames, bytes, gaps, lostRows } = await opened.close().catch(() => opened.totals);
        log.info("tape.closed", { frames, bytes, gaps, lostRows });
      };
      log.info("tape.recording", { folder });
    },
    close: () => close(),
  };
}

async function openedTape(config: Config, folder: string, log: Log): Promise<TapeRecorder> {
  const opening = openTapeRecorder({
    folder,
    identity: { codeVersion: codeVersion(), configHash: configHash(config) },
    onGap: (state) => log.warn("tape.gap", { state }),
    onFailed: (error) => log.error("tape.failed", { detail: error.message }),
  });
  return opening.catch((error: unknown) => {
    if (!(error instanceof TapeError)) throw error;
    throw new ServiceError("tape", `the tape cannot be recorded: ${error.message}`);
  });
}
