import type { EngineInput, Envelope, Reply } from "../core/input.ts";
import { type StepResult, step } from "../core/step.ts";
import type { Hasher } from "../ports/hasher.ts";
import type { Clock, Entropy, FaultPoints, Log } from "../ports/system.ts";
import type { Effect } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import type { Fact } from "../state/fact.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { StepJournal } from "./step-journal.ts";
import { WakeUps } from "./wake-ups.ts";

export type StepperDeps = {
  readonly state: EngineState;
  readonly settings: EngineSettings;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly faultPoints: FaultPoints;
  readonly logger: Log;
  readonly ledger: LedgerWriter;
  /** Keeps what every step was given; absent where nothing is recorded. */
  readonly journal?: StepJournal;
  /** With the monotonic time of the step that asked for it. */
  readonly runEffect: (effect: Effect, decidedMs: number) => void;
  /** A step threw: an invariant is broken and the state cannot be trusted any more. */
  readonly onBroken: (error: unknown) => void;
  /** Facts that are on the disk now; called before their effects run. */
  readonly onDurable: (facts: readonly Fact[]) => void;
  /** After facts became durable. */
  readonly onCommitted: () => void;
};

/**
 * Turns inputs into steps: the step runs at once, its effects wait until its facts are durable. Appends resolve in
 * order, so effects leave in the order of their steps.
 */
export class Stepper {
  readonly #deps: StepperDeps;
  /** The newest commit under way or done: a reply may speak of facts that an earlier step made. */
  #newest: Promise<void> = Promise.resolve();
  /** Of strategies, by what the steps changed. */
  readonly wakeUps: WakeUps;

  constructor(deps: StepperDeps) {
    this.#deps = deps;
    this.wakeUps = new WakeUps(deps.state.live, deps.clock, (books) => {
      this.run({ kind: "books.changed", books }, "strategies");
    });
  }

  /** The reply is there at once; `durable` resolves when it may be told to anybody, and rejects when it must not. */
  run(
    input: EngineInput,
    correlationId: string,
  ): { readonly reply: Reply; readonly durable: Promise<void> } {
    const { state, clock, entropy, ledger, journal } = this.#deps;
    const envelope: Envelope = {
      atMs: clock.nowMs(),
      entropy: input.kind === "request" ? entropy.hex(16) : "",
      correlationId,
      input,
    };
    const result = this.#step(envelope);
    this.wakeUps.stepped();
    const { facts, effects, reply } = result;
    const decidedMs = clock.monotonicMs();
    const firstSeq = ledger.nextSeq;
    if (facts.length === 0) {
      journal?.stepped(envelope, result, firstSeq);
      for (const effect of effects) this.#deps.runEffect(effect, decidedMs);
      return { reply, durable: this.#newest };
    }
    const durable = this.#commit({ facts, effects, decidedMs }, state.live.nowMs, correlationId);
    // A caller that does not wait must not bring the process down; the writer has closed the gate already.
    durable.catch(() => undefined);
    this.#newest = durable;
    // Encoded while the disk works: nothing waits for it.
    journal?.stepped(envelope, result, firstSeq);
    return { reply, durable };
  }

  #step(envelope: Envelope): StepResult {
    const { state, settings, hasher } = this.#deps;
    try {
      return step(state, settings, hasher, envelope);
    } catch (error) {
      this.#deps.journal?.broke(envelope);
      this.#deps.onBroken(error);
      throw error;
    }
  }

  async #commit(
    {
      facts,
      effects,
      decidedMs,
    }: {
      readonly facts: readonly Fact[];
      readonly effects: readonly Effect[];
      readonly decidedMs: number;
    },
    atMs: number,
    correlationId: string,
  ): Promise<void> {
    await this.#deps.ledger.append(facts, atMs, correlationId);
    this.#deps.onDurable(facts);
    if (facts.some((fact) => fact.kind === "fill.recorded")) this.#deps.faultPoints.hit("K13");
    for (const effect of effects) this.#deps.runEffect(effect, decidedMs);
    // A line takes as long as an order's request, whose first byte leaves only after this turn: the line can wait, for
    // the ledger has everything already.
    if (effects.some((effect) => effect.kind === "order.post")) {
      this.#deps.clock.after(0, () => this.#log(facts, correlationId));
    } else this.#log(facts, correlationId);
    this.#deps.onCommitted();
  }

  #log(facts: readonly Fact[], correlationId: string): void {
    const { logger, state } = this.#deps;
    for (const fact of facts) {
      if (!loggedFacts.has(fact.kind)) continue;
      logger.info(fact.kind, { correlationId, ...summaryOf(fact), ...orderOf(state, fact) });
      if (fact.kind !== "plan.approved") continue;
      // What ties the command to everything that later happens to its orders, in the log as in the ledger.
      for (const { clientOid, orderHash, planId, leg } of fact.orders) {
        logger.info("order.approved", { correlationId, planId, leg, clientOid, orderHash });
      }
    }
  }
}

/** Facts that an operator looks for in the log; the ledger has them all. */
const loggedFacts: ReadonlySet<Fact["kind"]> = new Set([
  "run.started",
  "command.answered",
  "plan.approved",
  "order.unknown",
  "order.closed",
  "order.reopened",
  "fill.recorded",
  "fill.settled",
  "cancel.asked",
  "trading.killed",
  "trading.resumed",
  "resume.code-used",
  "resume.code-refused",
  "trading.halted",
  "trading.ready",
  "message.failed",
]);

/** The order that a fact is about. Its hash is what the venue and the posting line know it by. */
function orderOf(state: EngineState, fact: Fact): Readonly<Record<string, string>> {
  if (fact.kind === "fill.settled") {
    const fill = state.fills.get(fact.fillId);
    return fill === undefined ? {} : { orderHash: fill.orderHash };
  }
  const order = "clientOid" in fact ? state.orders.get(fact.clientOid) : undefined;
  return order === undefined ? {} : { planId: order.planId, orderHash: order.orderHash };
}

function summaryOf(fact: Fact): Readonly<Record<string, string | number | null>> {
  switch (fact.kind) {
    case "command.answered":
      return { commandId: fact.commandId, verdict: fact.verdict, reason: fact.reason };
    case "plan.approved":
      return { planId: fact.plan.planId, userId: fact.plan.userId, orders: fact.orders.length };
    case "order.unknown":
      return { clientOid: fact.clientOid, detail: fact.detail };
    case "order.closed":
      return { clientOid: fact.clientOid, status: fact.status, reason: fact.reason };
    case "fill.recorded":
      return { clientOid: fact.clientOid, size: fact.fill.size, money: fact.fill.money };
    case "fill.settled":
      return { fillId: fact.fillId, status: fact.status };
    case "resume.code-used":
      return { step: fact.step };
    case "resume.code-refused":
      return { userId: fact.userId, refused: fact.refused, lockMs: fact.lockMs };
    case "trading.halted":
      return { reason: fact.reason, detail: fact.detail };
    case "message.failed":
      return { key: fact.key, reason: fact.reason };
    default:
      return {};
  }
}
