import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifyTape } from "../../src/adapters/tape/verify-tape.ts";
import type { ReplayReport } from "../../src/cli/book-replay.ts";
import { openPaperDesk, type PaperDesk, until } from "../adapters/polymarket/paper-desk.ts";
import {
  recordedJson,
  recordedPath,
  recordedText,
  skipped,
} from "../adapters/polymarket/recorded-data.ts";
import { frameOf, marketOf, startMs } from "../adapters/tape/frames.ts";
import { recordFrames, scratchFolder, textsOf } from "../adapters/tape/support.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

function begin(...args: string[]): { readonly child: ChildProcess; readonly done: Promise<Ran> } {
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
    await until("frames in the file", () => {
      try {
        return readFileSync(file, "utf8").split("\n").length > 150 ? true : null;
      } catch {
        return null;
      }
    });
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
    expect(info).toMatchObject({ configHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  });
});

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
