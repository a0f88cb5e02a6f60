import { UsualBooks } from "../baseline/usual-book.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  countText,
  durationText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { type FrameTape, makeTape } from "../support/frame-tape.ts";
import { demandSameBooks, LiveBooks, SteppedBooks } from "../support/live-books.ts";
import { type Contender, type Round, race, type Timing, timeEach } from "../support/race.ts";

/** What the documents ask for: under 20 ms median from a delta to the changed book, 5,000 level changes a minute. */
export const askedDeltaNs = 20e6;
export const askedChangesPerMinute = 5_000;
const wantedOverAsked = 1_000;
/** performance.md section 4. */
const wantedOverUsual = 10;

/** What one message costs where nothing else is done (performance.md 1a and 1b, its machine): a scan and two changes. */
const floorNs = 142 + 2 * 31;

/** Frames of a round; every round goes on where the last one ended. */
const framesOf = { hashed: 1_500, plain: 5_000 } as const;

/** price_change bytes -> parsed -> applied, for 1 to 10,000 markets, with and without book hashes to verify. */
export const frameCase: BenchCase = { name: "frame", run };

type Setting = {
  readonly key: string;
  readonly label: string;
  readonly markets: number;
  readonly hashes: boolean;
  /** So many books are as good as aged by the frames of others; making their changes takes longer than the race. */
  readonly openingChanges?: number;
};

const settings: readonly Setting[] = [
  { key: "1", label: "1 market", markets: 1, hashes: false },
  { key: "100", label: "100 markets", markets: 100, hashes: false },
  { key: "1000", label: "1,000 markets", markets: 1_000, hashes: false },
  { key: "10000", label: "10,000 markets", markets: 10_000, hashes: false, openingChanges: 0 },
  { key: "1_hashed", label: "1 market, hashes verified", markets: 1, hashes: true },
  { key: "1000_hashed", label: "1,000 markets, hashes verified", markets: 1_000, hashes: true },
];

async function run(context: BenchContext): Promise<CaseResult> {
  const rows: CaseResult["rows"][number][] = [];
  const notes: string[] = [];
  const aims: CaseResult["aims"][number][] = [];
  const ratios: Record<string, number> = {};
  const curve: string[] = [];
  for (const { key, label, ...options } of settings) {
    const { hashes, markets } = options;
    context.progress(`frame: making the tape of ${label}`);
    const perRound = hashes ? framesOf.hashed : framesOf.plain;
    const bounds = { rounds: context.rounds, warmUps: markets > 1 ? 1 : 2 };
    const frames = perRound * (1 + bounds.rounds + bounds.warmUps);
    const desks = new Desks(makeTape({ ...options, frames }), hashes);
    desks.play(perRound);
    desks.compare(perRound);
    const timings = await race(desks.contenders(perRound), bounds, (text) =>
      context.progress(`frame ${label}: ${text}`),
    );
    desks.compare(frames);
    const tape = desks.tape;
    const compared = rowsAgainst(label, timings);
    rows.push(...compared.rows);
    const first = timings[0];
    if (first === undefined) continue;
    const asked = overAsked(first, tape.changesPerFrame);
    if (!hashes) curve.push(`${label} ${durationText(first.medianNs)}`);
    notes.push(
      `${label}: ${durationText(first.medianNs / tape.changesPerFrame)} per level change; ` +
        `${countText(asked.delta)}x under the documents' 20 ms a delta, ` +
        `${countText(asked.changes)}x their 5,000 level changes a minute`,
    );
    ratios[`frame_${key}`] = compared.ratio;
    ratios[`frame_${key}_vs_20ms`] = asked.delta;
    ratios[`frame_${key}_vs_5000_per_min`] = asked.changes;
    aims.push(
      ratioAim(`${label}: over the usual way`, compared.ratio, wantedOverUsual),
      ratioAim(`${label}: under 20 ms a delta`, asked.delta, wantedOverAsked),
      ratioAim(`${label}: over 5,000 changes a minute`, asked.changes, wantedOverAsked),
    );
  }
  notes.push(
    `a frame by the number of markets: ${curve.join(", ")}; ` +
      `the limit of performance.md for scan and two changes is ${durationText(floorNs)} hot, on its machine`,
  );
  return {
    title:
      "Frame: price_change bytes -> parsed -> applied to the book (2 mirrored level changes, 140 levels)",
    rows,
    notes,
    ratios,
    aims,
  };
}

/** How often the measured figures fit into the ones that the documents ask for. */
export function overAsked(
  timing: Timing,
  changesPerFrame: number,
): { readonly delta: number; readonly changes: number } {
  return {
    delta: askedDeltaNs / timing.medianNs,
    changes: (timing.perSecond * changesPerFrame * 60) / askedChangesPerMinute,
  };
}

type Reads = { readonly read: (frame: Buffer) => void };

/** The same books three times. They are built once and changed by round after round of the tape. */
class Desks {
  readonly tape: FrameTape;
  readonly #hashes: boolean;
  readonly #ours: LiveBooks;
  readonly #stepped: SteppedBooks;
  readonly #usual: UsualBooks;
  readonly #all: readonly (readonly [string, Reads])[];

  constructor(tape: FrameTape, hashes: boolean) {
    const usual = new UsualBooks(new Map(tape.markets.map(({ tokenIds }) => tokenIds)), hashes);
    this.tape = tape;
    this.#hashes = hashes;
    this.#ours = new LiveBooks(tape);
    this.#stepped = new SteppedBooks(tape);
    this.#usual = usual;
    this.#all = [
      ["ours", this.#ours],
      ["ours, inside the engine's step", this.#stepped],
      [
        `JSON.parse + zod + Map/sort${hashes ? " + stringify/sha1" : ""}`,
        { read: (frame) => usual.read(frame.toString("utf8")) },
      ],
    ];
    for (const [, desk] of this.#all) for (const frame of tape.opening) desk.read(frame);
  }

  /** The first frames, untimed. */
  play(frames: number): void {
    for (const [, desk] of this.#all) {
      for (const frame of this.tape.frames.slice(0, frames)) desk.read(frame);
    }
  }

  contenders(perRound: number): readonly Contender[] {
    return this.#all.map(([name, desk]) => {
      // What was played to compare is behind all of them.
      let played = perRound;
      return {
        name,
        round: (): Round => {
          const from = played;
          played += perRound;
          return timeEach(perRound, (i) => desk.read(this.tape.frames[from + i] ?? nothing));
        },
      };
    });
  }

  /** @throws BenchError unless all have the same books after so many frames */
  compare(frames: number): void {
    this.#ours.close();
    demandSameBooks(this.#ours, this.#usual);
    demandSameBooks(this.#stepped, this.#usual);
    if (!this.#hashes) return;
    demand(
      this.#usual.hashesVerified === frames * this.tape.changesPerFrame,
      "the baseline verified every hash",
    );
    // Both tokens' hashes speak of one ladder: proving one of them at each time is enough.
    const least = frames + this.tape.markets.length;
    demand(this.#ours.hashesVerified() >= least, "ours verified the book after every frame");
  }
}

const nothing = Buffer.alloc(0);
