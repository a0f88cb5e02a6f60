// What a service records is what its books were made of.
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createHasher } from "../../src/adapters/polymarket/hasher.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { readManifest } from "../../src/adapters/tape/manifest.ts";
import { verifyTape } from "../../src/adapters/tape/verify-tape.ts";
import { openRecording } from "../../src/cli/frame-files.ts";
import { playBooks, replayEverything } from "../../src/cli/replay-books.ts";
import {
  applyMarketEvent,
  checkClaims,
  createMarketBook,
  type MarketBook,
  markStale,
} from "../../src/engine/domain/market-book.ts";
import { levelsOf } from "../../src/engine/domain/order-book.ts";
import { createServiceTape } from "../../src/tape-recording.ts";
import { collectingLog, openPaperDesk, type PaperDesk } from "../adapters/polymarket/paper-desk.ts";
import { notesOf, scratchFolder } from "../adapters/tape/support.ts";

const hasher = createHasher();
const paper = loadConfig(new URL("../../config/paper.toml", import.meta.url).pathname);

let desk: PaperDesk;
beforeEach(async () => {
  desk = await openPaperDesk({ still: false, pace: 20 });
  desk.world.start();
});
afterEach(async () => desk.close());

const contentOf = (book: MarketBook) => ({
  conditionId: book.conditionId,
  status: book.status,
  timestamp: book.timestamp,
  bids: levelsOf(book.ladder, 0, "buy"),
  asks: levelsOf(book.ladder, 0, "sell"),
});

describe("the tape of a service", () => {
  test("replays to the books that it had, with the lost connection in its place", async () => {
    const folder = join(scratchFolder(), "tape");
    const config = { ...paper, storage: { ...paper.storage, tapeDir: folder } };
    const { log, lines } = collectingLog();
    const tape = createServiceTape(config, systemClock);
    await tape.open(log);
    const { catalog, marketData } = desk.connect({ recording: tape.recording });
    const found = await catalog.find({ by: "top", value: "" }, 6);
    if (!found.ok) throw new TypeError(found.error);
    const books = new Map(
      found.value.markets.map((market) => {
        const tokenIds = [market.outcomes[0].tokenId, market.outcomes[1].tokenId] as const;
        return [market.conditionId, createMarketBook({ ...market, tokenIds })];
      }),
    );
    const applied = () => [...books.values()].reduce((sum, book) => sum + book.framesApplied, 0);
    const done = Promise.withResolvers<readonly ReturnType<typeof contentOf>[]>();
    let dropped: number | null = null;
    let lost = 0;
    let isNamed = false;
    marketData.start((events) => {
      for (const event of events) {
        if (event.kind === "link.up") continue;
        if (event.kind === "link.lost") {
          lost++;
          for (const id of event.conditionIds) {
            const book = books.get(id);
            if (book !== undefined) markStale(book, "link_lost");
          }
          continue;
        }
        const book = books.get(event.conditionId);
        if (book !== undefined) applyMarketEvent(book, event, Date.now(), hasher);
      }
      if (dropped === null && isNamed && applied() > 60) {
        dropped = applied();
        void desk.fault("ws-drop", { channel: "market" });
      }
      if (lost === 0 || dropped === null || applied() < dropped + 60) return;
      // Everything that was recorded is applied now; what comes later is neither recorded nor looked at.
      void tape.close();
      for (const book of books.values()) checkClaims(book, hasher);
      done.resolve([...books.values()].map(contentOf));
      dropped = Number.POSITIVE_INFINITY;
    });
    marketData.watch([...books.values()]);
    // While its first segment is open the manifest names what is followed, whether it moves or not.
    const named = () => {
      const { segments, markets } = readManifest(folder) ?? {};
      return { segments, markets: markets?.map(({ conditionId }) => conditionId) };
    };
    await expect
      .poll(named, { timeout: 60_000 })
      .toEqual({ segments: [], markets: [...books.keys()] });
    isNamed = true;
    const contents = await done.promise;
    await tape.close();

    expect(verifyTape(folder, () => undefined)).toMatchObject({ faults: [], gaps: 0 });
    expect(notesOf(folder).map(({ note }) => note)).toContainEqual(
      expect.objectContaining({ note: "link", link: "lost" }),
    );
    const replay = await playBooks(openRecording(folder), replayEverything);
    replay.report();
    const again = contents.map(({ conditionId }) => replay.books.get(conditionId));
    expect(again.map((book) => (book === undefined ? null : contentOf(book)))).toEqual(contents);
    expect(lines[0]?.event).toBe("tape.recording");
    expect(lines.some(({ event }) => event === "tape.failed" || event === "tape.gap")).toBe(false);
  });

  test("is recorded only where a folder is named; a folder that cannot be one keeps the service from starting", async () => {
    expect(paper.storage.tapeDir).toBeNull();
    const { log, lines } = collectingLog();
    const none = createServiceTape(paper, systemClock);
    await none.open(log);
    none.recording.onFrame(Buffer.from("{}"));
    await none.close();
    expect(lines).toEqual([]);
    const file = new URL(import.meta.url).pathname;
    const config = { ...paper, storage: { ...paper.storage, tapeDir: file } };
    await expect(createServiceTape(config, systemClock).open(log)).rejects.toThrow(
      /the tape cannot be recorded: .*EEXIST/,
    );
  });
});
