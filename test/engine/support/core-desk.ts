import type { ConfirmOutcome } from "../../../src/engine/api/engine-api.ts";
import type { Notice } from "../../../src/engine/api/notices.ts";
import type { Actor, TradeRequest } from "../../../src/engine/api/requests.ts";
import type { TradeCard } from "../../../src/engine/api/views.ts";
import type { EngineInput, Reply, Request } from "../../../src/engine/core/input.ts";
import { type StepResult, step } from "../../../src/engine/core/step.ts";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import type { Market, MarketGroup } from "../../../src/engine/domain/market.ts";
import type { Usd } from "../../../src/engine/domain/numbers.ts";
import type { Order, PreparedOrder } from "../../../src/engine/domain/order.ts";
import type { Denial } from "../../../src/engine/domain/reasons.ts";
import type { Result } from "../../../src/engine/lib/result.ts";
import type { Effect, ReadPurpose } from "../../../src/engine/protocol/effect.ts";
import type { EngineSettings } from "../../../src/engine/protocol/settings.ts";
import type { VenueOrder } from "../../../src/engine/protocol/venue-report.ts";
import { createState, type EngineState } from "../../../src/engine/state/engine-state.ts";
import type { Fact } from "../../../src/engine/state/fact.ts";
import { plainHasher } from "./hasher.ts";
import { type BookRows, plain, plainRows, snapshotOf, taxed } from "./markets.ts";
import { dollars, testSettings } from "./settings.ts";

type ReplyTo<K extends Reply["to"]> = Extract<Reply, { readonly to: K }>;

export class TestFailure extends Error {
  override readonly name = "TestFailure";
}

export const trader: Actor = { userId: 7, chatId: 7 };
export const firstMs = 1_800_000_000_000;

/** The pure engine on a clock of the test's own: inputs in, facts, effects and replies out. No I/O anywhere. */
export class CoreDesk {
  readonly state: EngineState;
  readonly settings: EngineSettings;
  nowMs = firstMs;
  readonly facts: { readonly fact: Fact; readonly atMs: number }[] = [];
  readonly effects: Effect[] = [];
  /** The newest order that the engine wanted signed. */
  wish: Extract<Effect, { readonly kind: "replace.sign" }> | null = null;
  #steps = 0;

  constructor(settings: EngineSettings = testSettings(), state: EngineState = createState()) {
    this.settings = settings;
    this.state = state;
  }

  run(input: EngineInput): StepResult {
    this.#steps++;
    const result = step(this.state, this.settings, plainHasher, {
      atMs: this.nowMs,
      entropy: `e${this.#steps}`,
      correlationId: "test",
      input,
    });
    for (const fact of result.facts) this.facts.push({ fact, atMs: this.state.live.nowMs });
    this.effects.push(...result.effects);
    this.wish = result.effects.findLast((effect) => effect.kind === "replace.sign") ?? this.wish;
    return result;
  }

  request<K extends Reply["to"]>(to: K, request: Request): ReplyTo<K> {
    const { reply } = this.run({ kind: "request", request });
    if (reply.to !== to) throw new TestFailure(`expected a reply to ${to}, got ${reply.to}`);
    return reply as ReplyTo<K>;
  }

  /** Effects since the last call. */
  drain(): Effect[] {
    return this.effects.splice(0);
  }

  /** Lets time pass in steps, ticking after each, as the runtime does. */
  pass(ms: number, stepMs = ms): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + stepMs);
      this.run({ kind: "tick" });
    }
  }

  /** Watched, with a live book. */
  list(market: Market, rows: BookRows = plainRows, groups: readonly MarketGroup[] = []): void {
    this.run({ kind: "catalog.read", answer: { markets: [market], groups } });
    this.run({ kind: "books.watched", markets: [market] });
    this.book(market, rows);
  }

  /** Gamma says that the market has ended and who won. */
  resolve(market: Market, winner: 0 | 1): StepResult {
    const ended: Market = { ...market, tradable: false, winner };
    return this.run({ kind: "catalog.read", answer: { markets: [ended], groups: [] } });
  }

  book(market: Market, rows: BookRows): void {
    this.run({ kind: "market", event: snapshotOf(market, rows, this.nowMs) });
  }

  /** Starts the run and reconciles it with an account that holds `cash` and nothing else. */
  start(cash: Usd = dollars(1_000)): this {
    this.run({ kind: "run.start" });
    this.run({ kind: "market", event: { kind: "link.up", feed: "market", epoch: 1 } });
    this.read("start", { cash });
    return this;
  }

  read(
    purpose: ReadPurpose,
    account: {
      readonly cash?: Usd | null;
      readonly orders?: readonly VenueOrder[] | null;
      readonly fills?: readonly FillReport[] | null;
    } = {},
  ): StepResult {
    const { cash = null, orders = [], fills = [] } = account;
    const balance = cash === null ? null : { cash, allowance: dollars(1_000_000) };
    return this.run({
      kind: "account.read",
      purpose,
      report: { openOrders: orders, fills, balance },
    });
  }

  quote(request: Partial<TradeRequest>, actor: Actor = trader): Result<TradeCard, Denial> {
    return this.request("quote", {
      do: "quote",
      actor,
      commandId: `q${this.#steps}`,
      request: requestOf(request),
    }).value;
  }

  card(request: Partial<TradeRequest>): TradeCard {
    const quoted = this.quote(request);
    if (!quoted.ok) throw new TestFailure(`no card: ${JSON.stringify(quoted.error)}`);
    return quoted.value;
  }

  /** A press of Confirm, signing included, as the runtime does it in one turn. */
  confirm(nonce: string, actor: Actor = trader, commandId = `c${this.#steps}`): ConfirmOutcome {
    const signed = this.sign(nonce);
    return this.request("confirm", { do: "confirm", actor, commandId, nonce, signed }).value;
  }

  /** What a signer makes of a card that can be used. */
  sign(nonce: string): PreparedOrder[] {
    const card = this.state.cards.get(nonce);
    if (card?.state !== "open") return [];
    return card.drafts.map((_, leg) => {
      const orderHash = `0x${plainHasher.sha256Hex(`${nonce}:${leg}`)}`;
      return { orderHash, body: `{"leg":${leg}}` };
    });
  }

  /** Quotes and confirms; the one order that it made. */
  place(request: Partial<TradeRequest>): Order {
    const outcome = this.confirm(this.card(request).nonce);
    if (outcome.kind !== "accepted") throw new TestFailure(JSON.stringify(outcome));
    const [view] = outcome.orders;
    return this.order(view?.clientOid ?? "");
  }

  order(clientOid: string): Order {
    const order = this.state.orders.get(clientOid);
    if (order === undefined) throw new TestFailure(`no order ${clientOid}`);
    return order;
  }

  notices(): Notice["body"][] {
    return [...this.state.notices.values()].map((notice) => notice.body);
  }

  kill(note = ""): void {
    this.request("kill", { do: "kill", byUserId: trader.userId, note });
  }
}

export function requestOf(over: Partial<TradeRequest>): TradeRequest {
  return {
    conditionId: plain.conditionId,
    outcome: 0,
    side: "buy",
    amount: { unit: "usd", value: dollars(10) },
    limit: null,
    timeInForce: null,
    goodForMs: null,
    slippagePpm: null,
    ...over,
  };
}

/** A desk that trades two markets: one without fee, one that takes four percent. */
export function openCoreDesk(settings: EngineSettings = testSettings()): CoreDesk {
  const desk = new CoreDesk(settings).start();
  desk.list(plain);
  desk.list(taxed);
  desk.drain();
  return desk;
}
