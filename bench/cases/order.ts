import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClobClient, Side } from "@polymarket/clob-client-v2";
import {
  createPolymarket,
  type Polymarket,
} from "../../src/adapters/polymarket/create-polymarket.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { systemEntropy } from "../../src/adapters/system/entropy.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import { parsePrice, parseShares, price, shares } from "../../src/engine/domain/numbers.ts";
import { isOpen, type OrderDraft } from "../../src/engine/domain/order.ts";
import type { VenuePort } from "../../src/engine/ports/venue.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import { officialClient } from "../baseline/official-client.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  durationText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { BenchError, demand } from "../support/bench-error.ts";
import { type LocalDesk, openLocalDesk } from "../support/local-desk.ts";
import { type LocalVenue, openLocalVenue } from "../support/local-venue.ts";
import { type Contender, type Round, race } from "../support/race.ts";

/** From the command to the moment at which the venue has read the order's last byte. */
export const orderCase: BenchCase = { name: "order", run };

const ordersPerRound = 25;
/** Commands come one at a time with a rest between them, as a person's do. */
const restMs = 10;
const settleLimitMs = 5_000;
const actor = { userId: 1, chatId: 1 };
/** performance.md section 4. */
const wanted = 5;
/** A dollar of an outcome at a cent: rests far below the market and never matches. */
const terms = { limit: price(100), size: shares(100_000_000) };

/** Keys that guard nothing: one account each, so that nobody's orders are in another's way. */
const keyOf = (n: number): string => `0x${(0xbe0c4n + BigInt(n)).toString(16).padStart(64, "0")}`;

async function run(context: BenchContext): Promise<CaseResult> {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-bench-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const userState = process.env["XDG_STATE_HOME"];
  process.env["XDG_STATE_HOME"] = join(folder, "user");
  stack.defer(() => {
    if (userState === undefined) delete process.env["XDG_STATE_HOME"];
    else process.env["XDG_STATE_HOME"] = userState;
  });
  context.progress("order: starting a venue and two desks");
  const venue = await openLocalVenue(join(folder, "venue"));
  stack.defer(() => venue.close());
  const onDisk = await openLocalDesk(venue, join(folder, "disk"), keyOf(1), "disk");
  stack.defer(() => onDisk.stop());
  const inMemory = await openLocalDesk(venue, join(folder, "memory"), keyOf(2), "memory");
  stack.defer(() => inMemory.stop());
  const market = await marketOf(onDisk.engine);
  await marketOf(inMemory.engine);
  const official = await connected(venue, keyOf(3));
  const adapter = await adapterAlone(venue, keyOf(4));
  stack.defer(() => adapter.close());
  await checkEqual(adapter.venue, official, market);
  const timings = await race(
    [
      confirming("ours: confirm, risk, ledger on disk, POST", venue, onDisk, market),
      confirming("ours: the same, ledger without a disk", venue, inMemory, market),
      posting("ours: sign and POST alone", venue, adapter.venue, market),
      officially(venue, official, market),
    ],
    { rounds: context.rounds, warmUps: 2 },
    (text) => context.progress(`order: ${text}`),
  );
  const { rows, ratio } = rowsAgainst("", timings);
  const [disk, memory, alone, sdk] = timings;
  if (!disk || !memory || !alone || !sdk) throw new BenchError("a contender is missing");
  return {
    title: "Order: command -> the venue has read the body's last byte (another thread, loopback)",
    rows,
    notes: [
      `the ledger's commit adds ${durationText(disk.medianNs - memory.medianNs)}, ` +
        `checks and facts ${durationText(memory.medianNs - alone.medianNs)}`,
      `one order at a time, ${restMs} ms apart; the official client checks no risk and keeps no ledger`,
    ],
    ratios: {
      order: ratio,
      order_without_disk: sdk.medianNs / memory.medianNs,
      order_sign_and_post: sdk.medianNs / alone.medianNs,
    },
    aims: [
      ratioAim("confirm with the ledger on disk, over the official client", ratio, wanted),
      ratioAim("sign and POST alone, over it", sdk.medianNs / alone.medianNs, wanted),
    ],
  };
}

/** A plain market of the built-in universe with a live book. */
async function marketOf(engine: Engine): Promise<Market> {
  const found = await engine.findMarkets({ by: "top", value: "" }, 20);
  if (!found.ok) throw new BenchError("the venue lists no markets");
  for (const { conditionId } of found.value) {
    const market = engine.state.markets.get(conditionId);
    const plain = market?.tickSize === 100 && market.version === "v1" && !market.negRisk;
    if (market !== undefined && plain && (await engine.market(conditionId)).ok) return market;
  }
  throw new BenchError("the venue has no plain market");
}

/** Times one order: nanoseconds from `send` being called to the body being read. `settled` waits for its answer. */
async function timeOrder(venue: LocalVenue, send: () => Promise<unknown>): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const before = venue.lastOrder().count;
  const startedAtNs = process.hrtime.bigint();
  await send();
  const { count, readAtNs } = venue.lastOrder();
  demand(count === before + 1n, "one order, one request");
  return Number(readAtNs - startedAtNs);
}

async function orders(venue: LocalVenue, send: () => Promise<unknown>): Promise<Round> {
  const samplesNs = new Float64Array(ordersPerRound);
  for (let i = 0; i < ordersPerRound; i++) samplesNs[i] = await timeOrder(venue, send);
  return { samplesNs, elapsedNs: samplesNs.reduce((sum, one) => sum + one, 0) };
}

let commands = 0;

function confirming(name: string, venue: LocalVenue, desk: LocalDesk, market: Market): Contender {
  const { engine } = desk;
  return {
    name,
    async round() {
      const samplesNs = new Float64Array(ordersPerRound);
      for (let i = 0; i < ordersPerRound; i++) {
        const quoted = await engine.quoteTrade(actor, `bench:${++commands}`, {
          conditionId: market.conditionId,
          outcome: 0,
          side: "buy",
          amount: { unit: "shares", value: terms.size },
          limit: terms.limit,
          timeInForce: "gtc",
          goodForMs: null,
          slippagePpm: null,
        });
        if (!quoted.ok) throw new BenchError(`no card: ${quoted.error.code}`);
        const { nonce } = quoted.value;
        samplesNs[i] = await timeOrder(venue, () => confirmed(engine, nonce));
      }
      await engine.cancelOrders(actor, `bench:${++commands}`, "all");
      await changed(engine, () => ![...engine.state.orders.values()].some(isOpen));
      return { samplesNs, elapsedNs: samplesNs.reduce((sum, one) => sum + one, 0) };
    },
  };
}

/** Presses Confirm and waits until the venue's answer is known. */
async function confirmed(engine: Engine, nonce: string): Promise<void> {
  const outcome = await engine.confirm(actor, `bench:${++commands}`, nonce);
  if (outcome.kind !== "accepted") throw new BenchError(`not accepted: ${JSON.stringify(outcome)}`);
  const clientOid = outcome.orders[0]?.clientOid ?? "";
  await changed(engine, () => engine.state.orders.get(clientOid)?.status !== "in_flight");
  const status = engine.state.orders.get(clientOid)?.status;
  demand(status === "live", `the venue took the order (${status})`);
}

/** Waits for a condition on the engine's state, looked at after every commit. */
function changed(engine: Engine, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      if (!holds()) return;
      stop();
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      stop();
      reject(new BenchError("an order did not settle"));
    }, settleLimitMs);
    const stop = engine.onChange(finish);
    finish();
  });
}

/** The adapter without the engine: what the official client does, and no more. */
async function adapterAlone(venue: LocalVenue, privateKey: string): Promise<Polymarket> {
  const quiet = (): void => undefined;
  const adapter = createPolymarket({
    urls: { clob: venue.url, gamma: `${venue.url}/gamma`, ws: venue.wsUrl },
    chainId: 137,
    privateKey,
    signatureType: 0,
    funder: null,
    log: { info: quiet, warn: quiet, error: quiet },
  });
  const connected = await adapter.venue.connect();
  if (!connected.ok) throw new BenchError(`the adapter did not connect: ${connected.error}`);
  return adapter;
}

async function postDirectly(port: VenuePort, market: Market): Promise<void> {
  const draft: OrderDraft = {
    conditionId: market.conditionId,
    tokenId: market.outcomes[0].tokenId,
    outcome: 0,
    side: "buy",
    timeInForce: "gtc",
    limit: terms.limit,
    spend: null,
    size: terms.size,
    tickSize: market.tickSize,
    negRisk: market.negRisk,
    version: market.version,
    expirationS: null,
    postOnly: false,
  };
  const unique = { salt: systemEntropy.salt(), timestampMs: systemClock.nowMs() };
  const answer = await port.post(port.prepare(draft, unique), () => null);
  demand(answer.kind === "accepted" && answer.state === "live", "the venue took the order");
}

function posting(name: string, venue: LocalVenue, port: VenuePort, market: Market): Contender {
  return {
    name,
    async round() {
      const round = await orders(venue, () => postDirectly(port, market));
      const canceled = await port.cancelAll();
      demand(canceled.kind === "answered", "all orders were canceled");
      return round;
    },
  };
}

/** The venue must hold the same order from both, by its own account. */
async function checkEqual(port: VenuePort, client: ClobClient, market: Market): Promise<void> {
  await postDirectly(port, market);
  await postOfficially(client, market);
  const ours = await port.openOrders();
  const [theirs] = await client.getOpenOrders();
  const [mine] = ours.ok ? ours.value : [];
  demand(mine !== undefined && theirs !== undefined, "both orders rest at the venue");
  demand(mine.tokenId === theirs.asset_id, "token of the order");
  demand(mine.side === theirs.side.toLowerCase(), "side of the order");
  demand(mine.price === parsePrice(theirs.price), "price of the order");
  demand(mine.originalSize === parseShares(theirs.original_size), "size of the order");
  await port.cancelAll();
  await client.cancelAll();
}

async function connected(venue: LocalVenue, key: string): Promise<ClobClient> {
  const creds = await (await officialClient(venue.url, key)).createApiKey();
  return officialClient(venue.url, key, creds);
}

async function postOfficially(client: ClobClient, market: Market): Promise<void> {
  const order = { tokenID: market.outcomes[0].tokenId, price: 0.01, size: 100, side: Side.BUY };
  const options = { tickSize: "0.01", negRisk: false } as const;
  const answer = (await client.createAndPostOrder(order, options)) as { status?: unknown };
  demand(answer.status === "live", "the venue took the official client's order");
}

function officially(venue: LocalVenue, client: ClobClient, market: Market): Contender {
  return {
    name: "official client createAndPostOrder, viem account, warm",
    async round() {
      const round = await orders(venue, () => postOfficially(client, market));
      await client.cancelAll();
      return round;
    },
  };
}
