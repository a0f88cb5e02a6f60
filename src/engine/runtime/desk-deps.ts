import type { CatalogPort, CatalogSink } from "../ports/catalog.ts";
import type { ContractPort } from "../ports/contracts.ts";
import type { DurableLog } from "../ports/durable-log.ts";
import type { Hasher } from "../ports/hasher.ts";
import type { HeartbeatPort } from "../ports/heartbeat.ts";
import type { MarketDataPort } from "../ports/market-data.ts";
import type { Clock, Entropy, FaultPoints, Log, Meter } from "../ports/system.ts";
import type { VenuePort } from "../ports/venue.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { CatalogSettings } from "./catalog-reader.ts";
import type { StepJournal } from "./step-journal.ts";

export type DeskDeps = {
  readonly settings: EngineSettings;
  readonly log: DurableLog;
  readonly venue: VenuePort;
  readonly marketData: MarketDataPort;
  /** Absent when nothing on this desk reaches the position contracts. */
  readonly contracts?: ContractPort;
  readonly catalog: CatalogPort;
  readonly catalogSettings: CatalogSettings;
  /** Keeps what the catalog brings; absent where nobody does. */
  readonly catalogSink?: CatalogSink;
  readonly hasher: Hasher;
  readonly clock: Clock;
  /** Null: the venue's dead-man switch is not used. */
  readonly heartbeat?: HeartbeatPort | null;
  readonly entropy: Entropy;
  readonly faultPoints: FaultPoints;
  readonly logger: Log;
  /** Keeps what every step is given, so that it can be decided again; nothing is kept when absent. */
  readonly journal?: StepJournal;
  /** Nothing is measured beside the status when absent. */
  readonly meter?: Meter;
  /** False once the one-writer lease is lost. */
  readonly leaseHeld: () => boolean;
  /** Keeps a kill that the ledger did not take somewhere else; true when the next start will find it. */
  readonly keepKill?: (note: string) => boolean;
  readonly tickMs: number;
  readonly snapshotWaitMs: number;
  readonly bookRefreshAgeMs: number;
  readonly ledgerCommitMaxMs: number;
  /** Longest time between two comparisons of a live book with a REST read. */
  readonly canaryMs: number;
  /** Within this time every live book is compared once. */
  readonly canaryRoundMs: number;
  /** A main loop that did not run for longer was stalled. */
  readonly stallMs: number;
  /** How often the venue's time is read. */
  readonly clockCheckMs: number;
  /** Most books that are kept at once, and how many of them may have a second connection. */
  readonly maxBooks?: number;
  readonly doubledBooks?: number;
};
