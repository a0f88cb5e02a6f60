import type { Actor } from "../api/requests.ts";
import type { EngineInput, Reply } from "../core/input.ts";
import { step } from "../core/step.ts";
import { noFee } from "../domain/fees.ts";
import type { Market } from "../domain/market.ts";
import { price, shares, type Usd, usd } from "../domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../domain/order.ts";
import type { Hasher } from "../ports/hasher.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { createState, type EngineState } from "../state/engine-state.ts";

/** Orders after which the rehearsal's state is thrown away, so that it stays small. */
const ordersPerState = 50;
const actor: Actor = { userId: 0, chatId: 0 };
const plenty = usd(1_000_000_000_000);
const levelsPerSide = 40;

const market: Market = {
  conditionId: `0x${"0".repeat(64)}`,
  slug: "rehearsal",
  question: "Rehearsal?",
  outcomes: [
    { tokenId: "1".repeat(77), name: "Yes" },
    { tokenId: "2".repeat(77), name: "No" },
  ],
  tickSize: price(100),
  minOrderSize: shares(5_000_000),
  negRisk: false,
  fee: noFee,
  version: "v1",
  groupId: null,
  groupTitle: null,
  groupItemTitle: "",
  isOther: false,
  tradable: true,
  endAtMs: null,
  takerDelayMs: 0,
  volumeUsd: 0,
};

/**
 * Keeps the order path warm: now and then an order is quoted, signed and confirmed on a state of the rehearsal's own. The
 * engine's step is pure, so nothing of this can reach the ledger, the venue or a chat: its effects are dropped.
 * A path that runs a few times an hour is otherwise executed by cold, uncompiled code (performance h).
 */
export class Rehearsal {
  readonly #settings: EngineSettings;
  readonly #hasher: Hasher;
  readonly #prepare: (draft: OrderDraft) => PreparedOrder;
  #state: EngineState = createState();
  #nowMs = 1_000_000;
  #orders = ordersPerState;

  /** `prepare` signs with a key that guards nothing. */
  constructor(
    settings: EngineSettings,
    hasher: Hasher,
    prepare: (draft: OrderDraft) => PreparedOrder,
  ) {
    this.#settings = wideLimits(settings);
    this.#hasher = hasher;
    this.#prepare = prepare;
  }

  /** One order from the card to the encoded facts. True when it came that far. */
  run(): boolean {
    if (this.#orders >= ordersPerState) this.#begin();
    this.#orders++;
    this.#nowMs++;
    const commandId = `rehearsal:${this.#nowMs}`;
    const quoted = this.#step({
      kind: "request",
      request: {
        do: "quote",
        actor,
        commandId,
        request: {
          conditionId: market.conditionId,
          outcome: 0,
          side: "buy",
          amount: { unit: "shares", value: shares(10_000_000) },
          limit: price(4_000),
          timeInForce: "gtc",
          goodForMs: null,
          slippagePpm: null,
        },
      },
    });
    if (quoted.to !== "quote" || !quoted.value.ok) return false;
    const { nonce } = quoted.value.value;
    const drafts = this.#state.cards.get(nonce)?.drafts ?? [];
    const signed = drafts.map((draft) => this.#prepare(draft));
    const confirmed = this.#step({
      kind: "request",
      request: { do: "confirm", actor, commandId, nonce, signed },
    });
    return confirmed.to === "confirm" && confirmed.value.kind === "accepted";
  }

  #begin(): void {
    this.#orders = 0;
    this.#state = createState();
    const level = (at: number) => ({ price: price(at), size: shares(1_000_000_000) });
    const depth = Array.from({ length: levelsPerSide }, (_, i) => i * 100);
    this.#step({ kind: "run.start" });
    this.#step({ kind: "market", event: { kind: "link.up", feed: "market", epoch: 1 } });
    const balance = { cash: plenty, allowance: plenty };
    this.#step({
      kind: "account.read",
      purpose: "start",
      report: { openOrders: [], fills: [], balance },
    });
    this.#step({ kind: "catalog.read", answer: { markets: [market], groups: [] } });
    this.#step({ kind: "books.watched", markets: [market] });
    this.#step({
      kind: "market",
      event: {
        kind: "book.snapshot",
        conditionId: market.conditionId,
        tokenId: market.outcomes[0].tokenId,
        timestamp: String(this.#nowMs),
        hash: null,
        bids: depth.map((below) => level(4_900 - below)),
        asks: depth.map((above) => level(5_000 + above)),
        tickSize: market.tickSize,
        minOrderSize: market.minOrderSize,
        negRisk: market.negRisk,
        lastTradePrice: "0.5",
        source: "stream",
      },
    });
  }

  #step(input: EngineInput): Reply {
    const { facts, reply } = step(this.#state, this.#settings, this.#hasher, {
      atMs: this.#nowMs,
      entropy: this.#hasher.sha256Hex(`rehearsal:${this.#nowMs}`).slice(0, 32),
      correlationId: "rehearsal",
      input,
    });
    // Encoded as for the ledger, and forgotten.
    for (const fact of facts) JSON.stringify(fact);
    return reply;
  }
}

/** Whatever the trader's own limits are, the rehearsed order meets none of them. */
function wideLimits(settings: EngineSettings): EngineSettings {
  const { risk } = settings;
  return {
    ...settings,
    startHalted: false,
    risk: {
      ...risk,
      maxNotionalPerOrderUsd: plenty,
      maxExposurePerOutcomeUsd: plenty,
      maxExposurePerMarketUsd: plenty,
      maxExposurePerEventUsd: plenty,
      maxExposurePerStrategyUsd: plenty,
      maxExposureTotalUsd: plenty,
      maxDailyLossUsd: plenty,
      maxDailyVolumeUsd: plenty,
      breakerOrdersPerMinute: Number.MAX_SAFE_INTEGER,
      maxOpenOrders: Number.MAX_SAFE_INTEGER,
      priceCollarTicks: Number.MAX_SAFE_INTEGER,
      duplicateWindowMs: 0,
      bookMaxAgeMs: Number.MAX_SAFE_INTEGER,
      minOrderUsd: 0 as Usd,
    },
  };
}
