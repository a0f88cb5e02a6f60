import type { DurableLog, LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import type { Lifeline } from "./lifeline.ts";
import type { Scheduler } from "./scheduler.ts";

/** The disk refused a batch. */
export class DiskError extends Error {
  override readonly name = "DiskError";
}

const parsed = new WeakMap<LogRecord, Fact>();

/** The fact of a row, read once; facts are never changed. */
export function factOf(record: LogRecord): Fact {
  const known = parsed.get(record);
  if (known !== undefined) return known;
  const fact = JSON.parse(record.body) as Fact;
  parsed.set(record, fact);
  return fact;
}

/** The disk: what survives a crash. */
export class Disk {
  readonly records: LogRecord[] = [];
  /** Order hash -> body of every order whose approval is durable. */
  readonly bodies = new Map<string, string>();
  /** Bytes of every contract call whose approval is durable. */
  readonly calls = new Set<string>();
  /** Card nonces with a durable plan. */
  readonly plansByNonce = new Map<string, string>();
  /** Commands that were kept, and how often each was answered. */
  readonly received = new Set<string>();
  readonly answered = new Map<string, number>();
  killed = false;

  keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.#index(factOf(record));
    }
  }

  /** The sequence number is the table's key: a row that another process wrote already cannot be written again. */
  accepts(records: readonly LogRecord[]): boolean {
    return records[0]?.seq === this.records.length + 1;
  }

  #index(fact: Fact): void {
    if (fact.kind === "trading.killed") this.killed = true;
    if (fact.kind === "trading.resumed") this.killed = false;
    if (fact.kind === "command.received") this.received.add(fact.command.commandId);
    if (fact.kind === "command.answered") {
      this.answered.set(fact.commandId, (this.answered.get(fact.commandId) ?? 0) + 1);
    }
    if (fact.kind === "position.action.approved") this.calls.add(fact.action.prepared.body);
    if (fact.kind !== "plan.approved") return;
    this.plansByNonce.set(fact.plan.nonce, fact.plan.planId);
    for (const order of fact.orders) this.bodies.set(order.orderHash, order.body);
  }
}

type Pending = { readonly records: readonly LogRecord[]; readonly reject: (error: Error) => void };

export type SimLogParts = {
  readonly disk: Disk;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly chance: Chance;
  readonly life: Lifeline;
  /** Power goes while a batch is under way. */
  readonly onPowerLoss: () => void;
  readonly onAppend: (records: readonly LogRecord[]) => void;
};

const appendFaults = {
  none: 500,
  stall: 1.5,
  "ledger-late": 0.15,
  crash: 0.4,
  enospc: 0.1,
  eio: 0.1,
} as const;

/** One process's writer on the disk: batches become durable in order; a crash keeps or loses those not yet acknowledged. */
export class SimLog implements DurableLog {
  readonly #parts: SimLogParts;
  #pending: Pending[] = [];
  #failed = false;
  #freeAtMs = 0;

  constructor(parts: SimLogParts) {
    this.#parts = parts;
  }

  append(records: readonly LogRecord[]): Promise<void> {
    const { scheduler, faults, life } = this.#parts;
    if (!life.isAlive) return new Promise(() => undefined);
    this.#parts.onAppend(records);
    if (this.#failed) return Promise.reject(new DiskError("EIO"));
    const { fault, chance } = faults.decide("log", "append", appendFaults);
    const ownMs =
      fault === "crash" ? 5 : fault === "stall" ? chance.int(200, 1_500) : chance.int(0, 6);
    if (fault === "crash") scheduler.after(chance.int(0, 4), () => this.#parts.onPowerLoss());
    const delayMs = fault === "ledger-late" ? chance.int(2_100, 6_000) : ownMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, scheduler.nowMs + delayMs);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ records, reject });
    scheduler.after(this.#freeAtMs - scheduler.nowMs, () => {
      if (!life.isAlive || this.#failed) return;
      if (fault === "enospc") this.#fail("ENOSPC");
      else if (fault === "eio") this.#failSync(chance);
      else if (this.#parts.disk.accepts(records)) {
        this.#pending.shift();
        this.#parts.disk.keep(records);
        life.after(0, resolve);
      } else {
        faults.count("log.second-writer");
        this.#fail("SQLITE_CONSTRAINT");
      }
    });
    return promise;
  }

  /** The disk could not confirm a write: some of it may be there all the same. */
  #failSync(chance: Chance): void {
    const kept = chance.int(0, this.#pending.length);
    for (const one of this.#pending.slice(0, kept)) {
      if (this.#parts.disk.accepts(one.records)) this.#parts.disk.keep(one.records);
    }
    this.#fail("EIO");
  }

  #fail(code: string): void {
    this.#failed = true;
    const pending = this.#pending;
    this.#pending = [];
    this.#parts.life.after(0, () => {
      for (const one of pending) one.reject(new DiskError(code));
    });
  }

  /** The process died: a prefix of the unacknowledged batches reached the disk all the same. */
  crash(): void {
    const kept = this.#parts.chance.int(0, this.#pending.length);
    if (this.#pending.length > 0) {
      this.#parts.faults.count(kept < this.#pending.length ? "log.lost" : "log.kept-unacked");
    }
    for (const one of this.#pending.slice(0, kept)) {
      if (this.#parts.disk.accepts(one.records)) this.#parts.disk.keep(one.records);
    }
    this.#pending = [];
  }

  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    return Promise.resolve(this.#parts.disk.records.slice(fromSeq - 1, fromSeq - 1 + limit));
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.#parts.disk.records.at(-1)?.seq ?? 0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
