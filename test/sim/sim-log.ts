import type { DurableLog, LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import type { Chance } from "./chance.ts";
import type { Defect, Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** The disk refused a batch. */
export class DiskError extends Error {
  override readonly name = "DiskError";
}

/** The disk: what survives a crash. */
export class Disk {
  readonly records: LogRecord[] = [];
  /** Order hash -> body of every order whose approval is durable. */
  readonly bodies = new Map<string, string>();
  /** Card nonces with a durable plan. */
  readonly plansByNonce = new Map<string, string>();
  readonly answered = new Set<string>();
  killed = false;

  keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.records.push(record);
      this.#index(JSON.parse(record.body) as Fact);
    }
  }

  #index(fact: Fact): void {
    if (fact.kind === "trading.killed") this.killed = true;
    if (fact.kind === "trading.resumed") this.killed = false;
    if (fact.kind === "command.answered") this.answered.add(fact.commandId);
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
  readonly isAlive: () => boolean;
  /** Power goes while a batch is under way. */
  readonly onPowerLoss: () => void;
  readonly onAppend: (records: readonly LogRecord[]) => void;
  readonly defects: ReadonlySet<Defect>;
};

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
    const { scheduler, faults, isAlive, defects } = this.#parts;
    if (!isAlive()) return new Promise(() => undefined);
    this.#parts.onAppend(records);
    if (this.#failed) return Promise.reject(new DiskError("EIO"));
    const { fault, chance } = faults.decide("log", "append", {
      none: 500,
      stall: 1.5,
      "ledger-late": 0.15,
      crash: 0.4,
      enospc: 0.15,
    });
    const ownMs =
      fault === "crash" ? 5 : fault === "stall" ? chance.int(200, 1_500) : chance.int(0, 6);
    if (fault === "crash") scheduler.after(chance.int(0, 4), () => this.#parts.onPowerLoss());
    const delayMs = fault === "ledger-late" ? chance.int(2_100, 6_000) : ownMs;
    this.#freeAtMs = Math.max(this.#freeAtMs, scheduler.nowMs + delayMs);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const pending: Pending = { records, reject };
    this.#pending.push(pending);
    scheduler.after(this.#freeAtMs - scheduler.nowMs, () => {
      if (!isAlive() || this.#failed) return;
      if (fault === "enospc") this.#fail();
      else {
        this.#pending.shift();
        this.#parts.disk.keep(records);
        resolve();
      }
    });
    if (!defects.has("sent-before-commit")) return promise;
    promise.catch(() => undefined);
    return Promise.resolve();
  }

  #fail(): void {
    this.#failed = true;
    for (const one of this.#pending) one.reject(new DiskError("ENOSPC"));
    this.#pending = [];
  }

  /** The process died: a prefix of the unacknowledged batches reached the disk all the same. */
  crash(): void {
    const kept = this.#parts.chance.int(0, this.#pending.length);
    if (this.#pending.length > 0) {
      this.#parts.faults.count(kept < this.#pending.length ? "log.lost" : "log.kept-unacked");
    }
    for (const one of this.#pending.slice(0, kept)) this.#parts.disk.keep(one.records);
    this.#pending = [];
  }

  read(fromSeq: number, limit: number): Promise<readonly LogRecord[]> {
    const page = this.#parts.disk.records.slice(fromSeq - 1, fromSeq - 1 + limit);
    if (!this.#parts.defects.has("kill-lost-at-restart")) return Promise.resolve(page);
    return Promise.resolve(page.map(withoutKill));
  }

  lastSeq(): Promise<number> {
    return Promise.resolve(this.#parts.disk.records.at(-1)?.seq ?? 0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function withoutKill(record: LogRecord): LogRecord {
  if (record.kind !== "trading.killed") return record;
  const fact: Fact = { kind: "kill.reported", settled: true };
  return { ...record, kind: fact.kind, body: JSON.stringify(fact) };
}
