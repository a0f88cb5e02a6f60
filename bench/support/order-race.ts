import { type ClobClient, OrderType, Side } from "@polymarket/clob-client-v2";
import type { TradeRequest } from "../../src/engine/api/requests.ts";
import type { Market } from "../../src/engine/domain/market.ts";
import { price, shares } from "../../src/engine/domain/numbers.ts";
import { isOpen } from "../../src/engine/domain/order.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import type { DeskCard } from "../../src/engine/state/fact.ts";
import { BenchError, demand } from "./bench-error.ts";
import type { LocalDesk } from "./local-desk.ts";
import type { Contender } from "./race.ts";
import type { RequestRecorder } from "./request-recorder.ts";

/** Commands come one at a time with a rest between them, as a person's do. */
const restMs = 10;
const settleLimitMs = 10_000;
const actor = { userId: 1, chatId: 1 };
/** A dollar of an outcome at a cent: rests far below the market and never matches. */
const terms = { limit: price(100), size: shares(100_000_000) };

/** Calls, those among them in which something was asked between call and POST, and what, by the recorder's own list. */
export type EarlyRequests = { calls: number; early: number; readonly what: Set<string> };

export type OrderRace = {
  readonly recorder: RequestRecorder;
  readonly markets: readonly Market[];
  /** Orders of one call: one on each of the first markets. */
  readonly legs: number;
  readonly callsPerRound: number;
};

/**
 * Times one call: nanoseconds from `send` being called until the recorder has read the last byte of its last order.
 * `send` resolves when the answers are known.
 */
async function timeCall(
  race: OrderRace,
  requests: number,
  seen: EarlyRequests,
  send: () => Promise<unknown>,
): Promise<number> {
  const { recorder } = race;
  await untilQuiet(recorder);
  await recorder.arm(requests);
  const before = recorder.lastOrder().count;
  const startedAtNs = process.hrtime.bigint();
  await send();
  const { count, readAtNs } = recorder.lastOrder();
  demand(count === before + BigInt(requests), "one order, one request");
  const log = await recorder.arm(0);
  seen.calls++;
  const early = log.slice(0, requests).filter((one) => !one.startsWith("POST /order"));
  if (early.length > 0) seen.early++;
  for (const one of early) seen.what.add(one);
  return Number(readAtNs - startedAtNs);
}

/** Rests until nothing was said for the length of a rest: what one call left to do does not disturb the next. */
async function untilQuiet(recorder: RequestRecorder): Promise<void> {
  const deadline = performance.now() + settleLimitMs;
  for (let before = -1n; before !== recorder.activity(); ) {
    if (performance.now() > deadline) throw new BenchError("the venue is never left alone");
    before = recorder.activity();
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

/** One contender: calls of a round, and what puts everything back after it. */
function contender(
  name: string,
  race: OrderRace,
  seen: EarlyRequests,
  side: {
    /** Prepares a call outside the clock; the function it gives is the call. */
    readonly next: () => Promise<() => Promise<unknown>>;
    readonly cleanUp: () => Promise<unknown>;
    /** Requests that carry the orders of one call: as many as orders, or one batch. */
    readonly requests: number;
  },
): Contender {
  return {
    name,
    async round() {
      const samplesNs = new Float64Array(race.callsPerRound);
      for (let i = 0; i < race.callsPerRound; i++) {
        const send = await side.next();
        samplesNs[i] = await timeCall(race, side.requests, seen, send);
      }
      await side.cleanUp();
      return { samplesNs, elapsedNs: samplesNs.reduce((sum, one) => sum + one, 0) };
    },
  };
}

let commands = 0;

/** The engine's side: the call is a press of Confirm on a card that is shown. */
export function ours(
  name: string,
  race: OrderRace,
  desk: LocalDesk,
  seen: EarlyRequests,
): Contender {
  const { engine } = desk;
  return contender(name, race, seen, {
    requests: race.legs,
    next: async () => {
      const nonce = await showCard(engine, race.markets.slice(0, race.legs));
      return () => confirmed(engine, nonce, race.legs);
    },
    cleanUp: async () => {
      await engine.cancelOrders(actor, `bench:${++commands}`, "all");
      await changed(engine, () => ![...engine.state.orders.values()].some(isOpen));
    },
  });
}

/** A card as a trader sees it; for several legs the drafts of several such cards are put on one. */
async function showCard(engine: Engine, markets: readonly Market[]): Promise<string> {
  const cards: DeskCard[] = [];
  for (const { conditionId } of markets) {
    const request: TradeRequest = {
      conditionId,
      outcome: 0,
      side: "buy",
      amount: { unit: "shares", value: terms.size },
      limit: terms.limit,
      timeInForce: "gtc",
      goodForMs: null,
      slippagePpm: null,
    };
    const quoted = await engine.quoteTrade(actor, `bench:${++commands}`, request);
    if (!quoted.ok) throw new BenchError(`no card: ${quoted.error.code}`);
    const card = engine.state.cards.get(quoted.value.nonce);
    if (card !== undefined) cards.push(card);
  }
  const [first] = cards;
  if (first === undefined) throw new BenchError("no card is shown");
  const drafts = cards.flatMap((card) => card.drafts);
  if (drafts.length > 1) engine.state.cards.set(first.nonce, { ...first, drafts });
  return first.nonce;
}

export async function showAndConfirm(engine: Engine, markets: readonly Market[]): Promise<void> {
  await confirmed(engine, await showCard(engine, markets), markets.length);
}

/** Presses Confirm and waits until the venue's answers are known. */
async function confirmed(engine: Engine, nonce: string, legs: number): Promise<void> {
  const outcome = await engine.confirm(actor, `bench:${++commands}`, nonce);
  if (outcome.kind !== "accepted") throw new BenchError(`not accepted: ${JSON.stringify(outcome)}`);
  demand(outcome.orders.length === legs, "every leg became an order");
  const statuses = () =>
    outcome.orders.map(({ clientOid }) => engine.state.orders.get(clientOid)?.status);
  await changed(engine, () => statuses().every((status) => status !== "in_flight"));
  demand(
    statuses().every((status) => status === "live"),
    `the venue took the orders (${statuses().join(" ")})`,
  );
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

/** Plain markets of the built-in universe with live books. */
export async function plainMarkets(engine: Engine, count: number): Promise<Market[]> {
  const markets: Market[] = [];
  const found = await engine.findMarkets({ by: "top", value: "" }, 200);
  if (!found.ok) throw new BenchError("the venue lists no markets");
  for (const { conditionId } of found.value) {
    const market = engine.state.markets.get(conditionId);
    const plain = market?.tickSize === 100 && market.version === "v1" && !market.negRisk;
    if (market === undefined || !plain || !(await engine.market(conditionId)).ok) continue;
    markets.push(market);
    if (markets.length === count) return markets;
  }
  throw new BenchError(`the venue has ${markets.length} plain markets, ${count} are needed`);
}

const options = { tickSize: "0.01", negRisk: false } as const;
const userOrder = (market: Market) => ({
  tokenID: market.outcomes[0].tokenId,
  price: 0.01,
  size: 100,
  side: Side.BUY,
});

export async function postOfficially(client: ClobClient, market: Market): Promise<void> {
  const answer = (await client.createAndPostOrder(userOrder(market), options)) as {
    status?: unknown;
  };
  demand(answer.status === "live", "the venue took the official client's order");
}

/** The official client: `createAndPostOrder` for each leg, all at once. */
export function theirs(
  name: string,
  race: OrderRace,
  client: ClobClient,
  seen: EarlyRequests,
): Contender {
  const markets = race.markets.slice(0, race.legs);
  return contender(name, race, seen, {
    requests: race.legs,
    next: () =>
      Promise.resolve(() => Promise.all(markets.map((market) => postOfficially(client, market)))),
    cleanUp: () => client.cancelAll(),
  });
}

/** The official client's other way: the legs signed one after another and posted as one batch. */
export function theirBatch(
  name: string,
  race: OrderRace,
  client: ClobClient,
  seen: EarlyRequests,
): Contender {
  const markets = race.markets.slice(0, race.legs);
  const send = async () => {
    const signed = [];
    for (const market of markets) {
      const order = await client.createOrder(userOrder(market), options);
      signed.push({ order, orderType: OrderType.GTC });
    }
    const answers = (await client.postOrders(signed)) as { status?: unknown }[];
    demand(
      answers.length === race.legs && answers.every((one) => one.status === "live"),
      "the venue took the official client's batch",
    );
  };
  return contender(name, race, seen, {
    requests: 1,
    next: () => Promise.resolve(send),
    cleanUp: () => client.cancelAll(),
  });
}
