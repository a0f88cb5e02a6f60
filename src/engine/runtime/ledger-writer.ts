import { AssertionError } from "../lib/assert.ts";
import type { DurableLog, LogRecord } from "../ports/durable-log.ts";
import type { Clock, Log } from "../ports/system.ts";
import { applyFact } from "../state/apply-fact.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Fact } from "../state/fact.ts";

/** The ledger could not keep a fact in time; nothing that depends on it may happen. */
export class LedgerError extends Error {
  override readonly name = "LedgerError";
}

const foldPage = 1_000;

/** Rebuilds the state from the ledger without deciding again. Returns the next sequence number. */
export async function foldLedger(
  log: Pick<DurableLog, "read">,
  state: EngineState,
): Promise<number> {
  let next = 1;
  for (;;) {
    const page = await log.read(next, foldPage);
    for (const record of page) {
      if (record.seq !== next) throw new LedgerError(`ledger row ${next} is missing`);
      applyFact(state, JSON.parse(record.body) as Fact, record.atMs);
      next++;
    }
    if (page.length < foldPage) return next;
  }
}

/** Encodes the facts of steps and hands them to the log in order; watches that commits come in time. */
export class LedgerWriter {
  readonly #log: DurableLog;
  readonly #clock: Clock;
  readonly #logger: Log;
  readonly #commitMaxMs: number;
  readonly #onFailure: (detail: string) => void;
  readonly #onLate: (detail: string) => void;
  #nextSeq: number;
  #stepId = 0;
  #durableSeq: number;
  #failed = false;

  constructor(options: {
    readonly log: DurableLog;
    readonly clock: Clock;
    readonly logger: Log;
    readonly nextSeq: number;
    readonly commitMaxMs: number;
    /** Called at once when a commit failed: the gate must close before anything else, for good. */
    readonly onFailure: (detail: string) => void;
    /** Called at once when a commit is late: the gate must close until a person opens it. */
    readonly onLate: (detail: string) => void;
  }) {
    this.#log = options.log;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#commitMaxMs = options.commitMaxMs;
    this.#onFailure = options.onFailure;
    this.#onLate = options.onLate;
    this.#nextSeq = options.nextSeq;
    this.#durableSeq = options.nextSeq - 1;
  }

  /** Facts up to this number are on the disk. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  /** The number that the next fact gets. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Resolves when the facts are durable; rejects with LedgerError when they are not. */
  async append(facts: readonly Fact[], atMs: number, correlationId: string): Promise<void> {
    if (this.#failed) throw new LedgerError("the ledger failed earlier");
    this.#stepId++;
    const records = facts.map((fact): LogRecord => {
      const seq = this.#nextSeq++;
      const body = JSON.stringify(fact);
      return { seq, atMs, kind: fact.kind, stepId: this.#stepId, correlationId, body };
    });
    const last = records.at(-1);
    if (last === undefined) throw new AssertionError("Invariant: an append holds facts");
    const cancelAlarm = this.#clock.after(this.#commitMaxMs, () => {
      const detail = `a commit took longer than ${this.#commitMaxMs} ms`;
      this.#logger.error("ledger.late", { detail });
      this.#onLate(detail);
    });
    try {
      await this.#log.append(records);
      this.#durableSeq = Math.max(this.#durableSeq, last.seq);
    } catch (error) {
      const detail = error instanceof Error ? error.message : "unknown failure";
      this.#fail(detail);
      throw new LedgerError(detail, { cause: error });
    } finally {
      cancelAlarm();
    }
  }

  #fail(detail: string): void {
    this.#onFailure(detail);
    if (this.#failed) return;
    this.#failed = true;
    this.#logger.error("ledger.failed", { detail });
  }
}
