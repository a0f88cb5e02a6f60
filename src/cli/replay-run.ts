import { parseMarketFrame } from "../adapters/polymarket/parse-market-frame.ts";
import type { EngineInput, Envelope } from "../engine/core/input.ts";
import { type StepResult, step } from "../engine/core/step.ts";
import type { MarketEvent } from "../engine/domain/market-event.ts";
import type { Hasher } from "../engine/ports/hasher.ts";
import type { EngineSettings } from "../engine/protocol/settings.ts";
import type { EndRow, MarketStepsRow, RunRow, StepRow } from "../engine/runtime/journal-row.ts";
import { type BookWindow, canonicalLive, canonicalState } from "../engine/state/digest.ts";
import type { EngineState } from "../engine/state/engine-state.ts";
import type { Fact } from "../engine/state/fact.ts";
import type { LedgerCursor } from "./ledger-cursor.ts";

/** The first thing that is not as it was recorded. */
export type Difference = {
  /** Row of the tape that gave the input. */
  readonly tapeSeq: number;
  /** Step of the run, from 1. */
  readonly step: number;
  readonly atMs: number;
  readonly correlationId: string;
  /** Kind of the input, and what was asked when it was a request. */
  readonly input: string;
  /** Ledger row; null when it is not a fact that differs. */
  readonly ledgerSeq: number | null;
  readonly expected: string;
  readonly got: string;
};

/** Why a replay of a run goes no further. */
export type RunEnd =
  /** It was stopped in order, and ended in the recorded state. */
  | "stopped"
  /** The recording ends without the run's end: it was killed, or it still goes on. */
  | "cut"
  /** Rows are missing on the tape. */
  | "gap"
  /** What it decided last was not durable when it ended. */
  | "not_durable"
  /** It broke an invariant, and did so again. */
  | "broken"
  | "different";

type At = { readonly tapeSeq: number; readonly atMs: number };

const marketCorrelation = "market";
/** Events that were taken are thrown away in lots of so many. */
const eventsKept = 4_096;

/** Runs the recorded inputs of one run through `step` again and compares what comes of them with the ledger. */
export class ReplayRun {
  readonly state: EngineState;
  readonly #settings: EngineSettings;
  readonly #ledger: LedgerCursor;
  readonly #hasher: Hasher;
  /** Events of the run's frames that no step has taken yet, and the place of the first. */
  #events: MarketEvent[] = [];
  #firstEvent = 0;
  #stepId = 0;
  /** Of the step that is compared now. */
  #input: EngineInput | undefined;
  /** The next fact's ledger number. */
  nextSeq: number;
  steps = 0;
  facts = 0;
  liveHashes = 0;
  end: RunEnd | null = null;
  difference: Difference | null = null;

  constructor({ run }: RunRow, state: EngineState, ledger: LedgerCursor, hasher: Hasher) {
    this.state = state;
    this.#settings = run.settings;
    this.#ledger = ledger;
    this.#hasher = hasher;
    this.nextSeq = run.nextSeq;
  }

  /** SHA-256 of the canonical state that the run is in. */
  digest(): string {
    return this.#hasher.sha256Hex(canonicalState(this.state));
  }

  frame(text: string): void {
    this.#events.push(...parseMarketFrame(text).events);
  }

  /** Steps that decided nothing: no ledger row has to be read for them. */
  marketSteps({ n, events: [first, count] }: MarketStepsRow, at: At): void {
    for (let i = 0; i < count && this.end === null; i++) {
      const row = { n: n + i, correlationId: marketCorrelation, event: first + i };
      const result = this.#run(row, at);
      if (result === null) return;
      const [fact] = result.facts;
      const [effect] = result.effects;
      if (fact !== undefined)
        this.#differ(row, at, ["no fact", JSON.stringify(fact), this.nextSeq]);
      else if (effect !== undefined)
        this.#differ(row, at, ["asks for nothing", `asks for ${effect.kind}`]);
    }
  }

  async step(row: StepRow, at: At): Promise<void> {
    const result = this.#run(row, at);
    if (result === null) return;
    const wrong = await this.#compare(row, result);
    if (wrong !== null) this.#differ(row, at, wrong);
  }

  /** What the step decides now; null when the run ended here. */
  #run(row: StepRow, at: At): StepResult | null {
    this.steps++;
    const input = row.event === undefined ? row.input : this.#take(row.event);
    this.#input = input;
    if (row.n !== this.steps) {
      const lacking = `step ${row.n}: the tape lacks some between`;
      return this.#differ(row, at, [`step ${this.steps}`, lacking]);
    }
    if (input === undefined) {
      return this.#differ(row, at, ["an event of a recorded frame", "none in its place"]);
    }
    const { correlationId, entropy = "" } = row;
    const result = this.#again({ atMs: at.atMs, entropy, correlationId, input });
    if (typeof result !== "string") {
      return row.broken === true
        ? this.#differ(row, at, ["a broken invariant", "a step that ends"])
        : result;
    }
    if (row.broken !== true) {
      return this.#differ(row, at, ["a step that ends", `a broken invariant: ${result}`]);
    }
    this.end = "broken";
    return null;
  }

  /** The recorded end: nothing of the run may be missing, and its state is the one that it had. */
  finish({ end }: EndRow, at: At): void {
    const last = { n: end.steps, correlationId: "" };
    const digest = this.digest();
    this.#input = undefined;
    if (end.steps !== this.steps) {
      this.#differ(last, at, [`${end.steps} steps`, `${this.steps} steps`]);
    } else if (end.stateHash !== digest) {
      this.#differ(last, at, [`state ${end.stateHash}`, `state ${digest}`]);
    } else if (end.liveHash !== undefined && end.liveHash !== this.#liveDigest()) {
      this.#differ(last, at, [`live state ${end.liveHash}`, `live state ${this.#liveDigest()}`]);
    } else this.end = "stopped";
  }

  #liveDigest(books?: BookWindow): string {
    return this.#hasher.sha256Hex(canonicalLive(this.state, books));
  }

  /** Rows of this run in the ledger that the tape says nothing about any more. */
  async unprovedRows(): Promise<number> {
    let stepId = this.#stepId;
    for (let { nextSeq } = this; ; nextSeq++) {
      const row = await this.#ledger.at(nextSeq);
      // Steps are counted from 1 in each run.
      const isOurs =
        row !== null && (nextSeq === this.nextSeq ? row.stepId > stepId : row.stepId >= stepId);
      if (!isOurs) return nextSeq - this.nextSeq;
      ({ stepId } = row);
    }
  }

  /** What the step decides now; the words of its failure when it throws. */
  #again(envelope: Envelope): StepResult | string {
    try {
      return step(this.state, this.#settings, this.#hasher, envelope);
    } catch (error) {
      return error instanceof Error ? error.message : "unknown failure";
    }
  }

  /** What was expected, what came and the ledger row; null when everything is as it was. */
  async #compare(row: StepRow, { facts, effects }: StepResult): Promise<Wrong | null> {
    const [firstSeq, count] = row.facts ?? [this.nextSeq, 0];
    if (firstSeq !== this.nextSeq) {
      const missing = `ledger row ${this.nextSeq} decided by a recorded step`;
      return [missing, `the next recorded step decides row ${firstSeq}`, this.nextSeq];
    }
    const stepId = this.#stepId;
    for (let i = 0; i < Math.max(count, facts.length); i++) {
      const wrong = await this.#compareFact(facts[i], i < count, row.correlationId, stepId);
      if (wrong !== null) return wrong;
      if (this.end !== null) return null;
    }
    const kinds = effects.map((effect) => effect.kind).join(", ");
    const recorded = (row.effects ?? []).join(", ");
    if (kinds !== recorded)
      return [`asks for ${recorded || "nothing"}`, `asks for ${kinds || "nothing"}`];
    if (row.liveHash === undefined) return null;
    this.liveHashes++;
    const live = this.#liveDigest(row.liveBooks);
    return live === row.liveHash ? null : [`live state ${row.liveHash}`, `live state ${live}`];
  }

  async #compareFact(
    fact: Fact | undefined,
    wasDecided: boolean,
    correlationId: string,
    stepBefore: number,
  ): Promise<Wrong | null> {
    const seq = this.nextSeq;
    const got = fact === undefined ? "no fact" : JSON.stringify(fact);
    if (!wasDecided) return ["no fact", got, seq];
    const row = await this.#ledger.at(seq);
    const { nowMs } = this.state.live;
    // A row of a later run begins its steps anew; the first row of all is known by its time.
    const isLater =
      row !== null && (row.stepId <= stepBefore || (this.facts === 0 && row.atMs !== nowMs));
    if (row === null || isLater) {
      // The process ended between the step and the disk: nobody was told of it, and nothing left.
      this.end = "not_durable";
      return null;
    }
    if (got !== row.body) return [row.body, got, seq];
    if (row.atMs !== nowMs) return [`at ${row.atMs}`, `at ${nowMs}`, seq];
    if (row.correlationId !== correlationId) {
      return [`correlation ${row.correlationId}`, `correlation ${correlationId}`, seq];
    }
    this.#stepId = row.stepId;
    this.nextSeq++;
    this.facts++;
    return null;
  }

  #take(place: number): EngineInput | undefined {
    // What stands before it was passed over: another connection had brought it.
    const at = place - this.#firstEvent;
    const event = this.#events[at];
    if (at >= eventsKept) {
      this.#events = this.#events.slice(at);
      this.#firstEvent = place;
    }
    return event === undefined ? undefined : { kind: "market", event };
  }

  #differ(row: Pick<StepRow, "n" | "correlationId">, at: At, wrong: Wrong): null {
    const [expected, got, ledgerSeq = null] = wrong;
    const { n, correlationId } = row;
    const input = named(this.#input);
    this.end = "different";
    this.difference = { ...at, step: n, correlationId, input, ledgerSeq, expected, got };
    return null;
  }
}

type Wrong = readonly [expected: string, got: string, ledgerSeq?: number];

function named(input: EngineInput | undefined): string {
  if (input === undefined) return "none";
  if (input.kind === "request") return `request ${input.request.do}`;
  return input.kind === "market" ? `market ${input.event.kind}` : input.kind;
}
