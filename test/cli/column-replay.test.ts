// Replaying a tape's columns gives what replaying its frames one by one gives.

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeTape } from "../../bench/support/frame-tape.ts";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import type { TapeNote } from "../../src/adapters/tape/tape-row.ts";
import { openRecording, type Recording } from "../../src/cli/frame-files.ts";
import { type ReplayOptions, replayBooks, replayEverything } from "../../src/cli/replay-books.ts";
import { identity, startMs } from "../adapters/tape/frames.ts";
import { scratchFolder } from "../adapters/tape/support.ts";

const marketCount = 4;
const tape = makeTape({ markets: marketCount, frames: 600, hashes: true });
const opening = tape.opening.map((frame) => frame.toString("utf8"));
const stream = [...opening, ...tape.frames.map((frame) => frame.toString("utf8"))];
const frameCount = stream.length;

type Step = string | TapeNote;

/** Something that happens at one place of a stream. */
type Trouble = { readonly at: number; readonly kind: (typeof kinds)[number] };
const kinds = [
  "drop",
  "repeat",
  "again",
  "swap",
  "size",
  "best",
  "bests",
  "alone",
  "trade",
  "book",
  "tick",
  "link",
  "one-link",
  "gap",
  "own-book",
  "price",
  "token",
  "spaces",
] as const;

function trouble(steps: Step[], { at, kind }: Trouble): void {
  const place = at % steps.length;
  const here = steps[place];
  if (typeof here !== "string") return;
  const market = tape.markets[at % marketCount];
  const head = {
    market: market?.conditionId,
    asset_id: market?.tokenIds[0],
    timestamp: "1780000000099",
  };
  switch (kind) {
    case "drop":
      steps.splice(place, 1);
      return;
    case "repeat":
      steps.splice(place, 0, here);
      return;
    case "again":
      steps.splice(place + 6, 0, here);
      return;
    case "swap":
      steps.splice(place, 2, ...steps.slice(place, place + 2).toReversed());
      return;
    case "size":
      steps[place] = here.replace(/"size":"[^"]*"/, '"size":"1234567.891"');
      return;
    case "best":
      steps[place] = here.replace(/"best_bid":"[^"]*"/, '"best_bid":"0"');
      return;
    case "bests":
      steps[place] = here
        .replaceAll(/"best_bid":"[^"]*"/g, '"best_bid":"0"')
        .replaceAll(/"best_ask":"[^"]*"/g, '"best_ask":"1"');
      return;
    case "alone":
      // Of one token, with its ask alone right: nothing in the message itself contradicts it.
      steps[place] = here
        .replace(/("price_changes":\[\{[^}]*\}),\{[^}]*\}/, "$1")
        .replace(/"best_bid":"[^"]*"/, '"best_bid":"0.001"');
      return;
    case "trade":
      steps.splice(
        place,
        0,
        JSON.stringify({
          ...head,
          event_type: "last_trade_price",
          price: "0.5",
          size: "7",
          side: "BUY",
        }),
      );
      return;
    case "book":
      steps.splice(place, 0, opening[at % marketCount] ?? "");
      return;
    case "tick":
      steps.splice(
        place,
        0,
        JSON.stringify({ ...head, event_type: "tick_size_change", new_tick_size: "0.01" }),
      );
      return;
    case "link":
      steps.splice(place, 0, { note: "link", link: "lost" });
      return;
    case "one-link":
      steps.splice(place, 0, { note: "link", link: "lost", markets: [String(head.market)] });
      return;
    case "gap":
      steps.splice(place, 0, { note: "gap", reason: "overload", lost: 3, fromMs: startMs });
      return;
    case "own-book":
      steps.splice(place, 0, { note: "book", frame: opening[at % marketCount] ?? "" });
      return;
    case "price":
      steps[place] = here.replace(/"price":"[^"]*"/, '"price":"0"');
      return;
    case "token":
      steps[place] = here.replaceAll(/"asset_id":"\d/g, '"asset_id":"x');
      return;
    case "spaces":
      steps[place] = here.replace(",", " , ");
      return;
  }
}

const journaled = Buffer.from('{"n":1,"input":{"kind":"tick"}}');
const blockRows = 15;

/** Writes the steps as a tape in blocks of a few rows, one millisecond apart; a service's inputs stand among them. */
function taped(steps: readonly Step[]): Recording {
  const folder = join(scratchFolder(), "tape");
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs - 1);
  for (const [i, step] of steps.entries()) {
    const atMs = startMs + i;
    if (typeof step === "string") {
      const bytes = Buffer.from(step);
      writer.frame(atMs, bytes, [0, bytes.length], atMs);
    } else writer.note(atMs, step, atMs);
    if (i % 3 === 0) writer.step(atMs, journaled, [0, journaled.length], atMs);
    if (i % blockRows === blockRows - 1) writer.tick(atMs + defaultFolderLimits.blockMs);
  }
  writer.close(startMs + steps.length);
  return openRecording(folder);
}

/** The same recording, gone through frame by frame. */
const byFrames = (recording: Recording): Recording => ({ ...recording, isTape: false });

async function bothWays(recording: Recording, options: Partial<ReplayOptions>) {
  const all = { ...replayEverything, hashes: false, ...options };
  return {
    columns: await replayBooks(recording, all),
    frames: await replayBooks(byFrames(recording), all),
  };
}

describe("replaying columns", () => {
  test("gives the same report as replaying the frames, whatever happened to the stream", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom(...kinds) }), { maxLength: 25 }),
        fc.option(fc.record({ from: fc.nat(700), to: fc.nat(700), market: fc.nat(3) })),
        fc.constantFrom(0, 60_000, replayEverything.keptBytes),
        async (troubles, part, keptBytes) => {
          const steps: Step[] = [...stream];
          for (const one of troubles) trouble(steps, one);
          const options =
            part === null
              ? {}
              : {
                  fromMs: startMs + part.from,
                  toMs: startMs + part.to,
                  markets: new Set([tape.markets[part.market]?.conditionId ?? ""]),
                };
          const { columns, frames } = await bothWays(taped(steps), { ...options, keptBytes });
          expect(columns).toEqual(frames);
        },
      ),
      { numRuns: 40 },
    );
  }, 300_000);

  test("one trouble alone is noticed by both for the same reason", async () => {
    const noticed: Record<string, string> = {};
    for (const kind of kinds) {
      const steps: Step[] = [...stream];
      trouble(steps, { at: 301, kind });
      const { columns, frames } = await bothWays(taped(steps), {});
      expect(columns, kind).toEqual(frames);
      noticed[kind] = Object.keys(columns.integrityFailures).join();
    }
    // What is said about one token alone contradicts the other one; what is said about both contradicts the book.
    expect(noticed).toMatchObject({
      best: "mirror_mismatch",
      bests: "best_price_mismatch",
      alone: "best_price_mismatch",
      link: "no_snapshot",
      "one-link": "no_snapshot",
      gap: "no_snapshot",
      repeat: "",
      size: "mirror_mismatch",
    });
  }, 300_000);

  test("a frame that comes again is known, also when it was the last one of its block", async () => {
    for (let at = 300; at < 300 + blockRows; at++) {
      const steps: Step[] = [...stream];
      trouble(steps, { at, kind: "again" });
      const { columns, frames } = await bothWays(taped(steps), {});
      expect(columns, String(at)).toEqual(frames);
      expect(columns.integrityFailures, String(at)).toEqual({});
    }
  }, 300_000);

  test("a stream without trouble has the digest that verifying every hash gives", async () => {
    const recording = taped(stream);
    const { columns, frames } = await bothWays(recording, {});
    const verified = await replayBooks(recording, replayEverything);
    expect(verified.integrityFailures).toEqual({});
    expect(verified).toMatchObject({ snapshotsDiffered: 0, frames: frameCount });
    expect(verified.hashesVerified).toBeGreaterThan(1_000);
    expect(columns.digest).toBe(verified.digest);
    expect(frames.digest).toBe(verified.digest);
  }, 300_000);

  test("from a moment on counts less and gives the same books; up to a moment gives earlier ones", async () => {
    const recording = taped(stream);
    const whole = await replayBooks(recording, replayEverything);
    const late = await replayBooks(recording, { ...replayEverything, fromMs: startMs + 400 });
    expect(late).toMatchObject({ digest: whole.digest, frames: frameCount - 400 });
    const early = await replayBooks(recording, { ...replayEverything, toMs: startMs + 399 });
    expect(early.frames).toBe(400);
    expect(early.digest).not.toBe(whole.digest);
    const one = new Set([tape.markets[2]?.conditionId ?? ""]);
    const alone = await replayBooks(recording, { ...replayEverything, markets: one });
    expect(alone.books).toEqual(whole.books.filter((book) => one.has(book.conditionId)));
  }, 300_000);

  test("at a pace takes as long as the recording did, divided by the speed", async () => {
    const recording = taped(stream);
    const startedAt = performance.now();
    const paced = await replayBooks(recording, { ...replayEverything, hashes: false, speed: 2 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    const { columns } = await bothWays(recording, {});
    expect(paced).toEqual(columns);
  });
});
