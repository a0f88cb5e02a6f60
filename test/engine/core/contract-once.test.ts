import fc from "fast-check";
import { expect, test } from "vitest";
import type { PositionAction } from "../../../src/engine/domain/position-action.ts";
import { isOpenAction } from "../../../src/engine/domain/position-action.ts";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import {
  buy,
  confirmCall,
  done,
  preparedCall,
  quoteCall,
  reported,
  sharesOf,
  submitted,
} from "../support/contract-calls.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { plain } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";

/** What a node may do with bytes that reach it, and with a look at them. */
type Fate = "taken" | "taken-lost" | "late" | "lost" | "not-sent" | "refused" | "blocked" | "crash";
type Move =
  | { readonly do: "call"; readonly split: boolean; readonly size: number }
  | { readonly do: "send"; readonly fate: Fate }
  | {
      readonly do: "look";
      readonly blind: boolean;
      readonly mine: "ok" | "undone" | "drop" | "wait";
    }
  | { readonly do: "time"; readonly ms: number }
  | { readonly do: "restart" }
  | { readonly do: "kill" };

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant("call" as const),
        split: fc.boolean(),
        size: fc.integer({ min: 1, max: 10 }),
      }),
    },
    {
      weight: 24,
      arbitrary: fc.record({
        do: fc.constant("send" as const),
        fate: fc.constantFrom<Fate>(
          "taken",
          "taken-lost",
          "late",
          "lost",
          "not-sent",
          "refused",
          "blocked",
          "crash",
        ),
      }),
    },
    {
      weight: 24,
      arbitrary: fc.record({
        do: fc.constant("look" as const),
        blind: fc.boolean(),
        mine: fc.constantFrom("ok" as const, "undone" as const, "drop" as const, "wait" as const),
      }),
    },
    {
      weight: 20,
      arbitrary: fc.record({
        do: fc.constant("time" as const),
        ms: fc.integer({ min: 500, max: 40_000 }),
      }),
    },
    { weight: 4, arbitrary: fc.constant({ do: "restart" as const }) },
    { weight: 1, arbitrary: fc.constant({ do: "kill" as const }) },
  ),
  { minLength: 40, maxLength: 120, size: "max" },
);

/** A chain with one account: bytes are known or not, and one transaction takes effect under a nonce. */
class Chain {
  readonly waiting = new Set<string>();
  /** Reached a node that nobody else sees yet; shows up at a time of its own. */
  readonly hidden = new Map<string, number>();
  readonly mined = new Map<string, "ok" | "undone">();
  readonly bodies = new Map<string, Set<string>>();

  receive(action: PositionAction): void {
    const { actionId, prepared } = action;
    const seen = this.bodies.get(actionId) ?? new Set<string>();
    this.bodies.set(actionId, seen.add(prepared.body));
    if (!this.mined.has(actionId)) this.waiting.add(actionId);
  }

  surface(nowMs: number): void {
    for (const [actionId, atMs] of this.hidden) {
      if (atMs > nowMs) continue;
      this.hidden.delete(actionId);
      if (!this.mined.has(actionId)) this.waiting.add(actionId);
    }
  }
}

class Run {
  desk: CoreDesk;
  readonly chain = new Chain();
  sends = 0;
  #pending: string[] = [];

  constructor() {
    this.desk = openCoreDesk(
      testSettings({ risk: { duplicateWindowMs: 0 }, contracts: { resendWindowMs: 60_000 } }),
    );
    buy(this.desk, plain, 0, 60);
    buy(this.desk, plain, 1, 60);
  }

  /** Effects that a step asked for; looks are answered when the run says so, sends wait their turn. */
  #collect(): void {
    for (const effect of this.desk.drain()) {
      if (effect.kind === "action.submit") this.#pending.push(effect.actionId);
    }
  }

  #open(): PositionAction | undefined {
    return [...this.desk.state.actions.values()].find(isOpenAction);
  }

  apply(move: Move): void {
    this.chain.surface(this.desk.nowMs);
    switch (move.do) {
      case "call": {
        const kind = move.split ? "split" : "merge";
        const { conditionId } = plain;
        const size = sharesOf(move.size);
        const card = quoteCall(this.desk, { kind, conditionId, size });
        if (card.ok) confirmCall(this.desk, card.value.nonce, preparedCall(card.value.nonce));
        break;
      }
      case "send":
        this.#send(move.fate);
        break;
      case "look":
        this.#look(move.blind, move.mine);
        break;
      case "time":
        this.desk.pass(move.ms, 2_000);
        break;
      case "restart":
        this.restart();
        break;
      case "kill":
        this.desk.kill();
        break;
    }
    this.#collect();
  }

  restart(): void {
    this.#pending = [];
    expect(canonicalState(foldedState(this.desk))).toBe(canonicalState(this.desk.state));
    const again = refold(this.desk);
    again.facts.push(...this.desk.facts);
    this.desk = again;
    again.run({ kind: "run.start" });
    again.list(plain);
    again.read("start", { cash: again.state.cash });
  }

  #send(fate: Fate): void {
    const actionId = this.#pending.shift();
    const action = actionId === undefined ? undefined : this.desk.state.actions.get(actionId);
    if (actionId === undefined || action === undefined) return;
    // The gate that stands before the first byte: killed, or over already.
    const { killed } = this.desk.state;
    if (killed !== null || !isOpenAction(action) || fate === "blocked") {
      submitted(this.desk, actionId, { kind: "blocked", denial: { code: "killed" } });
      return;
    }
    this.sends++;
    switch (fate) {
      case "taken":
        this.chain.receive(action);
        submitted(this.desk, actionId, { kind: "accepted", reference: action.prepared.callHash });
        return;
      case "taken-lost":
        this.chain.receive(action);
        submitted(this.desk, actionId, { kind: "unknown", detail: "timeout" });
        return;
      case "late":
        this.chain.bodies.set(actionId, new Set([action.prepared.body]));
        this.chain.hidden.set(actionId, this.desk.nowMs + 55_000);
        submitted(this.desk, actionId, { kind: "unknown", detail: "timeout" });
        return;
      case "lost":
        submitted(this.desk, actionId, { kind: "unknown", detail: "reset" });
        return;
      case "not-sent":
        submitted(this.desk, actionId, { kind: "not_sent", detail: "refused connection" });
        return;
      case "refused":
        // A node refuses only what it does not have; an earlier copy may still be somewhere.
        submitted(this.desk, actionId, { kind: "rejected", detail: "insufficient funds" });
        return;
      default:
        // The process dies between the bytes and their answer.
        this.chain.receive(action);
        this.restart();
    }
  }

  #look(blind: boolean, mine: "ok" | "undone" | "drop" | "wait"): void {
    const action = this.#open();
    if (action === undefined) return;
    const { actionId } = action;
    if (blind) {
      reported(this.desk, actionId, { kind: "failed", detail: "no answer" });
      return;
    }
    if (this.chain.waiting.has(actionId)) {
      if (mine === "drop") this.chain.waiting.delete(actionId);
      if (mine === "ok" || mine === "undone") {
        this.chain.waiting.delete(actionId);
        this.chain.mined.set(actionId, mine);
      }
    }
    const fate = this.chain.mined.get(actionId);
    const reference = action.prepared.callHash;
    if (fate === "ok") reported(this.desk, actionId, done(0.01));
    else if (fate === "undone") {
      const gasUsd = dollars(0.01);
      reported(this.desk, actionId, { kind: "reverted", reference, gasUsd, detail: "" });
    } else if (this.chain.waiting.has(actionId)) {
      reported(this.desk, actionId, { kind: "pending", reference });
    } else reported(this.desk, actionId, { kind: "absent" });
  }

  /** The faults stop: everything is answered truly until nothing is open. */
  finish(): void {
    for (let i = 0; i < 400 && this.#open() !== undefined; i++) {
      this.apply({ do: "send", fate: "taken" });
      this.apply({ do: "look", blind: false, mine: "ok" });
      this.apply({ do: "time", ms: 5_000 });
    }
  }
}

/** P1 and P2 for contract calls: in the books exactly what the chain has done, and never twice. */
test("a call takes effect at most once, and the books say what the chain did", () => {
  let calls = 0;
  let sends = 0;
  let confirmed = 0;
  let failed = 0;
  holds(
    fc.property(moves, (script) => {
      const run = new Run();
      const cashAtStart = run.desk.state.cash ?? 0;
      for (const move of script) {
        run.apply(move);
        const open = [...run.desk.state.actions.values()].filter(isOpenAction);
        expect(open.length).toBeLessThanOrEqual(1);
        for (const position of run.desk.state.positions.values()) {
          expect(position.confirmed).toBeGreaterThanOrEqual(0);
        }
        expect(exposureOf(run.desk.state).total).toBeLessThanOrEqual(dollars(800));
      }
      run.finish();
      let cash = cashAtStart;
      for (const action of run.desk.state.actions.values()) {
        calls++;
        expect(isOpenAction(action)).toBe(false);
        // The same call never leaves with other bytes.
        expect(run.chain.bodies.get(action.actionId)?.size ?? 0).toBeLessThanOrEqual(1);
        const effective = run.chain.mined.get(action.actionId) === "ok";
        expect([action.actionId, action.status === "confirmed"]).toEqual([
          action.actionId,
          effective,
        ]);
        if (!effective) {
          // What is over can never come back.
          expect(run.chain.waiting.has(action.actionId)).toBe(false);
          const hidden = run.chain.hidden.has(action.actionId);
          expect(hidden && !run.chain.mined.has(action.actionId)).toBe(false);
          failed++;
          continue;
        }
        confirmed++;
        cash += action.terms.givesUsd - action.terms.takesUsd;
      }
      expect(run.desk.state.cash).toBe(cash);
      sends += run.sends;
    }),
    300,
  );
  expect(calls).toBeGreaterThan(500);
  expect(sends).toBeGreaterThan(calls);
  expect(Math.min(confirmed, failed)).toBeGreaterThan(100);
}, 60_000);
