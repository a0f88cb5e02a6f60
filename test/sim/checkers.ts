import { isOpen, type PreparedOrder } from "../../src/engine/domain/order.ts";
import { isOpenAction, type PreparedCall } from "../../src/engine/domain/position-action.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import type { EngineState } from "../../src/engine/state/engine-state.ts";
import type { Chain } from "./chain.ts";
import { type Exchange, isOpenThere } from "./exchange.ts";
import type { Judge } from "./judge.ts";
import type { Wire } from "./post-wire.ts";
import type { Disk } from "./sim-log.ts";
import type { Witness } from "./witness.ts";

/** One life of the engine, as the checkers see it. */
export type ProcessView = {
  readonly state: EngineState;
  readonly witness: Witness;
  /** A kill was accepted in this life, or the last one, and no resume came after it. */
  readonly killed: boolean;
  /** A kill was handed to this process: its gate is closed, whatever the ledger says. */
  readonly gateClosed: boolean;
  readonly leaseHeld: boolean;
  readonly diskFailed: boolean;
  readonly isRunning: boolean;
  /** Virtual time that it ran, standstills left out. */
  readonly ranMs: number;
};

export type CheckersParts = {
  readonly judge: Judge;
  readonly settings: EngineSettings;
  readonly exchange: Exchange;
  readonly disk: Disk;
  readonly wire: Wire;
  readonly chain: Chain;
  /** Every process that lives. */
  readonly processes: () => readonly ProcessView[];
};

/** The first send and the three reposts that the engine may make. */
const maxSends = 4;
/** How long a running process may take to tell of an order that has been unknown for too long. */
const alarmSlackMs = 15_000;

/** Judges the engine by the venue's truth and by what leaves it. */
export class Checkers {
  readonly #parts: CheckersParts;
  readonly #sends = new Map<string, number>();
  /** When a life was first seen with an order unknown for too long and nobody told. */
  readonly #untold = new WeakMap<Witness, Map<string, number>>();

  constructor(parts: CheckersParts) {
    this.#parts = parts;
  }

  /** The first byte of an order leaves a process. */
  postStarted(order: PreparedOrder, now: ProcessView | null): void {
    const { disk, exchange, judge } = this.#parts;
    const { orderHash } = order;
    const body = disk.bodies.get(orderHash);
    judge.must(
      body !== undefined,
      "P1",
      () => `${orderHash} is sent but not durable in the ledger`,
    );
    judge.must(
      body === undefined || body === order.body,
      "P1",
      () => `${orderHash} has other bytes`,
    );
    const sends = (this.#sends.get(orderHash) ?? 0) + 1;
    this.#sends.set(orderHash, sends);
    judge.must(sends <= maxSends, "P11", () => `${orderHash} is sent ${sends} times`);
    if (now === null) return;
    judge.must(!now.killed, "P4", () => `${orderHash} is sent after a kill was accepted`);
    judge.must(!disk.killed, "P4", () => `${orderHash} is sent while the ledger says killed`);
    judge.must(now.leaseHeld, "P12", () => `${orderHash} is sent without the lease`);
    judge.must(!now.diskFailed, "P6", () => `${orderHash} is sent after the disk failed`);
    const own = now.state.orders.get(now.state.oidByHash.get(orderHash) ?? "");
    const wanted = own !== undefined && isOpen(own) && own.cancelAskedAtMs === null;
    judge.must(
      wanted,
      "P1",
      () => `${orderHash} is sent although it ended or its cancel was asked`,
    );
    const booked = exchange.orders.get(orderHash);
    judge.must(
      booked === undefined || !isOpenThere(booked),
      "P1",
      () => `${orderHash} is sent again while it rests`,
    );
  }

  /** The first byte of a contract call leaves a process. */
  callStarted({ body, callHash }: PreparedCall, now: ProcessView | null): void {
    const { disk, judge } = this.#parts;
    judge.must(disk.calls.has(body), "P1", () => `call ${callHash} is sent but not durable`);
    judge.must(!disk.killed, "P4", () => `call ${callHash} is sent while the ledger says killed`);
    if (now === null) return;
    judge.must(!now.killed, "P4", () => `call ${callHash} is sent after a kill was accepted`);
    judge.must(now.leaseHeld, "P12", () => `call ${callHash} is sent without the lease`);
    judge.must(!now.diskFailed, "P6", () => `call ${callHash} is sent after the disk failed`);
  }

  /** After every event. */
  afterEvent(): void {
    for (const now of this.#parts.processes()) {
      if (now.leaseHeld) this.#judgeReservations(now.state);
      this.#judgeUnknown(now);
      this.#parts.judge.must(
        !now.killed || now.gateClosed,
        "P4",
        () => "a kill was handed over and the gate is open",
      );
      now.witness.afterEvent(now.state, now.diskFailed);
    }
  }

  /** What the venue holds or is about to hold of ours must be reserved: its order is known and open. */
  #judgeReservations(state: EngineState): void {
    const { exchange, wire, chain, judge } = this.#parts;
    const reserved = (hash: string) => {
      const order = state.orders.get(state.oidByHash.get(hash) ?? "");
      judge.must(order !== undefined, "P1", () => `the venue has ${hash}, which no intent made`);
      if (order === undefined || isOpen(order)) return;
      judge.violate("P3", `${hash} can still be filled but is ${order.status}: not reserved`);
    };
    for (const order of exchange.orders.values()) {
      if (isOpenThere(order) && !order.isForeign) reserved(order.hash);
    }
    for (const hash of wire.keys()) if (!exchange.orders.has(hash)) reserved(hash);
    for (const hash of chain.open()) {
      // A call whose first byte never left gives its nonce back: the same call decided anew has the same bytes.
      const calls = [...state.actions.values()].filter((one) => one.prepared.callHash === hash);
      const found = () => calls.map((one) => one.status).join(", ") || "not known";
      judge.must(calls.some(isOpenAction), "P3", () => `call ${hash} can take effect: ${found()}`);
    }
  }

  /** What is unknown for too long is told. */
  #judgeUnknown({ state, witness, diskFailed, isRunning, ranMs }: ProcessView): void {
    const { settings, judge } = this.#parts;
    if (diskFailed || !isRunning) return;
    const untold = this.#untold.get(witness) ?? new Map<string, number>();
    this.#untold.set(witness, untold);
    const { nowMs } = state.live;
    for (const order of state.orders.values()) {
      const { status, unknownSinceMs, clientOid } = order;
      if (status !== "unknown" || unknownSinceMs === null) continue;
      const isLate = nowMs - unknownSinceMs >= settings.waits.settleAlarmMs;
      if (!isLate || state.told.get(clientOid) === "unknown-late") continue;
      const sinceMs = untold.get(clientOid) ?? ranMs;
      untold.set(clientOid, sinceMs);
      const forMs = ranMs - sinceMs;
      judge.must(
        forMs < alarmSlackMs,
        "P10",
        () => `${clientOid} is unknown for too long and nobody was told for ${forMs} ms`,
      );
    }
  }
}
