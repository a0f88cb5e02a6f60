import { join } from "node:path";
import { Account } from "./account.ts";
import { Accounts } from "./accounts.ts";
import { Feed } from "./feed.ts";
import type { Market } from "./market.ts";
import { MarketRegistry } from "./market.ts";
import type { OrderRecord, OutcomeIndex, TradeRecord } from "./records.ts";
import { Relays } from "./relays.ts";
import { Store } from "./store.ts";
import { CROWD_ADDRESS } from "./wire.ts";
import { Work } from "./work.ts";

/** Milliseconds since 1970. */
export type Clock = () => number;

export type VenueOptions = {
  readonly stateDir: string;
  readonly clock: Clock;
  /** Time between MATCHED and MINED, and between MINED and CONFIRMED. */
  readonly settleMs: number;
  readonly startCash: bigint;
  /** How far ahead a GTD expiration must be. */
  readonly gtdMinLeadMs: number;
  /** How long before its expiration a GTD order dies. */
  readonly gtdMarginMs: number;
  /** One second of a market's taker delay, so that scaled tests can shorten it. */
  readonly delaySecondMs: number;
  /** False: winning shares wait until their owner redeems them, as on the chain. */
  readonly autoRedeem: boolean;
};

/** All that the exchange knows. Changes go through `act`, which writes before it publishes. */
export class VenueState {
  readonly options: VenueOptions;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly markets = new MarketRegistry();
  readonly feed = new Feed();
  readonly relays: Relays;
  readonly unsettled = new Map<string, TradeRecord>();
  readonly delayed = new Map<string, OrderRecord>();
  readonly expiring = new Map<string, OrderRecord>();
  readonly resolutions = new Map<string, OutcomeIndex>();
  /** The other side of every recorded or generated level; may go below zero. In memory, for audits. */
  readonly crowd = new Account(CROWD_ADDRESS, 0n);
  feesCollected = 0n;
  /** What the venue says of this place and of its accounts, from scripts. */
  readonly access = { blocked: false, closedOnly: false, banned: false };
  /** How the next trades settle, from scripted faults. */
  readonly tradePlans: ("fail" | "retry")[] = [];
  #seq: number;
  #work: Work | null = null;
  #afterAct: () => void = () => {};

  constructor(options: VenueOptions) {
    this.options = options;
    this.store = new Store(join(options.stateDir, "venue.db"));
    this.accounts = new Accounts(this.store, options.startCash);
    this.relays = new Relays(this.store.relays());
    this.#seq = this.store.lastSeq();
    for (const { conditionId, winner } of this.store.resolutions()) {
      this.resolutions.set(conditionId, winner);
    }
    for (const trade of this.store.unsettledTrades()) this.unsettled.set(trade.id, trade);
    for (const order of this.store.openOrders()) {
      this.accounts.get(order.account)?.open.set(order.id, order);
      if (order.status === "DELAYED") this.delayed.set(order.id, order);
      if (order.expirationS > 0) this.expiring.set(order.id, order);
    }
  }

  /** Called after every action, to arm timers. */
  set afterAct(listener: () => void) {
    this.#afterAct = listener;
  }

  now(): number {
    return this.options.clock();
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** An order of any status: open ones from memory, the rest from the database. */
  order(id: string): OrderRecord | null {
    for (const account of this.accounts.all()) {
      const order = account.open.get(id);
      if (order !== undefined) return order;
    }
    return this.store.order(id);
  }

  /** Runs one action. Whatever it changed is durable before frames leave, even when it ends in a refusal. */
  act<T>(action: (work: Work) => T): T {
    if (this.#work !== null) return action(this.#work);
    const work = new Work(this.now());
    this.#work = work;
    try {
      return action(work);
    } finally {
      this.#work = null;
      if (work.dirty) this.store.commit(work);
      this.feed.publish(work);
      this.#afterAct();
    }
  }

  /** Moves shares of an outcome to (or from) an account; after resolution their worth in cash. */
  giveShares(work: Work, account: Account, market: Market, outcome: OutcomeIndex, shares: bigint) {
    const payout = market.payout(outcome);
    if (payout === null) account.addShares(market.token(outcome), shares);
    else account.cash += (shares * payout) / 1_000_000n;
    if (account !== this.crowd) work.accounts.add(account);
  }

  giveCash(work: Work, account: Account, cash: bigint): void {
    account.cash += cash;
    if (account !== this.crowd) work.accounts.add(account);
  }

  /** The account of a party; the crowd for null. */
  party(address: string | null): Account {
    return (address === null ? null : this.accounts.get(address)) ?? this.crowd;
  }
}
