import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeTape } from "../../bench/support/frame-tape.ts";
import { defaultFolderLimits, FolderWriter } from "../../src/adapters/tape/folder-writer.ts";
import { readManifest } from "../../src/adapters/tape/manifest.ts";
import { removeSegments } from "../../src/adapters/tape/prune-tape.ts";
import { tapeRows } from "../../src/adapters/tape/tape-reader.ts";
import { verifyTape } from "../../src/adapters/tape/verify-tape.ts";
import type { ReplayReport } from "../../src/cli/book-replay.ts";
import { snapshotFilePattern } from "../../src/cli/snapshot-file.ts";
import { openPaperDesk, type PaperDesk } from "../adapters/polymarket/paper-desk.ts";
import {
  recordedJson,
  recordedPath,
  recordedText,
  skipped,
} from "../adapters/polymarket/recorded-data.ts";
import { frameOf, identity, marketOf, startMs } from "../adapters/tape/frames.ts";
import { recordFrames, scratchFolder, textsOf } from "../adapters/tape/support.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

type Running = { readonly child: ChildProcess; readonly done: Promise<Ran> };

function begin(...args: string[]): Running {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout?.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (err += data.toString()));
  const done = new Promise<Ran>((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
  return { child, done };
}

/** Lines of a file that may not be there yet. */
function linesIn(file: string): number {
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length : 0;
}

const pitboss = (...args: string[]) => begin(...args).done;

async function replayed(...args: string[]): Promise<ReplayReport> {
  return JSON.parse((await pitboss("replay", ...args, "--json")).out) as ReplayReport;
}

describe("record, tape-info, tape-verify, tape-export and replay on the paper venue", {
  timeout: 300_000,
}, () => {
  let desk: PaperDesk;
  beforeEach(async () => {
    desk = await openPaperDesk({ still: false, pace: 20 });
    desk.world.start();
  });
  afterEach(async () => desk.close());

  test("a tape and a file of one recording say the same, in fresh processes too", async () => {
    const tape = join(scratchFolder(), "tape");
    const file = join(scratchFolder(), "frames.jsonl");
    const { ws, gamma, clob } = desk.urls;
    const urls = ["--ws-url", ws, "--gamma-url", gamma, "--clob-url", clob];
    const running = begin("record", "--tape", tape, "--out", file, "--top", "20", ...urls);
    while (linesIn(file) < 150) await sleep(20);
    running.child.kill("SIGINT");
    const ran = await running.done;
    expect(ran.code).toBe(0);
    const frames = Number(/recorded (\d+) frames/.exec(ran.err)?.[1]);
    expect(verifyTape(tape, () => undefined)).toMatchObject({ frames, gaps: 0, faults: [] });

    const fromFile = await replayed(file);
    expect(fromFile).toMatchObject({ frames, snapshotsDiffered: 0, gaps: 0 });
    expect(fromFile.integrityFailures).toEqual({});
    expect(fromFile.books.length).toBeGreaterThanOrEqual(20);
    expect(await replayed(tape)).toEqual(fromFile);
    expect((await replayed(tape, "--fast")).digest).toBe(fromFile.digest);

    const exported = join(scratchFolder(), "exported.jsonl");
    expect((await pitboss("tape-export", tape, "--out", exported)).code).toBe(0);
    const framesIn = (path: string) =>
      readFileSync(path, "utf8")
        .split("\n")
        .flatMap((line) => /"frame":(".*")\}$/.exec(line)?.[1] ?? []);
    expect(framesIn(exported)).toEqual(framesIn(file));
    expect(await replayed(exported)).toEqual(fromFile);
    const info = JSON.parse((await pitboss("tape-info", tape, "--json")).out) as object;
    expect(info).toMatchObject({ frames, gaps: 0, openSegments: 0 });
    // Also those that printed nothing but their first book.
    const played = new Set(fromFile.books.map(({ conditionId }) => conditionId));
    const { markets } = info as { readonly markets: readonly { readonly conditionId: string }[] };
    expect(new Set(markets.map(({ conditionId }) => conditionId))).toEqual(played);
    expect(info).toMatchObject({ configHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });
});

describe("the paper venue with a tape", { timeout: 300_000 }, () => {
  test("plays it as it plays a file of the same frames", async () => {
    const frames = makeTape({ markets: 2, frames: 50, hashes: true });
    const texts = [...frames.opening, ...frames.frames].map((frame) => frame.toString("utf8"));
    const folder = join(scratchFolder(), "tape");
    recordFrames(folder, texts.length, 20, (n) => texts[n] ?? "");
    const file = join(scratchFolder(), "frames.jsonl");
    writeFileSync(file, texts.join("\n"));
    const summaries: string[] = [];
    for (const path of [folder, file]) {
      const state = scratchFolder();
      const venue = begin("paper-venue", "--port", "0", "--state", state, "--tape", path, "--json");
      const told = await Promise.race([
        once(venue.child.stdout ?? venue.child, "data"),
        venue.done,
      ]);
      const line = Array.isArray(told) ? String(told[0]) : told.err;
      summaries.push((JSON.parse(line) as { summary: string }).summary);
      venue.child.kill("SIGTERM");
      expect((await venue.done).code).toBe(0);
    }
    expect(summaries[0]).toContain("2 markets opened with their first books");
    expect(summaries[0]).toBe(summaries[1]);
  });
});

describe("snapshot and prune", { timeout: 300_000 }, () => {
  test("a snapshot holds the books of now, each with the hash that belongs to it", async () => {
    const desk = await openPaperDesk({ still: false, pace: 20 });
    try {
      desk.world.start();
      const { ws, gamma, clob } = desk.urls;
      const urls = ["--ws-url", ws, "--gamma-url", gamma, "--clob-url", clob];
      const dir = scratchFolder();
      const ran = await pitboss("snapshot", "--dir", dir, "--top", "5", "--json", ...urls);
      expect(ran.code).toBe(0);
      const told = JSON.parse(ran.out) as { file: string; books: number; missing: string[] };
      expect(told).toMatchObject({ books: 5, missing: [] });
      const verified = await pitboss("book-verify", told.file);
      expect(verified.out).toContain("verified 5, failed 0, skipped 0");
      expect(readdirSync(dir)).toEqual([expect.stringMatching(snapshotFilePattern)]);
    } finally {
      await desk.close();
    }
  });

  test("prune removes what is old, keeps its minutes, and says what it freed", async () => {
    const tape = join(scratchFolder(), "tape");
    const frames = 3_000;
    // A frame every 100 ms: five minutes, long ago; then one of now.
    const writer = new FolderWriter(tape, identity, defaultFolderLimits, startMs);
    for (let n = 0; n < frames; n++) {
      const bytes = Buffer.from(frameOf(n));
      writer.frame(startMs + 100 * n, bytes, [0, bytes.length], startMs + 100 * n);
    }
    writer.close(startMs + 100 * frames);
    recordNow(tape);
    const size = statSync(join(tape, "00000001.seg")).size;
    const old = join(tape, "..", "books-2026-01-01T00-00-00-000Z.jsonl.gz");
    writeFileSync(old, "x".repeat(100));
    utimesSync(old, new Date(0), new Date(0));
    const young = join(tape, "..", "books-2026-11-01T00-00-00-000Z.jsonl.gz");
    writeFileSync(young, "y");
    const folders = ["--tape", tape, "--snapshots", join(tape, "..")];
    const wanted = {
      tape: { files: 1, bytes: size, rows: frames + 1 },
      snapshots: { files: 1, bytes: 100 },
    };
    const dry = await pitboss("prune", ...folders, "--dry-run", "--json");
    expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, ...wanted });
    expect(existsSync(old) && existsSync(join(tape, "00000001.seg"))).toBe(true);

    const ran = await pitboss("prune", ...folders, "--json");
    expect([ran.code, JSON.parse(ran.out)]).toMatchObject([0, { dryRun: false, ...wanted }]);
    expect(existsSync(old) || existsSync(join(tape, "00000001.seg"))).toBe(false);
    expect(existsSync(young)).toBe(true);
    const lines = gunzipSync(readFileSync(join(tape, "minutes", "00000001.csv.gz")))
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .slice(1);
    expect(lines).toHaveLength(
      (JSON.parse(ran.out) as { tape: { minuteBars: number } }).tape.minuteBars,
    );
    expect(lines.toSorted()).toEqual(usualBars(frames).toSorted());

    // What is left is whole, and numbers are not given twice, even when nothing is left.
    expect(verifyTape(tape, () => undefined)).toMatchObject({ segments: 1, faults: [] });
    const { segments } = readManifest(tape) ?? { segments: [] };
    removeSegments(tape, segments);
    recordNow(tape);
    expect(readdirSync(tape)).toContain("00000003.seg");
    expect([...tapeRows(tape)][0]?.seq).toBe(frames + 1 + 2 + 1);
  });

  test("without a folder prune says what it wants", async () => {
    const ran = await pitboss("prune");
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("which folders?")]);
  });
});

/** One frame with the time of this machine. */
function recordNow(folder: string): void {
  const nowMs = Date.now();
  const writer = new FolderWriter(folder, identity, defaultFolderLimits, nowMs);
  const bytes = Buffer.from(frameOf(0));
  writer.frame(nowMs, bytes, [0, bytes.length], nowMs);
  writer.close(nowMs);
}

type UsualBar = { bids: string[]; asks: string[]; changes: number; trades: number };

/** The bars of the made-up frames, the plain way: every frame parsed, every value kept. */
function usualBars(frames: number): string[] {
  const bars = new Map<string, UsualBar>();
  const barOf = (n: number, market: string, token: string): UsualBar => {
    const minute = new Date(Math.floor((startMs + 100 * n) / 60_000) * 60_000).toISOString();
    const key = `${minute},${market},${token}`;
    const bar = bars.get(key) ?? { bids: [], asks: [], changes: 0, trades: 0 };
    bars.set(key, bar);
    return bar;
  };
  for (let n = 0; n < frames; n++) {
    if (!frameOf(n).includes("price_changes")) continue;
    const frame = JSON.parse(frameOf(n)) as {
      market: string;
      price_changes: { asset_id: string; best_bid: string; best_ask: string }[];
    };
    for (const change of frame.price_changes) {
      const bar = barOf(n, frame.market, change.asset_id);
      bar.changes++;
      if (change.best_bid !== "0") bar.bids.push(change.best_bid);
      if (change.best_ask !== "1") bar.asks.push(change.best_ask);
    }
  }
  const span = (values: string[]) => {
    const sorted = values.toSorted((a, b) => Number(a) - Number(b));
    return [values[0], sorted.at(-1), sorted[0], values.at(-1)].map((value) => value ?? "").join();
  };
  return [...bars].map(
    ([key, bar]) => `${key},${span(bar.bids)},${span(bar.asks)},${bar.changes},0,${bar.trades}`,
  );
}

describe("a tape's tools", { timeout: 300_000 }, () => {
  const recorded = (frames: number): string => {
    const folder = join(scratchFolder(), "tape");
    recordFrames(folder, frames);
    return folder;
  };

  test("tape-verify says whole and exits 0, or where it is damaged and exits 1", async () => {
    const tape = recorded(300);
    const whole = await pitboss("tape-verify", tape);
    expect([whole.code, whole.out.trimEnd().split("\n").at(-1)]).toEqual([0, "whole"]);
    expect(whole.out).toContain("rows 301, frames 300, gaps 0");
    const file = join(tape, "00000001.seg");
    const bytes = readFileSync(file);
    bytes[2_000] = (bytes[2_000] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const damaged = await pitboss("tape-verify", tape, "--json");
    expect(damaged.code).toBe(1);
    expect(JSON.parse(damaged.out)).toMatchObject({ faults: { length: 2 } });
    const refused = await pitboss("replay", tape);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("checksum")]);
  });

  test("tape-export writes a part by time and market, and does not overwrite", async () => {
    const tape = recorded(300);
    const { conditionId } = marketOf(2);
    const part = ["--from", String(startMs + 100), "--to", new Date(startMs + 199).toISOString()];
    const ran = await pitboss("tape-export", tape, ...part, "--market", conditionId);
    const lines = ran.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { t: number; frame: string });
    const wanted = Array.from({ length: 100 }, (_, i) => 100 + i).filter(
      (n) => frameOf(n).includes("price_change") && frameOf(n).includes(conditionId),
    );
    expect(lines).toEqual(wanted.map((n) => ({ t: startMs + n, frame: frameOf(n) })));
    const out = join(tape, "..", "there.jsonl");
    writeFileSync(out, "");
    expect((await pitboss("tape-export", tape, "--out", out)).code).toBe(1);
    expect(readFileSync(out, "utf8")).toBe("");
  });

  test("tape-export ends without a complaint when its reader has seen enough", async () => {
    const { child, done } = begin("tape-export", recorded(3_000));
    child.stdout?.once("data", () => child.stdout?.destroy());
    const ran = await done;
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.out.length).toBeLessThan(frameOf(1).length * 3_000);
  });

  test("wrong use is told", async () => {
    const tape = recorded(5);
    for (const command of ["tape-info", "tape-verify", "tape-export"]) {
      expect((await pitboss(command)).code).toBe(2);
      expect((await pitboss(command, scratchFolder())).code).toBe(2);
      expect((await pitboss(command, "--help")).out).toContain(`example: pitboss ${command}`);
    }
    expect((await pitboss("tape-info", tape)).out).toContain(
      "kept as columns 4 frames, as texts 1",
    );
    const bad = await pitboss("replay", tape, "--from", "yesterday");
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining("--from must be a time")]);
    expect((await pitboss("replay", tape, "--market", "0x12")).code).toBe(2);
    expect((await pitboss("replay", tape, "--speed", "0")).code).toBe(2);
    const held = await pitboss("record", "--top", "1");
    expect([held.code, held.err]).toEqual([2, expect.stringContaining("where to?")]);
  });
});

describe("files of others", { timeout: 300_000 }, () => {
  const market = marketOf(1);
  const book = (bids: string[][]) => ({
    event_type: "book",
    market: market.conditionId,
    asset_id: market.tokens[0],
    timestamp: String(startMs),
    bids: bids.map(([price, size]) => ({ price, size })),
    asks: [{ price: "0.60", size: "10" }],
  });
  const oldChange = {
    event_type: "price_change",
    market: market.conditionId,
    asset_id: market.tokens[0],
    timestamp: String(startMs + 1),
    changes: [{ price: "0.42", side: "BUY", size: "5" }],
  };

  test.each([
    ["lines", (values: unknown[]) => values.map((value) => JSON.stringify(value)).join("\n")],
    ["an array", (values: unknown[]) => JSON.stringify(values)],
    ["nested arrays", (values: unknown[]) => JSON.stringify(values.map((value) => [[value]]))],
  ])("the old shape of changes, as %s, plain and gzipped", async (_, written) => {
    const text = written([book([["0.41", "7"]]), oldChange]);
    const plain = join(scratchFolder(), "old.jsonl");
    const zipped = `${plain}.gz`;
    writeFileSync(plain, text);
    writeFileSync(zipped, gzipSync(text));
    const report = await replayed(plain);
    expect(report).toMatchObject({ frames: 2, books: [{ bid: "0.42", ask: "0.6", levels: 3 }] });
    expect(await replayed(zipped)).toEqual(report);
  });
});

describe.skipIf(skipped(4))("the recorded files", { timeout: 300_000 }, () => {
  test.each([
    ["fed-decision-2026-07-20.frames.json", { frames: 27, snapshotsAgreed: 1 }],
    ["book-hash-vectors-2026-09.json", { frames: 6, hashesVerified: 10 }],
    ["all-event-types-2026-05.jsonl", { frames: 14 }],
  ])("%s is read", async (name, wanted) => {
    const report = await replayed(recordedPath(`ws/${name}`));
    expect(report).toMatchObject(wanted);
  });

  test("frames on a tape are given back as they were recorded", () => {
    const texts = recordedText("ws/all-event-types-2026-05.jsonl").trimEnd().split("\n");
    const fed = recordedJson("ws/fed-decision-2026-07-20.frames.json") as unknown[];
    const folder = join(scratchFolder(), "tape");
    const all = [...texts, ...fed.map((value) => JSON.stringify(value))];
    recordFrames(folder, all.length, 10, (n) => all[n] ?? "");
    expect(textsOf(folder)).toEqual(all);
  });
});
