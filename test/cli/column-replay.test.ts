// Replaying a tape's columns gives what replaying its frames one by one gives.

import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { openRecording, type Recording } from "../../src/cli/frame-files.ts";
import { type ReplayOptions, replayBooks, replayEverything } from "../../src/cli/replay-books.ts";
import { identity, startMs } from "../adapters/tape/frames.ts";
import { scratchFolder } from "../adapters/tape/support.ts";
import { kinds, later, type Step, stream, tape, trouble } from "./troubled-stream.ts";

const frameCount = stream.length;

const journaled = Buffer.from('{"n":1,"input":{"kind":"tick"}}');
const blockRows = 15;

/** Writes the steps as a tape in blocks of a few rows, one millisecond apart; a service's inputs stand among them. */
function taped(steps: readonly Step[]): Recording {
  const folder = join(scratchFolder(), "tape");
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs - 1);
  // Some markets are named beforehand, as a recording names those that it follows.
  writer.followed(tape.markets.slice(0, 2), startMs - 1);
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
      early: "out_of_order",
      "off-tick": "off_tick",
      group: "",
      turned: "",
    });
  }, 300_000);

  test("a frame that comes again is known, also when it was the last one of its block", async () => {
    for (let at = 300; at < 300 + blockRows; at++) {
      const steps: Step[] = [...stream];
      trouble(steps, { at, kind: "again" });
      for (const keptBytes of [0, replayEverything.keptBytes]) {
        const { columns, frames } = await bothWays(taped(steps), { keptBytes });
        expect(columns, String(at)).toEqual(frames);
        expect(columns.integrityFailures, String(at)).toEqual({});
      }
    }
  }, 300_000);

  test("one trouble alone, wherever it is in its block", async () => {
    for (const kind of later) {
      for (let at = 300; at < 300 + blockRows; at++) {
        const steps: Step[] = [...stream];
        trouble(steps, { at, kind });
        const { columns, frames } = await bothWays(taped(steps), { keptBytes: 0 });
        expect(columns, `${kind} ${at}`).toEqual(frames);
      }
    }
  }, 300_000);

  test("a token that the tape knows before the book's own is not taken for one of them", async () => {
    const steps: Step[] = [...stream];
    const first = stream.findIndex((text) => text.includes("price_changes"));
    const market = (stream[first] ?? "").slice(0, 90);
    const at = stream.findIndex((text, i) => i > 300 && text.startsWith(market));
    // Said beside what the venue says, which stays as it is.
    for (const place of [at, first]) {
      steps.splice(place, 0, stream[place] ?? "");
      trouble(steps, { at: place, kind: "stranger" });
    }
    // A text has named the other token before, so the stranger is not taken for it.
    const own = tape.markets.find(({ conditionId }) => market.includes(conditionId));
    const trade = {
      market: own?.conditionId,
      asset_id: own?.tokenIds[1],
      timestamp: "1780000000000",
    };
    const rest = { event_type: "last_trade_price", price: "0.5", size: "7", side: "BUY" };
    steps.splice(first, 0, JSON.stringify({ ...trade, ...rest }));
    const { columns, frames } = await bothWays(taped(steps), {});
    expect(columns).toEqual(frames);
    expect(columns.integrityFailures).toEqual({});
  });

  test("counts from the very frame that comes at the moment", async () => {
    const recording = taped(stream);
    for (let from = 300; from < 310; from++) {
      const { columns, frames } = await bothWays(recording, { fromMs: startMs + from });
      expect(columns).toEqual(frames);
      expect(columns.frames).toBe(frameCount - from);
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
