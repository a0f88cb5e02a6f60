import { fileURLToPath } from "node:url";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import type { TapeRow } from "../../src/adapters/tape/tape-row.ts";
import { type DecisionReport, replayDecisions } from "../../src/cli/decision-replay.ts";
import { LedgerCursor } from "../../src/cli/ledger-cursor.ts";
import type { EngineInput, Envelope } from "../../src/engine/core/input.ts";
import { step } from "../../src/engine/core/step.ts";
import type { MarketEvent } from "../../src/engine/domain/market-event.ts";
import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { StepJournal } from "../../src/engine/runtime/step-journal.ts";
import { createState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import { engineSettings } from "../../src/engine-settings.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  durationText,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { marketOf, readerOf } from "../support/live-books.ts";
import { keep, type Round, race, timeEach } from "../support/race.ts";

/** What keeping the engine's inputs costs the loop that trades: for a frame and for an order's confirmation. */
export const journalCase: BenchCase = { name: "journal", run };

const marketCount = 100;
const frameCount = 10_000;
const orders = 5_000;
const startMs = 1_790_000_000_000;
/** Arrival of the frames: 5,000 a second, and four ticks. */
const framesPerMs = 5;
const framesPerTick = 500;
const hasher = createHasher();
const settings = engineSettings(
  loadConfig(fileURLToPath(new URL("../../config/paper.toml", import.meta.url))),
);
const none = { to: "none" } as const;

async function run(context: BenchContext): Promise<CaseResult> {
  context.progress("journal: making frames");
  const source = makeTape({ markets: marketCount, frames: frameCount, hashes: true });
  const tape = recorded(source);
  const report = await replayed(tape);
  const [first] = report.runs;
  demand(first?.end === "stopped", "a replay ends in the recorded state");
  demand(first.liveHashes > 5, "digests on the way were compared");

  const options = { rounds: context.rounds, warmUps: 1 };
  const progress = (text: string) => context.progress(`journal: ${text}`);
  const inputs = marketInputs(source);
  const keeping = await race(
    [
      { name: "input kept, its event named", round: () => kept(inputs) },
      { name: "JSON.stringify of the input", round: () => written(inputs) },
    ],
    options,
    progress,
  );
  const ordering = await race(
    [
      { name: "input kept", round: () => confirmed(journalInto(discard)) },
      { name: "facts encoded for the ledger", round: () => encoded() },
    ],
    options,
    progress,
  );
  const replaying = await race(
    [{ name: "decided again", round: () => replayRound(tape) }],
    options,
    progress,
  );
  const frame = rowsAgainst("a frame", keeping);
  const order = rowsAgainst("an order's confirmation", ordering);
  return {
    title: `Journal: ${countText(frameCount)} frames of ${marketCount} markets, ${countText(orders)} confirmations`,
    rows: [
      ...frame.rows,
      ...order.rows,
      ...replaying.map((timing) => ({ label: "a frame: decided again", timing, ratio: null })),
    ],
    notes: [
      `keeping the input of a frame's step costs ${durationText(keeping[0]?.medianNs ?? Number.NaN)} and ${(tape.inputBytes / frameCount).toFixed(1)} bytes before compression`,
      `keeping the input of a confirmation costs ${durationText(ordering[0]?.medianNs ?? Number.NaN)}, while the ledger's disk works`,
      `decided again: ${countText(1e9 / (replaying[0]?.medianNs ?? Number.NaN))} frames a second`,
    ],
    ratios: { journal_frame: frame.ratio },
    aims: [],
  };
}

type Sink = (atMs: number, text: string) => void;

/** As the recorder takes a row: its UTF-8. */
const discard: Sink = (_atMs, text) => keep(Buffer.from(text));

function journalInto(sink: Sink): StepJournal {
  const missed = () => demand(false, "no input is missed");
  return new StepJournal({ step: sink, missed, flush: () => undefined });
}

/** The engine with these markets' books, fed as the desk feeds it. */
class Loop {
  readonly #journal: StepJournal;
  readonly #state = createState();
  readonly #reader: ReturnType<typeof readerOf>;
  readonly #taped: (frame: Buffer) => void;
  readonly ledger: LogRecord[] = [];
  #frames = 0;
  #steps = 0;

  /** `taped` sees each frame before it is read. */
  constructor(source: FrameTape, journal: StepJournal, taped: (frame: Buffer) => void) {
    this.#journal = journal;
    this.#taped = taped;
    this.#reader = readerOf(source);
    journal.begun({ state: this.#state, settings, hasher, nextSeq: 1 }, startMs);
    this.#step({ kind: "books.watched", markets: source.markets.map(marketOf) }, "books");
    for (const bytes of source.opening) this.frame(bytes);
  }

  frame(bytes: Buffer): void {
    this.#taped(bytes);
    const { events } = this.#reader.read(bytes);
    this.#journal.framed(events);
    for (const event of events) this.#step({ kind: "market", event }, "market");
    if (++this.#frames % framesPerTick === 0) this.#step({ kind: "tick" }, "tick");
  }

  #step(input: EngineInput, correlationId: string): void {
    const atMs = startMs + Math.floor(this.#frames / framesPerMs);
    const envelope: Envelope = { atMs, entropy: "", correlationId, input };
    const result = step(this.#state, settings, hasher, envelope);
    const firstSeq = this.ledger.length + 1;
    this.#steps++;
    for (const fact of result.facts) {
      const seq = this.ledger.length + 1;
      const body = JSON.stringify(fact);
      this.ledger.push({ seq, atMs, kind: fact.kind, stepId: this.#steps, correlationId, body });
    }
    this.#journal.stepped(envelope, result, firstSeq);
  }
}

type Recorded = {
  readonly rows: readonly TapeRow[];
  readonly ledger: readonly LogRecord[];
  /** Of the inputs alone. */
  readonly inputBytes: number;
};

/** The frames and the inputs as they stand on a tape. */
function recorded(source: FrameTape): Recorded {
  const rows: TapeRow[] = [];
  let inputBytes = 0;
  const journal = journalInto((atMs, text) => {
    inputBytes += text.length;
    rows.push({ seq: rows.length + 1, atMs, kind: "step", text });
  });
  const loop = new Loop(source, journal, (frame) => {
    const text = frame.toString("utf8");
    rows.push({ seq: rows.length + 1, atMs: startMs, kind: "frame", text });
  });
  for (const bytes of source.frames) loop.frame(bytes);
  journal.ended();
  return { rows, ledger: loop.ledger, inputBytes };
}

function replayed({ rows, ledger }: Recorded): Promise<DecisionReport> {
  const log = { read: async (from: number) => ledger.slice(from - 1) };
  const options = { run: null, progress: () => undefined };
  return replayDecisions(rows, new LedgerCursor(log), hasher, options);
}

async function replayRound(tape: Recorded): Promise<Round> {
  const startedAt = performance.now();
  await replayed(tape);
  return shareOf(startedAt, frameCount);
}

type MarketInput = { readonly events: readonly MarketEvent[]; readonly envelope: Envelope };

function marketInputs(source: FrameTape): readonly MarketInput[] {
  const reader = readerOf(source);
  return source.frames.flatMap((frame, n) => {
    const { events } = reader.read(frame);
    const atMs = startMs + Math.floor(n / framesPerMs);
    return events.map((event) => {
      const input = { kind: "market", event } as const;
      return { events: [event], envelope: { atMs, entropy: "", correlationId: "market", input } };
    });
  });
}

const nothing = { facts: [], effects: [], reply: none };

function kept(inputs: readonly MarketInput[]): Round {
  const journal = journalInto(discard);
  journal.begun({ state: createState(), settings, hasher, nextSeq: 1 }, startMs);
  const startedAt = performance.now();
  for (const { events, envelope } of inputs) {
    journal.framed(events);
    journal.stepped(envelope, nothing, 1);
  }
  return shareOf(startedAt, inputs.length);
}

function written(inputs: readonly MarketInput[]): Round {
  const startedAt = performance.now();
  for (const { envelope } of inputs) keep(Buffer.from(JSON.stringify(envelope)));
  return shareOf(startedAt, inputs.length);
}

function shareOf(startedAt: number, operations: number): Round {
  const eachNs = ((performance.now() - startedAt) * 1e6) / operations;
  return { samplesNs: Float64Array.of(eachNs), elapsedNs: eachNs };
}

/** A press of Confirm with one signed order, and the facts of such a step by their size. */
const confirmation: Envelope = {
  atMs: startMs,
  entropy: "0".repeat(32),
  correlationId: "tg:123456789",
  input: {
    kind: "request",
    request: {
      do: "confirm",
      actor: { userId: 123_456_789, chatId: 123_456_789 },
      commandId: "tg:123456789",
      nonce: "0".repeat(16),
      signed: [{ orderHash: `0x${"a".repeat(64)}`, body: "x".repeat(1_100) }],
    },
  },
};
const facts = [{ kind: "plan.approved", body: "x".repeat(3_000) }] as unknown as readonly Fact[];

function confirmed(journal: StepJournal): Round {
  journal.begun({ state: createState(), settings, hasher, nextSeq: 1 }, startMs);
  const result = { facts, effects: [{ kind: "order.post", clientOid: "" }], reply: none } as const;
  return timeEach(orders, () => journal.stepped(confirmation, result, 1));
}

function encoded(): Round {
  return timeEach(orders, () => keep(Buffer.from(JSON.stringify(facts))));
}
