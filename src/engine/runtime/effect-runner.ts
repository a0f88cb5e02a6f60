import type { EngineInput } from "../core/input.ts";
import type { ConditionId } from "../domain/market.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { unreachable } from "../lib/assert.ts";
import type { ContractPort } from "../ports/contracts.ts";
import type { MarketDataPort } from "../ports/market-data.ts";
import type { Clock, Entropy, FaultPoints, Log } from "../ports/system.ts";
import type { VenuePort } from "../ports/venue.ts";
import type { Effect, ReadPurpose } from "../protocol/effect.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { ShareReport, TokenRead } from "../protocol/venue-report.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openOrders } from "../state/exposure.ts";
import { ActionRunner } from "./action-runner.ts";

export type EffectDeps = {
  readonly state: EngineState;
  readonly venue: VenuePort;
  readonly marketData: MarketDataPort;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly faultPoints: FaultPoints;
  readonly logger: Log;
  /** Asked directly before the first byte of an order. */
  readonly gate: (clientOid: string) => Denial | null;
  readonly isConnected: () => boolean;
  readonly contracts: ContractPort | undefined;
  readonly mode: EngineSettings["mode"];
  /** Why nothing at all may leave now. */
  readonly gateDenial: () => Denial | null;
  /** Asks the catalog about a market soon; its answer comes back as an input. */
  readonly readMarket: (conditionId: ConditionId) => void;
  /** Feeds a result back; resolves when its facts are durable. */
  readonly dispatch: (input: EngineInput, correlationId: string) => Promise<void>;
};

/** How long after the first byte K9 strikes: the request is out, the answer is not in. */
const k9DelayMs = 20;
/** Trades are read from a little before an order was made. */
const fillsMarginS = 5;

/** Runs effects after their facts are durable. Every outcome, even a failure, comes back as an input. */
export class EffectRunner {
  /** Calls on the position contracts; null when this desk reaches none. */
  readonly acts: ActionRunner | null;
  readonly #deps: EffectDeps;
  #balanceReading = false;
  #balanceWanted = false;

  constructor(deps: EffectDeps) {
    this.#deps = deps;
    const { contracts } = deps;
    this.acts = contracts === undefined ? null : new ActionRunner({ ...deps, contracts });
  }

  /** `decidedMs`: monotonic time of the step that asked for it, from which its stages are measured. */
  run(effect: Effect, decidedMs = this.#deps.clock.monotonicMs()): void {
    this.#perform(effect, decidedMs).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : "unknown failure";
      this.#deps.logger.error("effect.failed", { effect: effect.kind, detail });
    });
  }

  async #perform(effect: Effect, decidedMs: number): Promise<void> {
    switch (effect.kind) {
      case "order.post":
        return this.#post(effect.clientOid, decidedMs);
      case "order.query":
        return this.#query(effect.clientOid);
      case "order.cancel":
        return this.#cancel(effect.clientOids);
      case "orders.cancel-all":
        return this.#cancelAll();
      case "replace.sign":
        return this.#sign(effect.replaceId, effect.draft);
      case "external.cancel":
        await this.#deps.venue.cancel([effect.orderHash]);
        return undefined;
      case "account.read":
        return effect.purpose === "balance"
          ? this.#readBalance()
          : this.#readAccount(effect.purpose, effect.fillsAfterS ?? 0, effect.tokens ?? []);
      case "action.submit":
      case "action.query":
      case "claim.read":
        return this.acts?.perform(effect);
      case "action.settled":
        await this.acts?.perform(effect);
        return this.#readBalance();
      case "market.read":
        this.#deps.readMarket(effect.conditionId);
        return undefined;
      case "book.resync":
        this.#deps.marketData.resync(effect.conditionId, effect);
        return undefined;
      default:
        return unreachable(effect);
    }
  }

  async #post(clientOid: string, decidedMs: number): Promise<void> {
    const { state, venue, faultPoints, clock } = this.#deps;
    const committedMs = sinceMs(clock, decidedMs);
    let sentMs: number | null = null;
    const order = state.orders.get(clientOid);
    if (order === undefined) return;
    faultPoints.hit("K6");
    const { orderHash, body } = order;
    const gate = (): Denial | null => {
      const denial = this.#deps.gate(clientOid);
      if (denial !== null) return denial;
      sentMs = sinceMs(clock, decidedMs);
      faultPoints.hit("K7");
      clock.after(k9DelayMs, () => faultPoints.hit("K9"));
      return null;
    };
    const leftMs = Math.max(0, order.deadlineMs - clock.nowMs());
    const outcome = await venue.post({ orderHash, body }, gate, leftMs);
    const timing = { committedMs, sentMs, acknowledgedMs: sinceMs(clock, decidedMs) };
    faultPoints.hit("K10");
    const durationMs = sentMs === null ? null : Math.round(timing.acknowledgedMs - sentMs);
    const finished = { kind: "post.finished", clientOid, outcome, durationMs, timing } as const;
    await this.#deps.dispatch(finished, order.planId);
    faultPoints.hit("K11");
  }

  async #sign(replaceId: string, draft: OrderDraft): Promise<void> {
    const { venue, entropy, clock, dispatch } = this.#deps;
    const unique = { salt: entropy.salt(), timestampMs: clock.nowMs() };
    const prepared = venue.prepare(draft, unique);
    await dispatch({ kind: "replace.signed", replaceId, draft, prepared }, replaceId);
  }

  async #query(clientOid: string): Promise<void> {
    const { state, venue } = this.#deps;
    const order = state.orders.get(clientOid);
    if (order === undefined) return;
    const fillsAfterS = Math.floor(order.createdAtMs / 1000) - fillsMarginS;
    const [outcome, fills] = await Promise.all([
      venue.queryOrder(order.orderHash),
      venue.fills(fillsAfterS),
    ]);
    const input: EngineInput = {
      kind: "query.finished",
      clientOid,
      outcome,
      fills: fills.ok ? fills.value : null,
    };
    await this.#deps.dispatch(input, order.planId);
  }

  async #cancel(clientOids: readonly string[]): Promise<void> {
    const { state, venue, faultPoints } = this.#deps;
    const hashes = clientOids.flatMap((oid) => state.orders.get(oid)?.orderHash ?? []);
    if (hashes.length === 0) return;
    const answer = venue.cancel(hashes);
    faultPoints.hit("K14");
    const outcome = await answer;
    await this.#deps.dispatch({ kind: "cancel.finished", clientOids, outcome }, "cancel");
  }

  async #cancelAll(): Promise<void> {
    const { state, venue, faultPoints } = this.#deps;
    const answer = venue.cancelAll();
    faultPoints.hit("K15");
    const outcome = await answer;
    const clientOids = openOrders(state).map((order) => order.clientOid);
    await this.#deps.dispatch({ kind: "cancel.finished", clientOids, outcome }, "cancel-all");
  }

  async #readAccount(
    purpose: ReadPurpose,
    fillsAfterS: number,
    tokens: readonly TokenRead[],
  ): Promise<void> {
    const { venue } = this.#deps;
    if (!this.#deps.isConnected()) {
      const nothing = { openOrders: null, fills: null, balance: null };
      await this.#deps.dispatch({ kind: "account.read", purpose, report: nothing }, "reconcile");
      return;
    }
    const [orders, fills, balance, shares] = await Promise.all([
      venue.openOrders(),
      venue.fills(fillsAfterS),
      venue.balance(),
      Promise.all(tokens.map((token) => this.#readShares(token))),
    ]);
    const report = {
      openOrders: orders.ok ? orders.value : null,
      fills: fills.ok ? fills.value : null,
      balance: balance.ok ? balance.value : null,
      shares: shares.flat(),
    };
    await this.#deps.dispatch({ kind: "account.read", purpose, report }, "reconcile");
  }

  /** Nothing when it could not be read: a failed read is never "no shares". */
  async #readShares({ tokenId, version }: TokenRead): Promise<ShareReport[]> {
    const read = await this.#deps.venue.shares(tokenId, version);
    return read.ok ? [{ tokenId, shares: read.value }] : [];
  }

  /** Several fills in a moment ask for one reading after the last of them. */
  async #readBalance(): Promise<void> {
    this.#balanceWanted = true;
    if (this.#balanceReading || !this.#deps.isConnected()) return;
    this.#balanceReading = true;
    try {
      while (this.#balanceWanted) {
        this.#balanceWanted = false;
        const balance = await this.#deps.venue.balance();
        if (!balance.ok) return;
        const report = { openOrders: null, fills: null, balance: balance.value };
        await this.#deps.dispatch({ kind: "account.read", purpose: "balance", report }, "balance");
      }
    } finally {
      this.#balanceReading = false;
    }
  }
}

/** Milliseconds since a monotonic time, to the microsecond. */
function sinceMs(clock: Clock, startMs: number): number {
  return Math.round((clock.monotonicMs() - startMs) * 1_000) / 1_000;
}
