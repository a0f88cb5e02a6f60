import type { Shares, Usd } from "../../src/engine/domain/numbers.ts";
import type { ActionCall, PreparedCall } from "../../src/engine/domain/position-action.ts";
import type { Denial } from "../../src/engine/domain/reasons.ts";
import { err, ok, type Result } from "../../src/engine/lib/result.ts";
import type { ContractPort } from "../../src/engine/ports/contracts.ts";
import type { CallReport, SubmitOutcome } from "../../src/engine/protocol/contract-report.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import type { Chain, ChainFate } from "./chain.ts";
import type { Exchange } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Lifeline } from "./lifeline.ts";
import { answerTimeoutMs } from "./post-wire.ts";
import type { Scheduler } from "./scheduler.ts";

const gasUsd = 10_000 as Usd;
/** Bytes that a node had can show up this much later. */
const latestArrivalMs = 40_000;

const callFaults = {
  none: 45,
  reverted: 10,
  dropped: 10,
  "lost-request": 8,
  "lost-answer": 10,
  late: 9,
  "not-sent": 8,
} as const;

export type SimContractsParts = {
  readonly chain: Chain;
  readonly exchange: Exchange;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly life: Lifeline;
  /** The first byte of a call leaves now. */
  readonly onCallStart: (prepared: PreparedCall) => void;
};

/** The position contracts as one engine process sees them: a node that can lose, drop, delay or undo what it is given. */
export class SimContracts implements ContractPort {
  readonly route = "chain";
  readonly #parts: SimContractsParts;

  constructor(parts: SimContractsParts) {
    this.#parts = parts;
  }

  estimate(): Promise<Result<{ readonly gasMaxUsd: Usd }, string>> {
    return this.#later("estimate", () => ok({ gasMaxUsd: gasUsd }));
  }

  convertFeeBips(): Promise<Result<number, string>> {
    return Promise.resolve(err("no converts here"));
  }

  prepare(call: ActionCall): Promise<Result<PreparedCall, string>> {
    return this.#later("prepare", () => {
      const nonce = String(this.#parts.chain.nonce);
      const body = JSON.stringify({ call, nonce });
      const callHash = `0x${plainHasher.sha256Hex(body)}`;
      const gasMaxUsd = gasUsd;
      return ok({ route: "chain", body, callHash, nonce, gasMaxUsd, expiresAtMs: null });
    });
  }

  submit(prepared: PreparedCall, gate: () => Denial | null): Promise<SubmitOutcome> {
    const { faults, life } = this.#parts;
    const { fault, chance } = faults.decide("call", prepared.callHash, callFaults);
    const { promise, resolve, reject } = Promise.withResolvers<SubmitOutcome>();
    life.after(chance.int(0, 300), () => {
      try {
        const denial = gate();
        if (denial !== null) resolve({ kind: "blocked", denial });
        else this.send(prepared, { fault, chance }, resolve);
      } catch (error) {
        reject(error);
        throw error;
      }
    });
    return promise;
  }

  /** The bytes leave. */
  send(
    prepared: PreparedCall,
    { fault, chance }: ReturnType<Faults["decide"]> & { readonly fault: string },
    resolve: (outcome: SubmitOutcome) => void,
  ): void {
    const { chain, life } = this.#parts;
    this.#parts.onCallStart(prepared);
    const give = (delayMs: number, outcome: SubmitOutcome) =>
      life.after(delayMs, () => resolve(outcome));
    if (fault === "not-sent") return void give(20, { kind: "not_sent", detail: "refused" });
    const unknown: SubmitOutcome = { kind: "unknown", detail: "timeout" };
    const isLost = fault === "lost-answer" || fault === "late" || fault === "lost-request";
    if (isLost) give(answerTimeoutMs, unknown);
    if (fault === "lost-request") return;
    const fate: ChainFate = fault === "reverted" || fault === "dropped" ? fault : "done";
    const arrivesMs = fault === "late" ? chance.int(answerTimeoutMs, latestArrivalMs) : 50;
    const how = { arrivesMs, minedMs: chance.int(1_000, 15_000), fate };
    chain.send(prepared, how, () => {
      const { callHash: reference } = prepared;
      if (!isLost) give(chance.int(1, 300), { kind: "accepted", reference });
    });
  }

  async query(prepared: PreparedCall): Promise<CallReport> {
    const read = await this.#later("look", () => ok(this.#report(prepared)));
    return read.ok ? read.value : { kind: "failed", detail: read.error };
  }

  #report(prepared: PreparedCall): CallReport {
    const { chain, scheduler } = this.#parts;
    const { callHash: reference } = prepared;
    const one = chain.find(prepared);
    if (one === undefined || one.state === "dropped") {
      const isUsed = chain.nonce > Number(prepared.nonce);
      return isUsed ? { kind: "void", detail: "nonce used" } : { kind: "absent" };
    }
    if (one.state === "waiting" || scheduler.nowMs < one.finalAtMs) {
      return { kind: "pending", reference };
    }
    return one.state === "done"
      ? { kind: "confirmed", reference, gasUsd }
      : { kind: "reverted", reference, gasUsd, detail: "undone" };
  }

  shares(tokenId: string): Promise<Result<Shares, string>> {
    const { exchange } = this.#parts;
    return this.#later("shares", () => ok((exchange.shares.get(tokenId) ?? 0) as Shares));
  }

  refreshBalances(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #later<T>(what: string, value: () => Result<T, string>): Promise<Result<T, string>> {
    const { faults, life, scheduler } = this.#parts;
    const { fault, chance } = faults.decide("node", what, { none: 90, failed: 10 });
    const { promise, resolve } = Promise.withResolvers<Result<T, string>>();
    const halfMs = chance.int(2, 200);
    scheduler.after(halfMs, () => {
      const seen = fault === "failed" ? err("no answer") : value();
      life.after(halfMs, () => resolve(seen));
    });
    return promise;
  }
}
