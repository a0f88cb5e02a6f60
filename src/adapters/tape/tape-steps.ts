import { rowKind } from "./block-builder.ts";
import { tapeBlocks } from "./tape-reader.ts";

/** An input of the engine as its journal encoded it. */
export type TapeStepRow = { readonly atMs: number; readonly text: string };

/** The engine's inputs of a tape in order. The frames between them are passed over, not unpacked. @throws TapeError */
export function* tapeSteps(folder: string): Generator<TapeStepRow> {
  for (const block of tapeBlocks(folder)) {
    if (!block.rowKinds.includes(rowKind.step)) continue;
    const cursor = block.cursor();
    for (const kind of block.rowKinds) {
      if (kind === rowKind.delta) block.skipDelta(cursor);
      else if (kind !== rowKind.step) block.skipStep(cursor);
      else {
        const bytes = block.nextText(cursor);
        yield { atMs: cursor.atMs, text: bytes.toString("utf8") };
      }
    }
  }
}
