import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { createBot } from "../../src/bot/bot.ts";
import { type BotApiEmulator, startEmulator } from "../../src/bot/local/emulator.ts";
import { startPolling } from "../../src/bot/transport/polling.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import type { BenchCase, BenchContext, CaseResult } from "../support/bench-case.ts";
import { durationText } from "../support/bench-case.ts";
import { BenchError, demand } from "../support/bench-error.ts";
import { openLocalDesk } from "../support/local-desk.ts";
import { openLocalVenue } from "../support/local-venue.ts";
import { plainMarkets } from "../support/order-race.ts";
import { type Round, type Timing, timingOf } from "../support/race.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** From a kill to the closed gate: called in the process, and typed in a chat behind a thousand waiting updates. */
export const killCase: BenchCase = { name: "kill", run };

const kills = { inProcess: 300, chat: 60, slowDisk: 5 };
const waitingUpdates = 1_000;
const batchSize = 100;
/** One update in so many comes from the trader, so that it is kept, carried out and answered. */
const tradersShare = 50;
const slowDiskMs = 2_000;
const floodEveryMs = 5;
const floodEvents = 20;
const wantedMs = { inProcess: 50, chatP99: 250 };
const closedLimitMs = 60_000;
const token = "1000000001:BENCH-TOKEN-abcdefghijklmnopqrstuvwxyz";
const actor = { userId: 1, chatId: 1 };
const stranger = 666;

async function run(context: BenchContext): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const folder = scratchFolder(stack, "kill");
  context.progress("kill: starting a venue, a desk and a chat");
  const venue = await openLocalVenue(join(folder, "venue"));
  stack.defer(() => venue.close());
  const key = `0x${"be".repeat(32)}`;
  const emulator = await startEmulator({ token });
  stack.defer(() => emulator.close());
  emulator.addUser(actor.userId, "Ann");
  emulator.addUser(stranger, "Eve");
  const reads = watchReads();
  stack.defer(() => reads.close());
  const talk: Chat = { emulator, reads };
  const address = { ...venue, clobUrl: venue.url, apiRoot: emulator.apiRoot };
  const { engine, stop } = await openLocalDesk(address, join(folder, "desk"), key, "disk");
  stack.defer(stop);
  stack.defer(await flood(engine));
  const inProcess = await killInProcess(engine);
  context.progress(`kill: ${kills.chat} kills by chat, each among ${waitingUpdates} updates`);
  const chat = await killByChat(engine, talk, kills.chat);
  context.progress(`kill: ${kills.slowDisk} kills by chat while a commit takes 2 s`);
  const disk = slowDown(engine);
  disk.delayMs = slowDiskMs;
  const slow = await killByChat(engine, talk, kills.slowDisk, disk);
  const rows = [inProcess, chat, slow].map(({ timing }) => ({
    label: timing.name,
    timing,
    ratio: null,
  }));
  const p99 = Math.max(chat.timing.p99Ns, slow.timing.p99Ns);
  const most = Math.max(chat.longestNs, slow.longestNs);
  return {
    title: "Kill: until the gate is closed, with market data flooding the same loop",
    rows,
    notes: [
      `by chat: p99 ${durationText(p99)}, longest ${durationText(most)}, from the moment our HTTP client had read the update`,
    ],
    ratios: { kill_chat_under_250ms: (wantedMs.chatP99 * 1e6) / p99 },
    aims: [
      {
        what: `gate closed within ${wantedMs.inProcess} ms in the process, longest`,
        is: durationText(inProcess.longestNs),
        met: inProcess.longestNs <= wantedMs.inProcess * 1e6,
      },
      {
        what: `gate closed within ${wantedMs.chatP99} ms p99 by chat, a 2 s disk included`,
        is: durationText(p99),
        met: p99 <= wantedMs.chatP99 * 1e6,
      },
    ],
  };
}

/** Applies a whole book again and again on the engine's own loop; returns what ends it. */
async function flood(engine: Engine): Promise<() => void> {
  const [market] = await plainMarkets(engine, 1);
  demand(market !== undefined, "there is a market to flood");
  const book = engine.state.live.books.get(market.conditionId);
  demand(book !== undefined, "its book is watched");
  const read = await engine.deps.marketData.readBook(book);
  if (!read.ok) throw new BenchError(read.detail);
  const timer = setInterval(() => {
    for (let n = 0; n < floodEvents; n++) {
      engine.stepper.run({ kind: "market", event: read.book }, "bench");
    }
  }, floodEveryMs);
  return () => clearInterval(timer);
}

async function killInProcess(engine: Engine): Promise<Kills> {
  const samples: number[] = [];
  for (let n = 0; n < kills.inProcess; n++) {
    const startedAt = performance.now();
    const killing = engine.kill(actor, `k${n}`, "bench");
    demand(engine.gateClosed, "the gate is closed before the call returns");
    samples.push((performance.now() - startedAt) * 1e6);
    await killing;
    await resume(engine, n);
  }
  return timed("kill called in the process", samples);
}

async function resume(engine: Engine, n: number): Promise<void> {
  const offer = await engine.askResume(actor, `r${n}`);
  if (!offer.ok) throw new BenchError(`no resume: ${offer.error.code}`);
  const done = await engine.confirmResume(actor, `r${n}b`, offer.value.nonce);
  if (!done.ok) throw new BenchError(`not resumed: ${done.error.code}`);
}

type Chat = { readonly emulator: BotApiEmulator; readonly reads: Reads };
type Reads = {
  /** When our HTTP client had read the last bytes of an answer to getUpdates, on our own clock. */
  readonly readAtMs: () => number;
  readonly close: () => void;
};

const bodyRead = "undici:request:bodyChunkReceived";

/** Notes when the HTTP client below `fetch` has read a piece of an answer with updates: the last piece's time stays. */
function watchReads(): Reads {
  let readAtMs = 0;
  const note = (message: unknown): void => {
    const { request } = message as { readonly request: { readonly path: string } };
    if (request.path.endsWith("/getUpdates")) readAtMs = performance.now();
  };
  subscribe(bodyRead, note);
  return { readAtMs: () => readAtMs, close: () => void unsubscribe(bodyRead, note) };
}

type Disk = { delayMs: number };

/** Puts a disk that takes its time in front of the real file. */
function slowDown(engine: Engine): Disk {
  const disk: Disk = { delayMs: 0 };
  const { log } = engine.deps;
  const append = log.append.bind(log);
  let last: Promise<unknown> = Promise.resolve();
  log.append = (records) => {
    // Rows become durable in order, whatever the disk does in between.
    const waited = Promise.all([last, pause(disk.delayMs)]);
    const done = waited.then(() => append(records));
    last = done.catch(() => undefined);
    return done;
  };
  return disk;
}

/** Each kill stands among a thousand updates of strangers and of the trader; the clock starts when our HTTP client has read the last byte of its batch. */
async function killByChat(
  engine: Engine,
  { emulator, reads }: Chat,
  count: number,
  disk: Disk | null = null,
): Promise<Kills> {
  const quiet = () => undefined;
  const bot = createBot({
    api: engine,
    log: { info: quiet, warn: quiet, error: quiet },
    whitelist: [actor.userId],
    minOrderUsd: 1,
    confirmTtlSeconds: 45,
    token,
    apiRoot: emulator.apiRoot,
    now: () => engine.deps.clock.nowMs(),
    randomHex: (bytes) => engine.deps.entropy.hex(bytes),
    mode: "paper",
  });
  bot.start();
  const closeGate = engine.closeGate.bind(engine);
  const samples: number[] = [];
  let isWaiting = false;
  let askedAtMs = 0;
  engine.closeGate = () => {
    closeGate();
    if (!isWaiting) return;
    isWaiting = false;
    demand(reads.readAtMs() > askedAtMs, "the client was seen reading");
    samples.push((performance.now() - reads.readAtMs()) * 1e6);
  };
  for (let n = 0; n < count; n++) {
    isWaiting = true;
    askedAtMs = performance.now();
    // A slow disk holds up each batch, so that the kill stands in the first one there.
    const before = (n * 337) % (disk === null ? waitingUpdates : batchSize);
    for (let i = 0; i < waitingUpdates; i++) {
      if (i === before) emulator.send(actor.userId, "/kill bench");
      emulator.send(i % tradersShare === 0 ? actor.userId : stranger, `noise ${i}`);
    }
    const transport = startPolling(bot, { onTrouble: quiet });
    await until(() => engine.state.killed !== null);
    // What is left over and the resume are not measured, so they need not wait for the slow disk.
    const delayMs = disk?.delayMs ?? 0;
    if (disk !== null) disk.delayMs = 0;
    await until(() => emulator.pendingUpdates === 0);
    await transport.stop();
    await resume(engine, 1_000_000 + samples.length + count * 1_000);
    if (disk !== null) disk.delayMs = delayMs;
  }
  engine.closeGate = closeGate;
  await bot.stop();
  demand(samples.length === count, "every kill closed the gate once");
  const how = disk === null ? "" : ", a commit takes 2 s";
  return timed(`/kill among ${waitingUpdates} updates${how}`, samples);
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + closedLimitMs;
  while (!holds()) {
    if (performance.now() > deadline)
      throw new BenchError("the kill or what follows it was not seen");
    await pause(2);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

type Kills = { readonly timing: Timing; readonly longestNs: number };

function timed(name: string, samplesNs: readonly number[]): Kills {
  const elapsedNs = samplesNs.reduce((sum, one) => sum + one, 0);
  const round: Round = { samplesNs: Float64Array.from(samplesNs), elapsedNs };
  return { timing: timingOf(name, [round]), longestNs: Math.max(...samplesNs) };
}
