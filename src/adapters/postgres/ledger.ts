// The ledger in PostgreSQL: the same rows, checksums and rules as in the SQLite file.
import { setTimeout as sleep } from "node:timers/promises";
import type { DurableLog, LogRecord } from "../../engine/ports/durable-log.ts";
import { GroupCommitLog, type LogStore } from "../../engine/ports/group-commit.ts";
import type { Lease, LeaseInfo } from "../../engine/ports/lease.ts";
import { LogError } from "../../engine/ports/log-error.ts";
import { abandon, type PostgresOptions, placeOf } from "./connection.ts";
import {
  type EncodedRows,
  encodeRows,
  insertRows,
  type LedgerTip,
  readRows,
  readTip,
} from "./ledger-rows.ts";
import { isConnectionLost, logErrorOf } from "./postgres-error.ts";
import { ledgerSchema, migrate } from "./schema.ts";
import { type LeasedSession, openSession, reopenSession } from "./session.ts";
import { requireSeen, Witness } from "./witness.ts";

const leaseName = "ledger";
const reconnectWaitsMs = [0, 50, 100, 250, 500, 1_000] as const;

export type PostgresLedgerOptions = PostgresOptions & {
  /** Milliseconds to find a lost connection's outcome; afterwards the ledger has failed for good. */
  readonly reconnectMaxMs: number;
  /** Where the newest acknowledged row is noted, on this machine. */
  readonly witnessFile: string;
  readonly info: LeaseInfo;
  /** Called once for each commit that has not ended after two seconds, while it still hangs. */
  readonly onSlow?: (waitedMs: number) => void;
  /** Told of every loss of the connection, and when it is back. */
  readonly onLink?: (state: "lost" | "back") => void;
};

export type PostgresLedgerResult =
  | { readonly ok: true; readonly log: DurableLog; readonly lease: Lease }
  | { readonly ok: false; readonly place: string; readonly heldBy: LeaseInfo | null };

/**
 * Opens the ledger of a database and takes its lease, both on one connection, so that rows can be written only while
 * the lease is held. Rejects with LogError when the database is out of reach, a replica, not durable, of a newer
 * version, or without rows that were acknowledged to this machine before.
 */
export async function openPostgresLedger(
  options: PostgresLedgerOptions,
): Promise<PostgresLedgerResult> {
  const place = placeOf(options.url);
  let lost: () => void = () => undefined;
  const opened = await openSession(options, leaseName, options.info, () => lost());
  if (!opened.ok) return { ok: false, place, heldBy: opened.heldBy };
  const { session } = opened;
  let witness: Witness | null = null;
  try {
    await migrate(session.client, ledgerSchema, place);
    witness = new Witness(options.witnessFile);
    const tip = await readTip(session.client);
    const seen = witness.read();
    if (seen !== null && seen.seq > 0) {
      const { rows } = await session.client.query<{ chain: number }>(
        "SELECT chain FROM ledger WHERE seq = $1",
        [seen.seq],
      );
      const chainAtSeen = rows[0]?.chain ?? null;
      requireSeen(seen, { tip, chainAtSeen }, place, options.witnessFile);
    }
    const store = new PostgresStore(options, session, tip, witness);
    lost = () => store.lost();
    const { onSlow } = options;
    const log = new GroupCommitLog(store, { lastSeq: tip.seq, after, onSlow });
    store.onBroken((error) => log.fail(error));
    const isHeld = () => store.isHeld;
    return { ok: true, log, lease: { place, isHeld, release: () => store.release() } };
  } catch (error) {
    witness?.close();
    abandon(session.client);
    throw logErrorOf(error, `ledger in ${place}`);
  }
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** The rows of a database, written by the session that holds the lease. */
class PostgresStore implements LogStore {
  readonly #options: PostgresLedgerOptions;
  readonly #witness: Witness;
  readonly #place: string;
  #session: LeasedSession;
  #isConnected = true;
  #isClosed = false;
  #tip: LedgerTip;
  /** The search for a new connection that is under way. */
  #recovering: Promise<void> | null = null;
  #isCommitting = false;
  #isRecovering = false;
  /** The failure after which nothing is written any more. */
  #broken: LogError | null = null;
  #tellBroken: (error: LogError) => void = () => undefined;

  constructor(
    options: PostgresLedgerOptions,
    session: LeasedSession,
    tip: LedgerTip,
    witness: Witness,
  ) {
    this.#options = options;
    this.#session = session;
    this.#tip = tip;
    this.#witness = witness;
    this.#place = placeOf(options.url);
  }

  get isHeld(): boolean {
    return this.#isConnected && !this.#isClosed && this.#broken === null;
  }

  onBroken(tell: (error: LogError) => void): void {
    this.#tellBroken = tell;
  }

  /** The connection is gone. Between commits it is sought at once; during one, the commit itself finds its outcome. */
  lost(): void {
    if (!this.#isConnected || this.#isClosed) return;
    this.#isConnected = false;
    this.#options.onLink?.("lost");
    if (this.#isCommitting || this.#isRecovering) return;
    this.#recovering = this.#recover(null).then(
      () => undefined,
      (error: unknown) => this.#fail(logErrorOf(error, `ledger in ${this.#place}`)),
    );
  }

  async commit(rows: readonly LogRecord[]): Promise<void> {
    this.#isCommitting = true;
    try {
      await this.#recovering;
      if (this.#broken !== null) throw this.#broken;
      const encoded = encodeRows(rows, this.#tip);
      await this.#write(encoded);
      this.#tip = encoded.tip;
      this.#witness.note(encoded.tip);
    } catch (error) {
      this.#broken ??= logErrorOf(error, `ledger in ${this.#place}`);
      throw this.#broken;
    } finally {
      this.#isCommitting = false;
    }
  }

  async read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    await this.#recovering;
    try {
      return await readRows(this.#session.client, fromSeq, limit);
    } catch (error) {
      throw logErrorOf(error, `ledger in ${this.#place}`);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#recovering;
    // Waited for, so that the lease is free afterwards; a server that does not answer is left alone.
    const ended = this.#session.client.end().catch(() => undefined);
    const late = sleep(this.#options.connectTimeoutMs, undefined, { ref: false });
    if (this.#isConnected) await Promise.race([ended, late]);
    abandon(this.#session.client);
    this.#witness.close();
  }

  release(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.client.end().catch(() => undefined);
  }

  async #write(encoded: EncodedRows): Promise<void> {
    let isWritten = false;
    while (!isWritten) {
      try {
        if (!this.#isConnected) throw new Error("the connection is gone");
        isWritten = await this.#insert(encoded);
        if (!isWritten) await this.#refuseOthers();
      } catch (error) {
        if (!isConnectionLost(error)) throw error;
        isWritten = await this.#recover(encoded);
      }
    }
  }

  #fail(error: LogError): void {
    if (this.#isClosed) return;
    this.#broken = error;
    this.#tellBroken(error);
  }

  #insert(encoded: EncodedRows): Promise<boolean> {
    const { client, epoch } = this.#session;
    return insertRows(client, encoded, this.#tip, { name: leaseName, epoch });
  }

  /** The database answered, and it is not as we left it. */
  async #refuseOthers(): Promise<never> {
    this.#judge(await readTip(this.#session.client), null);
    throw new LogError(
      "ledger_second_writer",
      `the lease of database ${this.#place} was taken by somebody else`,
    );
  }

  /**
   * Connects again within the bound, and then says whether the rows under way were kept. The lost session is over by
   * then, so what is found stands. @throws LogError
   */
  async #recover(underWay: EncodedRows | null): Promise<boolean> {
    // A statement that timed out leaves a connection that must not be used again.
    this.#isConnected = false;
    this.#isRecovering = true;
    abandon(this.#session.client);
    try {
      return await this.#seek(underWay);
    } finally {
      this.#isRecovering = false;
    }
  }

  async #seek(underWay: EncodedRows | null): Promise<boolean> {
    const untilMs = performance.now() + this.#options.reconnectMaxMs;
    for (let attempt = 0; ; attempt++) {
      await sleep(reconnectWaitsMs[Math.min(attempt, reconnectWaitsMs.length - 1)]);
      try {
        await this.#reopen(untilMs);
        const isKept = this.#judge(await readTip(this.#session.client), underWay);
        if (this.#isConnected) return isKept;
      } catch (error) {
        const failure = logErrorOf(error, "reconnect");
        const isFinal = failure.code !== "ledger_unreachable";
        if (isFinal || this.#isClosed || performance.now() > untilMs) throw this.#named(failure);
      }
    }
  }

  async #reopen(untilMs: number): Promise<void> {
    let isNew = true;
    const session = await reopenSession(
      this.#options,
      leaseName,
      this.#session,
      () => {
        // Lost before it was ours: the attempt fails by itself.
        if (isNew) return;
        this.lost();
      },
      untilMs,
    );
    isNew = false;
    this.#session = session;
    this.#isConnected = true;
    this.#options.onLink?.("back");
  }

  /** Whether the newest row is the last of those under way (true) or the one before them (false). @throws LogError */
  #judge(found: LedgerTip, underWay: EncodedRows | null): boolean {
    if (underWay !== null && same(found, underWay.tip)) return true;
    if (same(found, this.#tip)) return false;
    if (found.seq < this.#tip.seq) {
      throw new LogError(
        "ledger_rows_lost",
        `database ${this.#place} ends at row ${found.seq}, but row ${this.#tip.seq} was acknowledged: it is a server without the last commits`,
      );
    }
    throw new LogError(
      "ledger_second_writer",
      `database ${this.#place} has row ${found.seq} from somebody else; the newest from here is ${this.#tip.seq}`,
    );
  }

  #named(failure: LogError): LogError {
    if (failure.code !== "ledger_unreachable") return failure;
    return new LogError(
      "ledger_unreachable",
      `database ${this.#place} was not reached again within ${this.#options.reconnectMaxMs} ms; whether the last rows were kept is not known: ${failure.message}`,
      failure,
    );
  }
}

function same(a: LedgerTip, b: LedgerTip): boolean {
  return a.seq === b.seq && a.chain === b.chain;
}
