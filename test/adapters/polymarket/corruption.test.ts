import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultTimeouts } from "../../../src/adapters/polymarket/create-polymarket.ts";
import { defaultFeedTimings } from "../../../src/adapters/polymarket/feed-timings.ts";
import { createHasher } from "../../../src/adapters/polymarket/hasher.ts";
import { createHttpClient } from "../../../src/adapters/polymarket/http-client.ts";
import { createMarketFeed, type MarketFeed } from "../../../src/adapters/polymarket/market-feed.ts";
import type { EngineInput } from "../../../src/engine/core/input.ts";
import { step } from "../../../src/engine/core/step.ts";
import type { ResyncReason } from "../../../src/engine/domain/book-health.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import { hasOpenClaims, type MarketBook } from "../../../src/engine/domain/market-book.ts";
import { levelsOf } from "../../../src/engine/domain/order-book.ts";
import { createState, type EngineState } from "../../../src/engine/state/engine-state.ts";
import { marketOf } from "../../engine/support/markets.ts";
import { testSettings } from "../../engine/support/settings.ts";
import {
  listStandingMarkets,
  standing,
  standingTaxed,
} from "../../engine/support/standing-world.ts";
import { collectingLog, openPaperDesk, type PaperDesk, until } from "./paper-desk.ts";
import { isPriceChange, TamperingProxy } from "./tampering-proxy.ts";

const seed = 20_261_121;
const runs = 12;
const tickMs = 10;

/** What is done to the frames of one change, and the reasons under which that may be counted. */
const kinds = {
  honest: [],
  dropped: ["hash_mismatch", "best_price_mismatch", "crossed"],
  repeated: [],
  reordered: ["out_of_order"],
  resized: ["hash_mismatch"],
  "one-sided": ["mirror_mismatch"],
  crossed: ["crossed"],
  "off-tick": ["off_tick"],
  unreadable: ["frame_refused"],
  stale: ["rest_mismatch"],
} as const satisfies Readonly<Record<string, readonly ResyncReason[]>>;

type Kind = keyof typeof kinds;

type Change = {
  readonly market: 0 | 1;
  readonly side: "BUY" | "SELL";
  readonly depth: number;
  readonly size: number;
  readonly kind: Kind;
};

const change: fc.Arbitrary<Change> = fc.record({
  market: fc.constantFrom(0, 1),
  side: fc.constantFrom("BUY", "SELL"),
  depth: fc.integer({ min: 0, max: 6 }),
  size: fc.integer({ min: 1, max: 900 }),
  kind: fc.constantFrom(...(Object.keys(kinds) as Kind[])),
});

type Entry = {
  price: string;
  size: string;
  best_bid?: string | undefined;
  best_ask?: string | undefined;
  hash: string;
};
type PriceChange = { event_type: string; timestamp: string; price_changes: [Entry, Entry] };

/** The frame with its entries rewritten. */
function rewritten(frame: string, edit: (entry: Entry, index: number) => Entry): string {
  const value = JSON.parse(frame) as PriceChange;
  return JSON.stringify({ ...value, price_changes: value.price_changes.map(edit) });
}

const doubled = (entry: Entry): Entry => ({ ...entry, size: String(Number(entry.size) * 2) });
const shifted = (entry: Entry): Entry => {
  return { ...entry, price: (Number(entry.price) + 0.005).toFixed(3) };
};

/** The venue, a spoiled line to it, the real feed on that line and the engine's core behind it. */
class Rig {
  readonly state: EngineState = createState();
  readonly proxy: TamperingProxy;
  feed: MarketFeed | null = null;
  readonly markets: readonly Market[];
  /** Fresh books that the engine asked for, oldest first. */
  readonly asked: { readonly reason: ResyncReason; readonly resyncId: string }[] = [];
  readonly #desk: PaperDesk;
  readonly #hasher = createHasher();
  #timer: NodeJS.Timeout | null = null;
  #changes = 0;

  constructor(desk: PaperDesk) {
    this.#desk = desk;
    this.proxy = new TamperingProxy(desk.urls.ws);
    listStandingMarkets(desk.venue.exchange);
    this.markets = [standing, standingTaxed].map((spec, i) =>
      marketOf(i + 1, { conditionId: spec.conditionId, outcomes: spec.outcomes }),
    );
  }

  async open(dataSilenceMs: number): Promise<void> {
    const feed = createMarketFeed({
      wsUrl: await this.proxy.listen(),
      http: createHttpClient({
        baseUrl: this.#desk.urls.clob,
        timeouts: defaultTimeouts,
        connections: 2,
      }),
      timings: {
        ...defaultFeedTimings,
        backOffFirstMs: 20,
        resyncEveryMs: 5,
        resyncLongestMs: 20,
        dataSilenceMs,
      },
      log: collectingLog().log,
    });
    this.feed = feed;
    this.#run({ kind: "books.watched", markets: this.markets });
    feed.start((events) => {
      for (const event of events) this.#run({ kind: "market", event });
    });
    feed.watch(
      this.markets.map(({ conditionId, outcomes }) => ({
        conditionId,
        tokenIds: [outcomes[0].tokenId, outcomes[1].tokenId],
      })),
    );
    this.#timer = setInterval(() => this.#run({ kind: "tick" }), tickMs);
    await this.healed();
  }

  #run(input: EngineInput): void {
    const envelope = { atMs: Date.now(), entropy: "", correlationId: "test", input };
    const { effects } = step(this.state, testSettings(), this.#hasher, envelope);
    for (const effect of effects) {
      if (effect.kind !== "book.resync") continue;
      this.asked.push(effect);
      this.feed?.resync(effect.conditionId, effect);
    }
  }

  book(market: 0 | 1): MarketBook {
    const id = this.markets[market]?.conditionId ?? "";
    const book = this.state.live.books.get(id);
    if (book === undefined) throw new TypeError("no book");
    return book;
  }

  /** Puts a level into the venue's book and waits until its frame left for the feed. */
  async set({ market, side, depth, size }: Change): Promise<void> {
    const cents = side === "BUY" ? 47 - depth : 53 + depth;
    const sent = Date.now();
    // Never the size that the level has: that would be no change at all.
    this.#changes = 10 + ((this.#changes + 1) % 90);
    // Two changes of one moment are one group.
    await until("the next moment", () => (Date.now() > sent ? true : null));
    const id = this.markets[market]?.conditionId ?? "";
    this.#desk.venue.exchange.setBackgroundLevel(
      id,
      side,
      `0.${cents}`,
      `${size}.${this.#changes}`,
    );
  }

  /** A REST read of the market as the canary makes it. */
  async compare(market: 0 | 1): Promise<void> {
    const book = this.book(market);
    const read = await this.feed?.readBook(book);
    if (read?.ok !== true) throw new TypeError("no read");
    this.#run({ kind: "book.read", conditionId: book.conditionId, book: read.book });
  }

  /** Resolves when every book is live, quiet and level by level the venue's. */
  async healed(): Promise<void> {
    for (const market of [0, 1] as const) {
      const deadline = performance.now() + 20_000;
      while (!(await this.#isRight(market))) {
        if (performance.now() > deadline) {
          const { status, resyncReason } = this.book(market);
          throw new TypeError(`not healed: ${status} ${resyncReason}`);
        }
        await new Promise((resolve) => setTimeout(resolve, tickMs));
      }
    }
  }

  async #isRight(market: 0 | 1): Promise<boolean> {
    const book = this.book(market);
    if (book.status !== "live" || hasOpenClaims(book)) return false;
    const read = await this.feed?.readBook(book);
    if (read?.ok !== true) return false;
    const text = (levels: readonly { price: number; size: number }[]) =>
      [...levels]
        .sort((a, b) => a.price - b.price)
        .map(({ price, size }) => `${price}:${size}`)
        .join();
    return (
      text(read.book.bids) === text(levelsOf(book.ladder, 0, "buy")) &&
      text(read.book.asks) === text(levelsOf(book.ladder, 0, "sell"))
    );
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.feed?.close();
    await this.proxy.close();
  }
}

let desk: PaperDesk;
let rig: Rig;

beforeEach(async () => {
  desk = await openPaperDesk();
  rig = new Rig(desk);
});
afterEach(async () => {
  await rig.close();
  await desk.close();
});

/** A change elsewhere in the book that nobody spoils: what went wrong before has to show now. */
function after({ market, side, depth, size }: Change): Change {
  const other = side === "BUY" ? "SELL" : "BUY";
  return { market, side: other, depth: (depth + 3) % 7, size: (size % 900) + 1, kind: "honest" };
}

type Counts = Readonly<Partial<Record<string, number>>>;

/** Everything that is counted of a book and of the feed, to be compared with what it is later. */
function counted(market: 0 | 1) {
  const { health, resyncs } = rig.book(market);
  return {
    reasons: { ...health.resyncs } as Counts,
    overall: Object.fromEntries(rig.state.live.resyncs) as Counts,
    resyncs,
    repeated: health.repeated,
    invalid: health.invalid,
    refused: rig.feed?.counters().framesInvalid ?? 0,
    asked: rig.asked.length,
    elsewhere: rig.book(market === 0 ? 1 : 0).resyncs,
  };
}

/** The reasons that were counted since, each as often as it was. */
function fresh(before: Counts, now: Counts): string[] {
  return Object.entries(now).flatMap(([reason, count = 0]) =>
    Array.from({ length: count - (before[reason] ?? 0) }, () => reason),
  );
}

/** One spoiled frame is one resync under one name of its own, for its book alone; a harmless one is none. */
function expectCounted({ kind, market }: Change, before: ReturnType<typeof counted>): void {
  const now = counted(market);
  const found = fresh(before.reasons, now.reasons);
  const allowed: readonly string[] = kinds[kind];
  expect(found, kind).toHaveLength(allowed.length > 0 ? 1 : 0);
  for (const reason of found) expect(allowed, kind).toContain(reason);
  expect(fresh(before.overall, now.overall), kind).toEqual(found);
  // A REST read is the fresh book itself; every other reason asks the venue for one, under a name that nobody else has.
  const asked = rig.asked.slice(before.asked).map(({ reason }) => reason);
  expect(asked, kind).toEqual(kind === "stale" ? [] : found);
  expect(new Set(rig.asked.map(({ resyncId }) => resyncId)).size).toBe(rig.asked.length);
  expect(
    {
      resyncs: now.resyncs - before.resyncs,
      repeated: now.repeated - before.repeated,
      invalid: now.invalid - before.invalid,
      refused: now.refused - before.refused,
      elsewhere: now.elsewhere - before.elsewhere,
    },
    kind,
  ).toEqual({
    resyncs: found.length,
    repeated: Number(kind === "repeated"),
    invalid: Number(kind === "unreadable"),
    refused: Number(kind === "unreadable"),
    elsewhere: 0,
  });
}

/** Spoils the frames of one change as its kind says, and lets the next one pass; `fired` once it happened. */
async function spoil(one: Change): Promise<void> {
  const { proxy } = rig;
  const held: string[] = [];
  let fired = false;
  const once = (act: (frame: string) => readonly string[]) => {
    proxy.tamper = (frame) => {
      if (fired || !isPriceChange(frame)) return [frame];
      fired = true;
      return act(frame);
    };
  };
  const acts: Readonly<Record<Kind, (frame: string) => readonly string[]>> = {
    honest: (frame) => [frame],
    dropped: () => [],
    repeated: (frame) => [held[held.push(frame) - 1] ?? ""],
    reordered: (frame) => {
      // Behind the next one, in one breath: alone the next one would show that a frame is missing.
      proxy.tamper = (next) => {
        if (!isPriceChange(next)) return [next];
        proxy.honest();
        return [next, frame];
      };
      return [];
    },
    resized: (frame) => [rewritten(frame, doubled)],
    "one-sided": (frame) => [rewritten(frame, (entry, i) => (i === 1 ? doubled(entry) : entry))],
    crossed: (frame) => [
      frame,
      // A bid above every ask, without a hash or best prices that would contradict it first.
      rewritten(frame, (entry, i) => ({
        ...entry,
        best_bid: undefined,
        best_ask: undefined,
        hash: "",
        price: (i === 0) === (one.side === "BUY") ? "0.9" : "0.1",
        side: (i === 0) === (one.side === "BUY") ? "BUY" : "SELL",
      })),
    ],
    "off-tick": (frame) => [rewritten(frame, (entry, i) => (i === 0 ? shifted(entry) : entry))],
    unreadable: (frame) => [rewritten(frame, (entry) => ({ ...entry, size: "ten" }))],
    stale: () => [],
  };
  if (one.kind === "stale") proxy.tamper = (frame) => (isPriceChange(frame) ? [] : [frame]);
  else once(acts[one.kind]);
  await rig.set(one);
  if (one.kind === "stale") {
    await rig.compare(one.market);
    proxy.honest();
    return;
  }
  await until("the change", () => (fired ? true : null));
  const { changesSeen } = proxy;
  await rig.set(after(one));
  await until("the change after it", () => (proxy.changesSeen > changesSeen ? true : null));
  for (const frame of held) proxy.inject(frame);
}

async function playOne(one: Change, seen: Map<Kind, number>): Promise<void> {
  const before = counted(one.market);
  const book = rig.book(one.market);
  await spoil(one);
  if (kinds[one.kind].length > 0) {
    await until(`${one.kind} is noticed`, () => (book.resyncs > before.resyncs ? true : null));
  }
  if (one.kind === "repeated") {
    await until("the repetition", () => (book.health.repeated > before.repeated ? true : null));
  }
  await rig.healed();
  rig.proxy.honest();
  expectCounted(one, before);
  seen.set(one.kind, (seen.get(one.kind) ?? 0) + 1);
}

describe("whatever happens to the frames on their way", () => {
  test("it is noticed, counted under its own name, and the book comes right again", async () => {
    await rig.open(60_000);
    const seen = new Map<Kind, number>();
    // Each kind once, whatever is drawn.
    for (const kind of Object.keys(kinds) as Kind[]) {
      await playOne({ market: 0, side: "BUY", depth: 2, size: 77, kind }, seen);
    }
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 4, maxLength: 8 }), async (changes) => {
        for (const one of changes) await playOne(one, seen);
      }),
      { seed, numRuns: runs, endOnFailure: true },
    );
    expect([...seen.keys()].sort()).toEqual(Object.keys(kinds).sort());
    const made = [...seen].map(([kind, count]) => `${kind} ${count}`).join(", ");
    process.stdout.write(`spoiled frames, each noticed, counted and healed: ${made}\n`);
  }, 300_000);

  test("a line that delivers nothing although the venue has news is given up, and the next one heals", async () => {
    await rig.open(200);
    const honest = rig.proxy.tamper;
    rig.proxy.tamper = (frame) => (frame === "PONG" ? [frame] : []);
    await rig.set({ market: 0, side: "BUY", depth: 1, size: 5, kind: "stale" });
    await until("the loss", () => rig.feed?.health().losses["silent"] ?? null);
    rig.proxy.tamper = honest;
    await rig.healed();
    expect(rig.book(0).health.resyncs.silent).toBeGreaterThanOrEqual(1);
  }, 60_000);
});
