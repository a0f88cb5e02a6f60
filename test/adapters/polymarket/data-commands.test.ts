import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPaperDesk, type PaperDesk, until } from "./paper-desk.ts";
import { recordedJson, recordedNames, recordedPath, skipped } from "./recorded-data.ts";

const main = new URL("../../../src/main.ts", import.meta.url).pathname;
const outputLimit = 10 * 1024 * 1024;

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };
type Running = {
  readonly child: ChildProcess;
  readonly done: Promise<Ran>;
  readonly out: () => string;
};

function begin(...args: string[]): Running {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout?.on("data", (data: Buffer) => (out = (out + data.toString()).slice(-outputLimit)));
  child.stderr?.on("data", (data: Buffer) => (err = (err + data.toString()).slice(-outputLimit)));
  const done = new Promise<Ran>((resolve) => {
    child.on("close", (code) => resolve({ code, out, err }));
  });
  return { child, done, out: () => out };
}

const pitboss = (...args: string[]) => begin(...args).done;
const lastLine = (text: string) => text.trimEnd().split("\n").at(-1);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "pitboss-data-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const fed = "ws/fed-decision-2026-07-20.frames.json";

describe.skipIf(skipped(4))("book-verify on the recorded books", () => {
  test("everything verifies; the empty stub is skipped", async () => {
    const books = recordedNames("books").map((name) => recordedPath(`books/${name}`));
    const ran = await pitboss(
      "book-verify",
      ...books,
      recordedPath(fed),
      recordedPath("ws/book-hash-vectors-2026-09.json"),
    );
    expect(lastLine(ran.out)).toBe("verified 75, failed 0, skipped 1");
    expect(ran.code).toBe(0);
    expect(ran.out).toContain("neg_risk is not said for");
  });

  test("one changed size fails, wherever it is", async () => {
    const [name = ""] = recordedNames("books");
    const book = recordedJson(`books/${name}`) as { bids: { size: string }[] };
    const level = book.bids[0];
    if (level === undefined) throw new TypeError("an empty book");
    level.size = `${level.size}1`;
    const flipped = await pitboss("book-verify", file("flipped.json", JSON.stringify(book)));
    expect(flipped.code).toBe(1);
    expect(lastLine(flipped.out)).toBe("verified 0, failed 1, skipped 0");
    const frames = recordedJson(fed) as Record<string, { size: string }[]>[];
    const change = frames[20]?.["price_changes"]?.[0];
    if (change === undefined) throw new TypeError("no change");
    change.size = `${change.size}7`;
    const tape = await pitboss("book-verify", file("tape.json", JSON.stringify(frames)), "--json");
    expect(tape.code).toBe(1);
    expect(JSON.parse(tape.out)).toMatchObject({ failed: expect.any(Number), skipped: 0 });
  });

  test("JSON lines, arrays of books and a wrong --neg-risk", async () => {
    const frames = recordedJson(fed) as unknown[];
    const lines = file("lines.jsonl", frames.map((frame) => JSON.stringify(frame)).join("\n"));
    expect(lastLine((await pitboss("book-verify", lines)).out)).toBe(
      "verified 50, failed 0, skipped 0",
    );
    const books = recordedNames("books").map((name) => recordedJson(`books/${name}`));
    const array = file("array.json", JSON.stringify(books));
    expect(lastLine((await pitboss("book-verify", array)).out)).toBe(
      "verified 15, failed 0, skipped 1",
    );
    const wrong = await pitboss("book-verify", lines, "--neg-risk", "false");
    expect(lastLine(wrong.out)).toBe("verified 0, failed 50, skipped 0");
    expect(wrong.code).toBe(1);
  });

  test("nothing verified is no success; no file and a missing file are wrong use", async () => {
    const [stub = ""] = recordedNames("books").filter((name) => name.startsWith("0x5a9476"));
    const ran = await pitboss("book-verify", recordedPath(`books/${stub}`));
    expect([ran.code, lastLine(ran.out)]).toEqual([1, "verified 0, failed 0, skipped 1"]);
    expect((await pitboss("book-verify")).code).toBe(2);
    expect((await pitboss("book-verify", join(dir, "none.json"))).code).toBe(2);
    expect((await pitboss("book-verify", "--help")).out).toContain("example: pitboss book-verify");
  });
});

describe.skipIf(skipped(3))("replay of the recorded Fed frames", () => {
  type Report = {
    readonly integrityFailures: Record<string, number>;
    readonly resynced: number;
    readonly snapshotsAgreed: number;
    readonly snapshotsDiffered: number;
    readonly hashesVerified: number;
    readonly digest: string;
  };
  const replay = async (...args: string[]) =>
    JSON.parse((await pitboss("replay", recordedPath(fed), "--json", ...args)).out) as Report;

  test("no integrity failure, the later book exactly, the same digest twice", async () => {
    const first = await replay("--strict");
    expect(first).toMatchObject({
      integrityFailures: {},
      resynced: 0,
      snapshotsAgreed: 1,
      snapshotsDiffered: 0,
      // Its book hashes: 2, and one for each token of 23 changes; the book repeats the last change's.
      hashesVerified: 48,
    });
    expect(await replay()).toEqual(first);
    expect(lastLine((await pitboss("replay", recordedPath(fed))).out)).toBe(
      `digest ${first.digest}`,
    );
  });

  test("a dropped frame is noticed, and the next snapshot brings the same final books", async () => {
    const whole = await replay();
    const without = await replay("--drop", "6");
    expect(without.integrityFailures).toEqual({ hash_mismatch: 1 });
    expect(without.resynced).toBe(1);
    expect(without.digest).toBe(whole.digest);
    const noFirst = await replay("--drop", "1");
    expect(noFirst.integrityFailures).toEqual({ no_snapshot: 1 });
    expect(noFirst.digest).toBe(whole.digest);
    // The change right before the snapshot: only the comparison with the snapshot can tell.
    expect(await replay("--drop", "12")).toMatchObject({ snapshotsDiffered: 1 });
    expect((await pitboss("replay", recordedPath(fed), "--drop", "12", "--strict")).code).toBe(1);
    const strict = await pitboss("replay", recordedPath(fed), "--drop", "20", "--strict");
    expect(strict.code).toBe(1);
  });

  test("wrong use is told", async () => {
    expect((await pitboss("replay")).code).toBe(2);
    expect((await pitboss("replay", recordedPath(fed), "--drop", "x")).code).toBe(2);
  });
});

describe.skipIf(skipped(4))("sets-scan on the recorded complete sets", () => {
  test.each([
    ["1", "0.9940", "1.0220", "1.018467"],
    ["100", "0.9957", "1.0220", "1.020254"],
    ["1000", "0.9972", "1.0221", "1.021768"],
  ])(
    "%s shares: minimum %s, median %s, with fees of 0.04 %s",
    async (size, min, median, minAllIn) => {
      const data = ["--data", recordedPath("complete-sets"), "--size", size, "--json"];
      const free = JSON.parse((await pitboss("sets-scan", ...data)).out) as Record<string, unknown>;
      expect(free).toMatchObject({ size, feeRate: "0", complete: 5, min, median });
      expect((free["minAllIn"] as string).slice(0, 5)).toBe(min.slice(0, 5));
      const ran = await pitboss("sets-scan", ...data, "--fee-rate", "0.04");
      const scan = JSON.parse(ran.out) as Record<string, unknown>;
      expect(scan).toMatchObject({ feeRate: "0.04", complete: 5, min, median, minAllIn });
      const events = scan["events"] as { status: string; allIn: string | null }[];
      expect(events).toHaveLength(38);
      expect(events[0]).toMatchObject({ status: "complete", allIn: minAllIn });
      expect(events.filter((event) => event.status === "incomplete")).toHaveLength(33);
    },
  );

  test("a size that nothing fills has no figures; a bad size is wrong use", async () => {
    const data = ["--data", recordedPath("."), "--json"];
    const ran = await pitboss("sets-scan", ...data, "--size", "900000000");
    expect(JSON.parse(ran.out)).toMatchObject({ complete: 0, min: null, median: null });
    expect((await pitboss("sets-scan", ...data, "--size", "0")).code).toBe(2);
    expect((await pitboss("sets-scan", "--data", dir, "--size", "1")).code).toBe(2);
  });
});

describe("record, replay and ingest-ws on the paper venue", () => {
  let desk: PaperDesk;
  beforeEach(async () => {
    desk = await openPaperDesk({ still: false, pace: 20 });
    desk.world.start();
  });
  afterEach(async () => desk.close());

  const urls = () => {
    const { ws, gamma, clob } = desk.urls;
    return ["--ws-url", ws, "--gamma-url", gamma, "--clob-url", clob];
  };

  test("Ctrl-C ends a recording with everything in the file; its replay is whole and repeatable", async () => {
    const out = join(dir, "recorded.jsonl");
    const running = begin(
      "record",
      "--out",
      out,
      "--top",
      "20",
      "harbor-league-champion",
      ...urls(),
    );
    await until("frames in the file", () => {
      try {
        return readFileSync(out, "utf8").split("\n").length > 100 ? true : null;
      } catch {
        return null;
      }
    });
    running.child.kill("SIGINT");
    const ran = await running.done;
    expect(ran.code).toBe(0);
    const frames = Number(/recorded (\d+) frames/.exec(ran.err)?.[1]);
    const first = await pitboss("replay", out, "--json");
    const report = JSON.parse(first.out) as Record<string, unknown>;
    expect(report).toMatchObject({ frames, integrityFailures: {}, snapshotsDiffered: 0 });
    expect((report["books"] as unknown[]).length).toBeGreaterThanOrEqual(20);
    expect((await pitboss("replay", out, "--json")).out).toBe(first.out);
  });

  test("a file may hold several recordings, the first one cut off", async () => {
    const out = join(dir, "twice.jsonl");
    const record = () =>
      pitboss("record", "--out", out, "--top", "20", "--seconds", "1", ...urls());
    await record();
    writeFileSync(out, readFileSync(out, "utf8").slice(0, -40));
    await record();
    const { code, out: text } = await pitboss("replay", out, "--strict", "--json");
    expect(JSON.parse(text)).toMatchObject({ integrityFailures: {}, snapshotsDiffered: 0 });
    expect(code).toBe(0);
  });

  test("without a venue there is nothing to record: exit 3 says where it looked", async () => {
    const gone = await pitboss(
      "ingest-ws",
      "--top",
      "1",
      "--gamma-url",
      "http://127.0.0.1:1/gamma",
    );
    expect(gone.code).toBe(3);
    expect(gone.err).toContain("no catalog at http://127.0.0.1:1/gamma");
  });

  test("ingest-ws shows live books as JSON lines and as a table", async () => {
    const lines = await pitboss("ingest-ws", "--top", "5", "--seconds", "1", "--json", ...urls());
    expect(lines.code).toBe(0);
    const rows = lines.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.length).toBeGreaterThanOrEqual(5);
    expect(rows.at(-1)).toMatchObject({ status: "live", resyncs: 0 });
    expect(Number(rows.at(-1)?.["mid"])).toBeGreaterThan(0);
    const table = await pitboss("ingest-ws", "--top", "3", "--seconds", "1", ...urls());
    expect(table.out).toMatch(/market +bid +ask +mid +age state/);
    expect(lastLine(table.out)).toMatch(/^1 connections, \d+ frames, 0 invalid$/);
  });

  test("unknown markets, no markets and a missing --out are wrong use", async () => {
    const unknown = await pitboss("ingest-ws", "no-such-market", ...urls());
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("no-such-market")]);
    expect((await pitboss("ingest-ws", ...urls())).code).toBe(2);
    expect((await pitboss("record", "--top", "1", ...urls())).code).toBe(2);
    const nowhere = join(dir, "none", "x.jsonl");
    expect((await pitboss("record", "--out", nowhere, "--top", "1", ...urls())).code).toBe(1);
  });
});
