import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { defaultFolderLimits, FolderWriter } from "../../../src/adapters/tape/folder-writer.ts";
import { readManifest } from "../../../src/adapters/tape/manifest.ts";
import { removeSegments } from "../../../src/adapters/tape/prune-tape.ts";
import { tapeRows } from "../../../src/adapters/tape/tape-reader.ts";
import { openTapeRecorder } from "../../../src/adapters/tape/tape-recorder.ts";
import { verifyTape } from "../../../src/adapters/tape/verify-tape.ts";
import { endedUnnoticed } from "../../ended-process.ts";
import { frameOf, identity, marketOf, startMs } from "./frames.ts";
import { addFrames, notesOf, recordFrames, scratchFolder, textsOf } from "./support.ts";

const recordLoop = new URL("./record-loop.ts", import.meta.url).pathname;
const kills = 5;
const faultsOf = (folder: string) => verifyTape(folder, () => undefined).faults;

describe("a recording", () => {
  test("keeps frames and news of the connection in order, over several recordings", async () => {
    const folder = join(scratchFolder(), "tape");
    for (const part of [0, 1, 2]) {
      const recorder = await openTapeRecorder({ folder, identity });
      recorder.link(startMs, "up");
      for (let n = 0; n < 1_000; n++)
        recorder.frame(startMs + n, Buffer.from(frameOf(1_000 * part + n)));
      recorder.link(startMs + 1_000, "lost");
      const totals = await recorder.close();
      expect(totals).toMatchObject({ frames: 1_000, rows: 1_003, lostRows: 0, refused: null });
    }
    expect(textsOf(folder)).toEqual(Array.from({ length: 3_000 }, (_, n) => frameOf(n)));
    expect(notesOf(folder).map(({ note }) => note.note)).toEqual(
      Array.from({ length: 3 }, () => ["session", "link", "link"]).flat(),
    );
    expect(notesOf(folder)[0]?.note).toEqual({ note: "session", ...identity });
    expect(faultsOf(folder)).toEqual([]);
    expect(readManifest(folder)).toMatchObject({ ...identity, segments: { length: 3 } });
    expect(readManifest(folder)?.markets).toHaveLength(5);
  });

  test("a frame larger than every buffer is kept whole", async () => {
    const folder = join(scratchFolder(), "tape");
    const recorder = await openTapeRecorder({ folder, identity });
    const huge = JSON.stringify({ event_type: "book", text: "ü".repeat(3_000_000) });
    const texts = [frameOf(1), huge, frameOf(2)];
    for (const text of texts) recorder.frame(startMs, Buffer.from(text));
    await recorder.close();
    expect(textsOf(folder)).toEqual(texts);
  });

  test("what the queue does not hold is one gap with its count, and the numbers go on behind it", async () => {
    const folder = join(scratchFolder(), "tape");
    const states: string[] = [];
    const recorder = await openTapeRecorder({
      folder,
      identity,
      queueBytes: 1_000_000,
      onGap: (state) => states.push(state),
    });
    const sent = 10_000;
    // Nothing is taken off the queue within one turn of the loop.
    for (let n = 0; n < sent; n++) recorder.frame(startMs + n, Buffer.from(frameOf(n)));
    expect(states).toEqual(["begun"]);
    const totals = await recorder.close();
    const kept = textsOf(folder);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => frameOf(n)));
    expect(totals).toMatchObject({ gaps: 1, lostRows: sent - kept.length });
    expect(kept.length).toBeGreaterThan(500);
    const gap = notesOf(folder).at(-1);
    expect(gap?.note).toEqual({
      note: "gap",
      reason: "overload",
      lost: sent - kept.length,
      fromMs: startMs + kept.length,
    });
    recordFrames(folder, 10);
    // One session row each, and the gap stands for all that it lost.
    expect([...tapeRows(folder)].at(-1)?.seq).toBe(2 + sent + 10);
    expect(faultsOf(folder)).toEqual([]);
  });

  test("a gap ends by itself once the thread has caught up", async () => {
    const folder = join(scratchFolder(), "tape");
    const ended = Promise.withResolvers<void>();
    const recorder = await openTapeRecorder({
      folder,
      identity,
      queueBytes: 1_000_000,
      onGap: (state) => state === "ended" && ended.resolve(),
    });
    for (let n = 0; n < 5_000; n++) recorder.frame(startMs + n, Buffer.from(frameOf(n)));
    const more = setInterval(() => recorder.frame(startMs + 6_000, Buffer.from("after")), 5);
    await ended.promise;
    clearInterval(more);
    recorder.frame(startMs + 7_000, Buffer.from("last"));
    await recorder.close();
    expect(textsOf(folder).at(-1)).toBe("last");
    expect(notesOf(folder).filter(({ note }) => note.note === "gap")).toHaveLength(1);
    expect(faultsOf(folder)).toEqual([]);
  });

  test("a second one on the same folder is refused; one whose process is gone is not waited for", async () => {
    const folder = join(scratchFolder(), "tape");
    const recorder = await openTapeRecorder({ folder, identity });
    await expect(openTapeRecorder({ folder, identity })).rejects.toThrow(
      `process ${process.pid} records into this folder`,
    );
    await recorder.close();
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    // A restarted container gives the same process id again.
    await using ended = await endedUnnoticed();
    const unnoticed = `${ended.lock.pid} ${ended.lock.startedAt}`;
    for (const lock of [`${gone} 4711`, `${process.pid} 4711`, unnoticed, ""]) {
      writeFileSync(join(folder, "recording.lock"), lock);
      await (await openTapeRecorder({ folder, identity })).close();
    }
    expect(readdirSync(folder)).not.toContain("recording.lock");
    await expect(
      openTapeRecorder({ folder: join(folder, "manifest.json"), identity }),
    ).rejects.toThrow("EEXIST");
  });

  test("the manifest names the markets that are followed, soon and without being asked again", () => {
    const folder = join(scratchFolder(), "tape");
    const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
    const named = () => readManifest(folder)?.markets;
    const followed = (n: number) => {
      const { conditionId, tokens } = marketOf(n);
      return { conditionId, tokenIds: tokens };
    };
    const [one, other, third] = [followed(1), followed(2), followed(3)];
    writer.followed([one], startMs);
    expect(named()).toEqual([one]);
    writer.followed([other], startMs + 1);
    writer.tick(startMs + 4_999);
    expect(named()).toEqual([one]);
    writer.tick(startMs + 5_000);
    expect(named()).toEqual([one, other]);
    // The order of its tokens is that of its outcomes, whichever was met first.
    addFrames(writer, [0, 200], 20);
    writer.followed([third], startMs + 5_001);
    writer.close(startMs + 5_002);
    expect(named()).toEqual(expect.arrayContaining([one, other, third]));
    expect(faultsOf(folder)).toEqual([]);
  });

  test("what was pruned beside it stays pruned, and its numbers are never given again", () => {
    const folder = join(scratchFolder(), "tape");
    recordFrames(folder, 200);
    const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs + 1_000);
    removeSegments(folder, readManifest(folder)?.segments ?? []);
    const { removed } = readManifest(folder) ?? {};
    expect(removed).toMatchObject({ lastNumber: 1 });
    writer.followed([{ conditionId: "0x1", tokenIds: ["1", "2"] }], startMs + 1_001);
    expect(readManifest(folder)).toMatchObject({ removed, segments: [] });
    expect(readManifest(folder)?.markets).toHaveLength(6);
    writer.close(startMs + 1_002);
    expect(readManifest(folder)).toMatchObject({ removed, segments: [{ file: "00000002.seg" }] });
  });

  test("segments end by size and age, and stay in order", () => {
    const folder = join(scratchFolder(), "tape");
    const limits = { ...defaultFolderLimits, segmentBytes: 20_000, segmentMs: 300 };
    const writer = new FolderWriter(folder, identity, limits, startMs);
    addFrames(writer, [0, 2_000], 20);
    writer.close(startMs + 9_000);
    const segments = readManifest(folder)?.segments ?? [];
    expect(segments.length).toBeGreaterThan(6);
    expect(segments.reduce((sum, { frames }) => sum + frames, 0)).toBe(2_000);
    expect(textsOf(folder)).toEqual(Array.from({ length: 2_000 }, (_, n) => frameOf(n)));
    expect(faultsOf(folder)).toEqual([]);
  });
});

/** Starts recording, kills the process after the n-th report; what the thread had told to be written. */
async function killed(folder: string, reports: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [recordLoop, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let told = 0;
  let seen = 0;
  if (child.stdout === null) throw new TypeError("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    told = Number(line);
    if (++seen === reports) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return told;
}

describe("kill -9 while it records", () => {
  test(`${kills} times: what was written stays, the tape is whole, the next recording goes on`, async () => {
    const folder = join(scratchFolder(), "tape");
    let before: string[] = [];
    for (let i = 0; i < kills; i++) {
      const told = await killed(folder, 1 + Math.floor(Math.random() * 12));
      expect(faultsOf(folder)).toEqual([]);
      const texts = textsOf(folder);
      expect(texts.slice(0, before.length)).toEqual(before);
      const own = texts.slice(before.length);
      expect(own.length).toBeGreaterThanOrEqual(told);
      expect(own).toEqual(Array.from({ length: own.length }, (_, n) => frameOf(n)));
      before = texts;
    }
    expect(before.length).toBeGreaterThan(kills);
    recordFrames(folder, 100);
    expect(verifyTape(folder, () => undefined)).toMatchObject({ faults: [], tornBytes: 0 });
    expect(textsOf(folder)).toHaveLength(before.length + 100);
  }, 600_000);
});

/** By their paths: a machine without them has no such test. */
const tool = (name: string) => `/bin/${name}`;

/** A file system of 300 kB, or null where this process may not mount one. */
function smallDisk(): { readonly path: string; readonly end: () => void } | null {
  const path = join(scratchFolder(), "disk");
  mkdirSync(path);
  const mounted = spawnSync(tool("mount"), ["-t", "tmpfs", "-o", "size=300k", "tmpfs", path]);
  if (mounted.status !== 0) return null;
  return { path, end: () => void spawnSync(tool("umount"), ["-l", path]) };
}

describe("a full disk", () => {
  test("ends in a gap with its count; with room again the tape goes on", (context) => {
    const disk = smallDisk();
    if (disk === null) {
      process.stdout.write(
        "SKIPPED 1 test: no file system of a limited size can be mounted here\n",
      );
      context.skip();
      return;
    }
    try {
      const folder = join(disk.path, "tape");
      const filler = join(disk.path, "filler");
      const writer = new FolderWriter(folder, identity, defaultFolderLimits, startMs);
      addFrames(writer, [0, 200], 20);
      writeFileSync(filler, Buffer.alloc(150_000));
      addFrames(writer, [200, 8_000], 20);
      expect(writer.totals.refused).toContain("ENOSPC");
      // Whoever looks now finds a whole tape up to the last block that fitted.
      expect(faultsOf(folder)).toEqual([]);
      const kept = textsOf(folder).length;
      expect(kept).toBeGreaterThan(400);
      expect(kept).toBeLessThan(8_000);
      rmSync(filler);
      addFrames(writer, [8_000, 9_500], 20);
      expect(writer.totals.refused).toBeNull();
      writer.close(startMs + 20_000);
      const gap = notesOf(folder)
        .map(({ note }) => note)
        .find(({ note }) => note === "gap");
      const texts = textsOf(folder);
      const lost = gap?.note === "gap" ? gap.lost : 0;
      expect(gap).toMatchObject({ reason: "disk", fromMs: startMs + kept });
      expect(texts.slice(kept)).toEqual(
        Array.from({ length: 9_500 - kept - lost }, (_, n) => frameOf(kept + lost + n)),
      );
      expect([...tapeRows(folder)].at(-1)?.seq).toBe(1 + 9_500);
      expect(verifyTape(folder, () => undefined)).toMatchObject({ faults: [], lostRows: lost });
      expect(existsSync(join(folder, "manifest.json"))).toBe(true);
    } finally {
      disk.end();
    }
  });
});
