import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { recordedDataDir, saySkipped } from "./recorded-data.ts";

const command = new URL("../../../../src/cli/paper-venue.ts", import.meta.url).href;
const entry = `const { paperVenueCommand } = await import(${JSON.stringify(command)});
process.exitCode = await paperVenueCommand(process.argv.slice(1));`;

type Ready = {
  readonly ready: true;
  readonly port: number;
  readonly baseUrl: string;
  readonly gammaUrl: string;
  readonly dataUrl: string;
  readonly wsUrl: string;
  readonly summary: string;
};

const children: ChildProcess[] = [];
let state = "";
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "pitboss-venue-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    }
  }
  rmSync(state, { recursive: true, force: true });
});

function start(args: readonly string[], stdin: "pipe" | "ignore" = "ignore"): ChildProcess {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", entry, "--", ...args],
    { stdio: [stdin, "pipe", "pipe"] },
  );
  children.push(child);
  return child;
}

async function ready(child: ChildProcess): Promise<Ready> {
  if (child.stdout === null) throw new TypeError("no stdout");
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as Ready;
  throw new TypeError("the venue ended before it was ready");
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stderr };
}

function base(extra: readonly string[] = []): string[] {
  return ["--port", "0", "--state", state, "--json", ...extra];
}

async function json(url: string): Promise<unknown> {
  return await (await fetch(url)).json();
}

describe("pitboss paper-venue", () => {
  test("serves books, Gamma and sockets, and ends with 0 on SIGTERM", async () => {
    const child = start(base());
    const venue = await ready(child);
    expect(venue).toMatchObject({
      ready: true,
      gammaUrl: `${venue.baseUrl}/gamma`,
      dataUrl: `${venue.baseUrl}/data`,
      wsUrl: `ws://127.0.0.1:${venue.port}/ws`,
    });
    const markets = (await json(`${venue.gammaUrl}/markets?limit=500`)) as {
      clobTokenIds: string;
      positionIds?: string[];
      version: string;
      bestBid: number;
      acceptingOrders: boolean;
    }[];
    expect(markets.length).toBeGreaterThanOrEqual(40);
    for (const market of markets.filter(({ acceptingOrders }) => acceptingOrders)) {
      const tokens =
        market.version === "v2"
          ? market.positionIds
          : (JSON.parse(market.clobTokenIds) as string[]);
      const response = await fetch(`${venue.baseUrl}/book?token_id=${tokens?.[0] ?? ""}`);
      expect(response.status).toBe(200);
    }
    const first = JSON.parse(markets[0]?.clobTokenIds ?? "[]") as string[];
    const socket = new WebSocket(`${venue.wsUrl}/market`, { perMessageDeflate: false });
    const frame = await new Promise<string>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("open", () =>
        socket.send(JSON.stringify({ type: "market", assets_ids: [first[0]] })),
      );
      socket.once("message", (data: Buffer) => resolve(data.toString()));
    });
    expect(JSON.parse(frame)).toMatchObject([{ event_type: "book", asset_id: first[0] }]);
    socket.terminate();
    const empty = `${venue.dataUrl}/v2/positions?user=0x${"12".repeat(20)}`;
    expect(await json(empty)).toMatchObject({ data: [], pagination: { has_more: false } });
    expect((await fetch(`${venue.dataUrl}/v2/nothing`)).status).toBe(404);
    child.kill("SIGTERM");
    expect(await ended(child)).toEqual({ code: 0, stderr: "" });
  });

  test("a second venue on the same state says so and exits with 2; after the first died it starts", async () => {
    const first = start(base());
    await ready(first);
    expect(await ended(start(base()))).toEqual({
      code: 2,
      stderr: `paper-venue: another paper venue is running on ${state}\n`,
    });
    const gone = new Promise((resolve) => first.once("exit", resolve));
    first.kill("SIGKILL");
    await gone;
    expect((await ready(start(base()))).ready).toBe(true);
  });

  test("ends by itself when the parent closes our input, but not for /dev/null", async () => {
    const watched = start(base(["--parent-pid", String(process.pid)]), "pipe");
    await ready(watched);
    watched.stdin?.end();
    expect(await ended(watched)).toEqual({ code: 0, stderr: "" });
    const detached = start(base(["--parent-pid", String(process.pid)]));
    const { port } = await ready(detached);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve();
      });
      socket.once("error", reject);
    });
    expect(detached.exitCode).toBeNull();
  });

  test("a signal ends it although the parent keeps our input open", async () => {
    const child = start(base(["--parent-pid", String(process.pid)]), "pipe");
    await ready(child);
    child.kill("SIGINT");
    expect(await ended(child)).toEqual({ code: 0, stderr: "" });
  });

  test("ends when the process named by --parent-pid is gone", async () => {
    const parent = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: "pipe" });
    children.push(parent);
    const child = start(base(["--parent-pid", String(parent.pid)]));
    await ready(child);
    parent.kill("SIGKILL");
    expect((await ended(child)).code).toBe(0);
  });

  test("scripts hold and move a market through the control paths", async () => {
    const { baseUrl, gammaUrl } = await ready(start(base(["--pace", "50"])));
    const slug = "northmark-inflation-above-3";
    const post = (what: string, body: object) =>
      fetch(`${baseUrl}/paper/market/${slug}/${what}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
    expect((await post("hold", { hold: true })).status).toBe(200);
    const best = async () =>
      ((await json(`${gammaUrl}/markets/slug/${slug}`)) as { bestBid: number }).bestBid;
    const before = await best();
    expect((await post("move", { ticks: 4 })).status).toBe(200);
    expect(await best()).toBeCloseTo(before + 0.04, 9);
  });

  test.each([
    [["--state", "x"], "--port is required"],
    [["--port", "0"], "--state is required"],
    [["--port", "0x", "--state", "x"], "--port must be a whole number"],
    [["--port", "0", "--state", "x", "--speed", "0"], "--speed must be a number from"],
    [["--port", "0", "--state", "x", "--cash", "much"], "--cash must be dollars"],
    [["--port", "0", "--state", "x", "--bogus"], "Unknown option '--bogus'"],
  ])("wrong use %j exits with 2 and says what is wrong", async (args, message) => {
    const { code, stderr } = await ended(start(args));
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain("--help");
  });

  test("a missing tape or data folder exits with 2", async () => {
    const tape = await ended(start(base(["--tape", "/nonexistent.json"])));
    expect(tape.code).toBe(2);
    expect(tape.stderr).toContain("cannot read the tape /nonexistent.json");
    const data = await ended(start(base(["--data", state])));
    expect(data).toMatchObject({ code: 2 });
    expect(data.stderr).toContain("no books/, gamma/ or complete-sets/ files");
  });

  const dir = recordedDataDir();
  if (dir === null) saySkipped(1);
  test.skipIf(dir === null)(
    "recorded data is served by the real exchange level by level",
    async () => {
      const { baseUrl, summary } = await ready(start(base(["--data", dir ?? ""])));
      expect(summary).toContain("843 books");
      const token = "98363508340521183245318514190141507723903436429495480957027693706491694401465";
      const book = (await json(`${baseUrl}/book?token_id=${token}`)) as {
        bids: unknown[];
        asks: unknown[];
      };
      expect(book.bids).toHaveLength(6);
      expect(book.asks).toHaveLength(78);
    },
  );
});
