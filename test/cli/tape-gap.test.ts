// A service whose tape loses rows goes on trading, says so, and gives a replay its books back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { journaledRows } from "../../src/adapters/tape/tape-reader.ts";
import { verifyTape } from "../../src/adapters/tape/verify-tape.ts";
import { replayDecisions } from "../../src/cli/decision-replay.ts";
import { openRecording } from "../../src/cli/frame-files.ts";
import { LedgerCursor } from "../../src/cli/ledger-cursor.ts";
import { playBooks, replayEverything } from "../../src/cli/replay-books.ts";
import type { MarketBook } from "../../src/engine/domain/market-book.ts";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { createServiceTape } from "../../src/tape-recording.ts";
import { collectingLog } from "../adapters/polymarket/paper-desk.ts";
import { notesOf } from "../adapters/tape/support.ts";
import { priceOf, sharesOf } from "../engine/support/levels.ts";
import { openLiveDesk, until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";

const paper = loadConfig(new URL("../../config/paper.toml", import.meta.url).pathname);
const queueBytes = 1_000_000;
/** A frame that says nothing, as long as a large book. */
const blank = Buffer.alloc(100_000, " ");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pitboss-gap-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const levels = ({ ladder }: MarketBook) => [
  levelsOf(ladder, 0, "buy"),
  levelsOf(ladder, 0, "sell"),
];

test("behind a gap the books stand on the tape, so that both replays tell the truth", async () => {
  const tapeDir = join(folder, "tape");
  const config = { ...paper, storage: { ...paper.storage, tapeDir } };
  const { log, lines } = collectingLog();
  const tape = createServiceTape(config, systemClock, { queueBytes });
  await tape.open(log);
  const desk = await openLiveDesk({ tape });
  await desk.engine.market(standing.conditionId);
  const placed = (limit: string) => {
    const amount = { unit: "shares", value: sharesOf("20") } as const;
    return desk.place({ conditionId: standing.conditionId, limit: priceOf(limit), amount });
  };
  await placed("0.40");
  const figures = () => {
    const now = tape.figures();
    if (now === null) throw new TypeError("nothing is recorded");
    return now;
  };
  expect(figures()).toMatchObject({ isLosing: false, gaps: 0, failing: null, booksKept: 0 });
  // Nothing is taken off the queue within one turn of the loop.
  for (let n = 0; n < 30; n++) tape.recording.onFrame(blank);
  expect(figures().isLosing).toBe(true);
  expect(figures().waitingBytes).toBeGreaterThan(queueBytes / 2);
  // Trading does not notice.
  await placed("0.41");
  const books = [...desk.engine.state.live.books.values()].filter((one) => one.status === "live");
  await until("the books are kept", () => figures().booksKept >= books.length);
  expect(books.length).toBeGreaterThan(2);
  const last = await placed("0.42");
  await until("it rests", () => desk.order(last.clientOid).status === "live");
  await until("the book shows it", () => {
    const book = desk.engine.state.live.books.get(standing.conditionId);
    return (
      book !== undefined && levelsOf(book.ladder, 0, "buy").some(({ price }) => price === 4_200)
    );
  });
  const ledger = await openLedger(desk.ledgerFile);
  const records = await ledger.read(1, 10_000);
  await ledger.close();
  await desk.close();
  await tape.close();
  expect(
    lines.filter(({ event }) => event === "tape.gap").map(({ fields }) => fields["state"]),
  ).toEqual(["begun", "ended"]);
  expect(figures()).toMatchObject({ isLosing: false, gaps: 1, failing: null });
  expect(figures().journalRows).toBeGreaterThan(20);
  expect(figures().writtenAtMs).not.toBeNull();
  expect(verifyTape(tapeDir, () => undefined)).toMatchObject({ faults: [], gaps: 1 });

  const kinds = notesOf(tapeDir).map(({ note }) => note.note);
  expect(kinds.slice(kinds.indexOf("gap")).filter((kind) => kind === "book")).toHaveLength(
    books.length,
  );
  for (const hashes of [true, false]) {
    const replay = await playBooks(openRecording(tapeDir), { ...replayEverything, hashes });
    expect(replay.report()).toMatchObject({ gaps: 1, integrityFailures: {} });
    for (const book of books) {
      const again = replay.books.get(book.conditionId);
      expect(again?.status, book.conditionId).toBe("live");
      expect(again === undefined ? null : levels(again)).toEqual(levels(book));
    }
  }

  const kept = { read: async (from: number) => records.slice(from - 1) };
  const options = { run: null, progress: () => undefined };
  const { runs } = await replayDecisions(
    journaledRows(tapeDir),
    new LedgerCursor(kept),
    createHasher(),
    options,
  );
  expect(runs).toMatchObject([{ end: "gap", difference: null }]);
  // The order before the gap is proved, those behind it are not.
  expect(runs[0]?.facts).toBeGreaterThan(5);
  expect(runs[0]?.unproved).toBeGreaterThan(5);
}, 60_000);
