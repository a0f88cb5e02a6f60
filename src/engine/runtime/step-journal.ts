import type { EngineInput, Envelope } from "../core/input.ts";
import type { StepResult } from "../core/step.ts";
import type { MarketBook } from "../domain/market-book.ts";
import type { BookSnapshot, MarketEvent } from "../domain/market-event.ts";
import type { Hasher } from "../ports/hasher.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { canonicalLive, canonicalState } from "../state/digest.ts";
import type { EngineState } from "../state/engine-state.ts";
import { type JournalRow, journalVersion, type StepRow } from "./journal-row.ts";

/** Where encoded rows go; no call waits or throws. */
export type JournalSink = {
  readonly step: (atMs: number, text: string) => void;
  /** A row could not be made: the place of the journal is a gap. */
  readonly missed: (atMs: number) => void;
  /** The process ends soon: what was given is to be written now. */
  readonly flush: () => void;
};

export type RunStart = {
  readonly state: EngineState;
  readonly settings: EngineSettings;
  readonly hasher: Hasher;
  /** Ledger number of the run's first fact. */
  readonly nextSeq: number;
};

/** After so many steps the next tick's row carries a digest of the live state, unless said. */
const liveHashEveryDefault = 1_000;
/** Books of one digest at most, so that the turn which makes it stays short: with more of them they take turns. */
export const booksPerDigest = 512;
/** Events of frames that no step has taken yet; beyond it nobody listens to them. */
const waitingMax = 200_000;
const marketCorrelation = "market";

/**
 * Writes down what every step was given, so that it can be run again. Frames are not written a second time: the steps that
 * they cause name the event by its place among all that the run's frames gave. It never throws and never waits, and what it
 * cannot write is a gap: decisions do not depend on it.
 */
export class StepJournal {
  readonly #sink: JournalSink;
  readonly #liveHashEvery: number;
  #run: RunStart | null = null;
  #steps = 0;
  #hashedAt = 0;
  /** The first book of the next digest. */
  #nextBook = 0;
  #rows = 0;
  /** Events that frames gave in this run. */
  #events = 0;
  /** Those that no step has taken yet; `#firstWaiting` is the place of the first. */
  #waiting: MarketEvent[] = [];
  #taken = 0;
  #firstWaiting = 0;
  /** Steps of the market that are not written yet, because the next one may join them. */
  #joined: { readonly n: number; readonly first: number; count: number; atMs: number } | null =
    null;

  /** `liveHashEvery`: steps from one digest of the live state to the next. */
  constructor(sink: JournalSink, liveHashEvery = liveHashEveryDefault) {
    this.#sink = sink;
    this.#liveHashEvery = liveHashEvery;
  }

  /** Rows written in this run. */
  get rows(): number {
    return this.#rows;
  }

  /** Books of the run, as they are now. */
  books(): Iterable<MarketBook> {
    return this.#run?.state.live.books.values() ?? [];
  }

  /** A run begins, before its first step. */
  begun(run: RunStart, atMs: number): void {
    this.#run = run;
    this.#steps = 0;
    this.#hashedAt = 0;
    this.#nextBook = 0;
    this.#rows = 0;
    this.#events = 0;
    this.#forget();
    const { state, settings, hasher, nextSeq } = run;
    this.#fenced(atMs, () => {
      const stateHash = hasher.sha256Hex(canonicalState(state));
      this.#write(atMs, { run: { version: journalVersion, settings, nextSeq, stateHash } });
    });
  }

  /** The events of a frame that was just recorded, in order. Not all of them need to become steps. */
  framed(events: readonly MarketEvent[]): void {
    if (this.#run === null) return;
    if (this.#waiting.length - this.#taken + events.length > waitingMax) this.#forget();
    for (const event of events) this.#waiting.push(event);
    this.#events += events.length;
  }

  /** A step was made; `firstSeq` is the ledger number of its first fact, if it has any. */
  stepped(envelope: Envelope, { facts, effects }: StepResult, firstSeq: number): void {
    const n = ++this.#steps;
    this.#fenced(envelope.atMs, () => {
      const event = this.#eventOf(envelope);
      const decided = facts.length > 0 || effects.length > 0;
      if (event !== null && !decided && envelope.correlationId === marketCorrelation) {
        this.#join(n, event, envelope.atMs);
        return;
      }
      const kinds = effects.map((effect) => effect.kind);
      this.#writeStep(envelope, {
        ...this.#headOf(n, event, envelope),
        ...(facts.length > 0 && { facts: [firstSeq, facts.length] as const }),
        ...(kinds.length > 0 && { effects: kinds }),
        ...this.#liveHash(envelope),
      });
    });
  }

  /** A step threw: nothing comes after it. */
  broke(envelope: Envelope): void {
    const n = ++this.#steps;
    this.#fenced(envelope.atMs, () => {
      const event = this.#eventOf(envelope);
      this.#writeStep(envelope, { ...this.#headOf(n, event, envelope), broken: true });
      this.#sink.flush();
    });
  }

  /** The run was stopped in order. */
  ended(): void {
    const run = this.#run;
    if (run === null) return;
    this.#fenced(run.state.live.nowMs, () => {
      this.#flush();
      const { state, hasher } = run;
      const stateHash = hasher.sha256Hex(canonicalState(state));
      const liveHash = hasher.sha256Hex(canonicalLive(state));
      this.#write(state.live.nowMs, { end: { steps: this.#steps, stateHash, liveHash } });
    });
  }

  /** The place of the event among all that the frames gave; null for an input that came otherwise. */
  #eventOf({ input }: Envelope): number | null {
    if (input.kind !== "market") return null;
    const { event } = input;
    if (event.kind === "link.up" || event.kind === "link.lost") return null;
    const at = this.#waiting[this.#taken] === event ? this.#taken : this.#search(event);
    if (at < 0) return null;
    const place = this.#firstWaiting + at;
    this.#taken = at + 1;
    if (this.#taken === this.#waiting.length) this.#forget();
    return place;
  }

  /** What stands before it was brought twice, by two connections. */
  #search(event: MarketEvent): number {
    return this.#waiting.indexOf(event, this.#taken);
  }

  #forget(): void {
    this.#waiting = [];
    this.#taken = 0;
    this.#firstWaiting = this.#events;
  }

  #join(n: number, event: number, atMs: number): void {
    const joined = this.#joined;
    if (joined?.atMs === atMs && joined.first + joined.count === event) {
      joined.count++;
      return;
    }
    this.#flush();
    this.#joined = { n, first: event, count: 1, atMs };
  }

  #flush(): void {
    const joined = this.#joined;
    if (joined === null) return;
    this.#joined = null;
    this.#write(joined.atMs, { n: joined.n, events: [joined.first, joined.count] });
  }

  #headOf(n: number, event: number | null, envelope: Envelope): StepRow {
    const { correlationId, entropy, input } = envelope;
    return {
      n,
      correlationId,
      ...(entropy !== "" && { entropy }),
      ...(event === null ? { input: plain(input) } : { event }),
    };
  }

  #writeStep(envelope: Envelope, row: StepRow): void {
    this.#flush();
    this.#write(envelope.atMs, row);
  }

  #liveHash({ input }: Envelope): Pick<StepRow, "liveHash" | "liveBooks"> {
    if (input.kind !== "tick" || this.#steps - this.#hashedAt < this.#liveHashEvery) return {};
    const run = this.#run;
    if (run === null) return {};
    this.#hashedAt = this.#steps;
    const { size } = run.state.live.books;
    const from = this.#nextBook < size ? this.#nextBook : 0;
    const liveBooks = [from, booksPerDigest] as const;
    this.#nextBook = from + booksPerDigest;
    const liveHash = run.hasher.sha256Hex(canonicalLive(run.state, liveBooks));
    return { liveHash, ...(size > booksPerDigest && { liveBooks }) };
  }

  #write(atMs: number, row: JournalRow): void {
    this.#rows++;
    this.#sink.step(atMs, JSON.stringify(row));
  }

  #fenced(atMs: number, work: () => void): void {
    if (this.#run === null) return;
    try {
      work();
    } catch {
      this.#sink.missed(atMs);
    }
  }
}

/** Readers may keep the levels of a snapshot in a form of their own; what makes it up is the same. */
function plain(input: EngineInput): EngineInput {
  if (input.kind === "book.read") return { ...input, book: plainSnapshot(input.book) };
  if (input.kind !== "market" || input.event.kind !== "book.snapshot") return input;
  return { ...input, event: plainSnapshot(input.event) };
}

function plainSnapshot(book: BookSnapshot): BookSnapshot {
  const { kind, conditionId, tokenId, timestamp, hash, bids, asks, source } = book;
  const { tickSize, minOrderSize, negRisk, lastTradePrice } = book;
  const said = { tickSize, minOrderSize, negRisk, lastTradePrice, source };
  return { kind, conditionId, tokenId, timestamp, hash, bids, asks, ...said };
}
