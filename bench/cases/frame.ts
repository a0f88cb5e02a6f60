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

const framesOf = { hashed: 2_500, plain: 6_000 } as const;

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
    const frames = hashes ? framesOf.hashed : framesOf.plain;
    const tape = makeTape({ ...options, frames });
    checkEqual(tape, hashes);
    const bounds = { rounds: context.rounds, warmUps: markets > 1_000 ? 0 : markets > 1 ? 1 : 2 };
    const timings = await race([ours(tape), stepped(tape), usual(tape, hashes)], bounds, (text) =>
      context.progress(`frame ${label}: ${text}`),
    );
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

function mirrorsOf(tape: FrameTape): ReadonlyMap<string, string> {
  return new Map(tape.markets.map(({ tokenIds }) => tokenIds));
}

function oursOf(tape: FrameTape): LiveBooks {
  const books = new LiveBooks(tape);
  for (const frame of tape.opening) books.read(frame);
  return books;
}

function steppedOf(tape: FrameTape): SteppedBooks {
  const books = new SteppedBooks(tape);
  for (const frame of tape.opening) books.read(frame);
  return books;
}

function usualOf(tape: FrameTape, hashes: boolean): UsualBooks {
  const books = new UsualBooks(mirrorsOf(tape), hashes);
  for (const frame of tape.opening) books.read(frame.toString("utf8"));
  return books;
}

function checkEqual(tape: FrameTape, hashes: boolean): void {
  const mine = oursOf(tape);
  const inside = steppedOf(tape);
  const theirs = usualOf(tape, hashes);
  for (const frame of tape.frames) {
    mine.read(frame);
    inside.read(frame);
    theirs.read(frame.toString("utf8"));
  }
  mine.close();
  demandSameBooks(mine, theirs);
  demandSameBooks(inside, theirs);
  if (!hashes) return;
  const expected = tape.frames.length * tape.changesPerFrame;
  demand(theirs.hashesVerified === expected, "the baseline verified every hash");
  // Both tokens' hashes speak of one ladder: proving one of them at each time is enough.
  const least = tape.frames.length + tape.markets.length;
  demand(mine.hashesVerified() >= least, "ours verified the book after every frame");
}

function ours(tape: FrameTape): Contender {
  return {
    name: "ours",
    round(): Round {
      const books = oursOf(tape);
      return overFrames(tape, (frame) => books.read(frame));
    },
  };
}

function stepped(tape: FrameTape): Contender {
  return {
    name: "ours, inside the engine's step",
    round(): Round {
      const books = steppedOf(tape);
      return overFrames(tape, (frame) => books.read(frame));
    },
  };
}

function usual(tape: FrameTape, hashes: boolean): Contender {
  return {
    name: hashes ? "JSON.parse + zod + Map/sort + stringify/sha1" : "JSON.parse + zod + Map/sort",
    round(): Round {
      const books = usualOf(tape, hashes);
      return overFrames(tape, (frame) => books.read(frame.toString("utf8")));
    },
  };
}

const nothing = Buffer.alloc(0);

function overFrames(tape: FrameTape, read: (frame: Buffer) => void): Round {
  const { frames } = tape;
  return timeEach(frames.length, (i) => read(frames[i] ?? nothing));
}
