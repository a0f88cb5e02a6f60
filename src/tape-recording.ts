import type { Config } from "../config/config.ts";
import { configHash } from "../config/config-hash.ts";
import { createHasher } from "./adapters/polymarket/hasher.ts";
import { TapeError } from "./adapters/tape/tape-error.ts";
import {
  openTapeRecorder,
  type TapeRecorder,
  type TapeRecorderOptions,
} from "./adapters/tape/tape-recorder.ts";
import { BookKeeping } from "./book-keeping.ts";
import { codeVersion } from "./code-version.ts";
import type { MarketEvent } from "./engine/domain/market-event.ts";
import type { FeedEvent, WatchedMarket } from "./engine/ports/market-data.ts";
import type { Clock, Log } from "./engine/ports/system.ts";
import type { DeskDeps } from "./engine/runtime/desk-deps.ts";
import { StepJournal } from "./engine/runtime/step-journal.ts";
import { ServiceError } from "./service-error.ts";

/** How the tape of a service fares in this run. */
export type TapeFigures = {
  /** On the disk: rows, frames among them, bytes, segments. */
  readonly rows: number;
  readonly frames: number;
  readonly bytes: number;
  readonly segments: number;
  /** Places where rows were lost, and how many were. */
  readonly gaps: number;
  readonly lostRows: number;
  /** Rows of the engine's inputs. */
  readonly journalRows: number;
  /** Own books that were written after gaps. */
  readonly booksKept: number;
  /** Bytes that wait for the disk. */
  readonly waitingBytes: number;
  /** When the disk took something last; null before the first time. */
  readonly writtenAtMs: number | null;
  /** True while rows are lost. */
  readonly isLosing: boolean;
  /** What the disk says, or why nothing is recorded any more; null while all is well. */
  readonly failing: string | null;
};

/** The tape of a running service. */
export type ServiceTape = {
  /** What the feed tells it; never waits. Before `open` and without a folder nothing is kept. */
  readonly recording: {
    readonly onFrame: (bytes: Uint8Array) => void;
    readonly onEvents: (events: readonly MarketEvent[]) => void;
    readonly onLink: (event: FeedEvent) => void;
    readonly onWatch: (markets: readonly WatchedMarket[]) => void;
  };
  /** For the desk: keeps its inputs on the same tape. Nothing without a folder. */
  readonly deskParts: Pick<DeskDeps, "journal">;
  /** Null while nothing is recorded. */
  readonly figures: () => TapeFigures | null;
  /** Begins to record where `storage.tape_dir` names a folder. @throws ServiceError when it cannot be used */
  readonly open: (log: Log) => Promise<void>;
  readonly close: () => Promise<void>;
};

export type ServiceTapeOptions = {
  /** Bytes that may wait for the disk. */
  readonly queueBytes?: number;
  /** Steps from one digest of the live state to the next. */
  readonly liveHashEvery?: number;
};

/** A tape that fails while the service runs is told and trading goes on: market data is not money. */
export function createServiceTape(
  config: Config,
  clock: Clock,
  options: ServiceTapeOptions = {},
): ServiceTape {
  const { tapeDir: folder } = config.storage;
  let recorder: TapeRecorder | null = null;
  let told: Log | null = null;
  const sink = {
    step: (atMs: number, text: string) => recorder?.step(atMs, text),
    missed: (atMs: number) => recorder?.missed(atMs),
    flush: () => recorder?.flush(),
  };
  const journal = new StepJournal(sink, options.liveHashEvery);
  const keeping = new BookKeeping({
    books: () => journal.books(),
    hasher: createHasher(),
    clock,
    waitingBytes: () => recorder?.waitingBytes ?? 0,
    keep: (atMs, message) => recorder?.book(atMs, message),
  });
  return {
    deskParts: folder === null ? {} : { journal },
    recording: {
      onFrame: (bytes) => recorder?.frame(clock.nowMs(), bytes),
      onEvents: (events) => journal.framed(events),
      onLink: (event) => {
        if (event.kind === "link.up") recorder?.link(clock.nowMs(), "up");
        else recorder?.link(clock.nowMs(), "lost", event.conditionIds);
      },
      onWatch: (markets) => recorder?.followed(markets),
    },
    figures: () => recorder && figuresOf(recorder, journal.rows, keeping.kept),
    open: async (log) => {
      if (folder === null) return;
      const { queueBytes } = options;
      recorder = await openedTape(config, folder, {
        ...(queueBytes !== undefined && { queueBytes }),
        onGap: (state) => {
          log.warn("tape.gap", { state });
          if (state === "ended") keeping.start();
        },
        onFailed: (error) => log.error("tape.failed", { detail: error.message }),
      });
      log.info("tape.recording", { folder });
      told = log;
    },
    close: async () => {
      const closing = recorder;
      if (closing === null) return;
      const { frames, bytes, gaps, lostRows } = await closing.close().catch(() => closing.totals);
      told?.info("tape.closed", { frames, bytes, gaps, lostRows });
    },
  };
}

function figuresOf(recorder: TapeRecorder, journalRows: number, booksKept: number): TapeFigures {
  const { refused, ...written } = recorder.totals;
  const { waitingBytes, isLosing } = recorder;
  const failing = recorder.failure ?? refused;
  return { ...written, journalRows, booksKept, waitingBytes, isLosing, failing };
}

async function openedTape(
  config: Config,
  folder: string,
  parts: Pick<TapeRecorderOptions, "queueBytes" | "onGap" | "onFailed">,
): Promise<TapeRecorder> {
  const identity = { codeVersion: codeVersion(), configHash: configHash(config) };
  return openTapeRecorder({ folder, identity, ...parts }).catch((error: unknown) => {
    if (!(error instanceof TapeError)) throw error;
    throw new ServiceError("tape", `the tape cannot be recorded: ${error.message}`);
  });
}
