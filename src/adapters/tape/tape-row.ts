/** Why rows are missing at a place of a tape. */
export type GapReason =
  /** More came than the queue to the recording thread holds. */
  | "overload"
  /** The disk was full or refused to write. */
  | "disk";

/** What a tape says beside frames. */
export type TapeNote =
  /** A recording began: nobody listened before, so no book of earlier rows is still right. */
  | { readonly note: "session"; readonly codeVersion: string; readonly configHash: string }
  | {
      readonly note: "link";
      readonly link: "up" | "lost";
      /** Condition ids that a lost connection carried; absent for all. */
      readonly markets?: readonly string[];
    }
  /** `lost` rows from `fromMs` to the row's own time were not kept; their sequence numbers are used up. */
  | {
      readonly note: "gap";
      readonly reason: GapReason;
      readonly lost: number;
      readonly fromMs: number;
    }
  /** Behind a gap: what the recorder itself held of a book, in the shape of the venue's own message. */
  | { readonly note: "book"; readonly frame: string };

/** One row of a tape. `seq` counts from 1 without holes; a gap's row stands for all the rows that it lost. */
export type TapeRow = {
  readonly seq: number;
  /** Local milliseconds at which it was received. */
  readonly atMs: number;
} & (
  | { readonly kind: "frame" /** As the venue sent it. */; readonly text: string }
  | { readonly kind: "note"; readonly note: TapeNote }
  /** An input of the engine that recorded this tape, as its journal encodes it. */
  | { readonly kind: "step"; readonly text: string }
);

/** A row that speaks of the market, as every tape has them. */
export type MarketRow = Exclude<TapeRow, { readonly kind: "step" }>;

const noteKinds: ReadonlySet<unknown> = new Set<TapeNote["note"]>([
  "session",
  "link",
  "gap",
  "book",
]);

/** How many sequence numbers a note uses up. */
export function seqsOf(note: TapeNote): number {
  return note.note === "gap" ? Math.max(1, note.lost) : 1;
}

/** A note of a tape's own making. @throws SyntaxError when the text is none */
export function noteOf(text: string): TapeNote {
  const value = JSON.parse(text) as Partial<TapeNote>;
  if (noteKinds.has(value.note)) return value as TapeNote;
  throw new SyntaxError("an unknown note");
}
