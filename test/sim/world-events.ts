import type { Price, Shares } from "../../src/engine/domain/numbers.ts";
import type { OrderDraft } from "../../src/engine/domain/order.ts";
import type { Chance } from "./chance.ts";
import type { SimTelegram } from "./chat/telegram.ts";
import type { EngineProcess } from "./engine-process.ts";
import type { Exchange, SimBook, SimTrade } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";
import { moveBook } from "./sim-market.ts";

export type WorldParts = {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly exchange: Exchange;
  readonly telegram: SimTelegram;
  /** Every process that lives, the newest last. */
  readonly processes: () => readonly EngineProcess[];
};

const fineTick = 10;
const coarseTick = 100;

/** Everything that happens by itself outside the machine: books, takers, ticks, resolutions, lost links, a bad chat. */
export class WorldEvents {
  readonly #parts: WorldParts;

  constructor(parts: WorldParts) {
    this.#parts = parts;
  }

  plan(activeMs: number): void {
    this.#every(500, 4_500, () => this.#moveMarket());
    this.#every(2_000, 10_000, () => this.#fillResting());
    this.#every(15_000, 75_000, () => this.#loseUserStream());
    this.#every(15_000, 75_000, () => this.#loseMarketStream());
    this.#every(20_000, 120_000, () => {
      const book = this.#pickBook();
      if (book !== undefined) this.changeTick(book);
    });
    this.#every(35_000, 240_000, () => this.#troubleChat());
    const { chance, scheduler } = this.#parts;
    if (chance.happens(0.4)) this.#every(10_000, 70_000, () => this.#tradeByHand());
    if (chance.happens(0.3)) this.#every(30_000, 150_000, () => this.#transfer());
    if (chance.happens(0.4)) {
      scheduler.after(chance.int(activeMs * 0.2, activeMs * 0.95), () => this.#resolve());
    }
  }

  #every(fromMs: number, toMs: number, happen: () => void): void {
    const { chance, scheduler } = this.#parts;
    scheduler.after(chance.int(fromMs, toMs), () => {
      happen();
      this.#every(fromMs, toMs, happen);
    });
  }

  /** The settlement of a trade on the chain. */
  settleLater(trade: SimTrade): void {
    const { faults, scheduler, exchange } = this.#parts;
    const { fault, chance } = faults.decide("settle", trade.tradeId, {
      none: 86,
      failed: 10,
      "void-at-once": 4,
    });
    // A void can be told before the match that it voids (reliability 2.5).
    const afterMs = fault === "void-at-once" ? chance.int(20, 900) : chance.int(1_500, 30_000);
    scheduler.after(afterMs, () => {
      if (trade.status !== "provisional") return;
      exchange.settle(trade, fault === "none" ? "confirmed" : "failed");
    });
  }

  publish(conditionId: string): void {
    for (const process of this.#parts.processes()) process.market.publish(conditionId);
  }

  #pickBook(): SimBook | undefined {
    const books = [...this.#parts.exchange.books.values()];
    return this.#parts.chance.pick(books.filter((book) => book.winner === null));
  }

  #moveMarket(): void {
    const { chance, scheduler, faults } = this.#parts;
    const book = this.#pickBook();
    // Nobody trades any more when all is calm: now and then a new price is enough.
    if (book === undefined || (!faults.on && chance.happens(0.8))) return;
    moveBook(book, chance, scheduler.nowMs);
    this.publish(book.market.conditionId);
  }

  #fillResting(): void {
    const { faults, chance, exchange } = this.#parts;
    if (!faults.on) return;
    const order = chance.pick(exchange.live());
    // Most orders with an end are left to reach it.
    if (order === undefined || (order.draft.expirationS !== null && chance.happens(0.8))) return;
    const part = chance.happens(0.5) ? 1 : chance.next();
    exchange.fillResting(order, Math.ceil(order.draft.size * part));
  }

  #loseUserStream(): void {
    const { faults, chance } = this.#parts;
    if (!faults.on) return;
    faults.count("link.user");
    for (const process of this.#parts.processes()) {
      process.venue.loseStream(chance.int(500, 25_000));
    }
  }

  #loseMarketStream(): void {
    const { faults, chance } = this.#parts;
    if (!faults.on) return;
    faults.count("link.market");
    for (const process of this.#parts.processes()) process.market.lose(chance.int(500, 15_000));
  }

  /** The grid of a market changes: what was signed for the old one is refused. */
  changeTick(book: SimBook): void {
    const { faults } = this.#parts;
    if (!faults.on || book.winner !== null) return;
    faults.count("market.tick-changed");
    book.tick = book.tick === coarseTick ? fineTick : coarseTick;
    book.changedAtMs = this.#parts.scheduler.nowMs;
    const { conditionId, outcomes } = book.market;
    for (const process of this.#parts.processes()) {
      process.market.announce({
        kind: "tick-size.changed",
        conditionId,
        tokenId: outcomes[0].tokenId,
        timestamp: String(this.#parts.scheduler.nowMs),
        tickSize: book.tick as Price,
      });
    }
  }

  /** A market ends: its trades are settled, what rests is gone, winners are paid. */
  #resolve(): void {
    const { faults, exchange, chance, scheduler } = this.#parts;
    const book = this.#pickBook();
    if (!faults.on || book === undefined || book.market.groupId !== null) return;
    faults.count("market.resolved");
    const { conditionId, outcomes } = book.market;
    const winner = chance.pick(outcomes)?.tokenId ?? "";
    exchange.resolve(book, winner);
    for (const process of this.#parts.processes()) {
      process.market.announce({
        kind: "market.resolved",
        conditionId,
        winningTokenId: winner,
        timestamp: String(scheduler.nowMs),
      });
    }
  }

  /** Somebody trades on the same account in the venue's own web page, and cancels what rests there after a while. */
  #tradeByHand(): void {
    const { faults, exchange, chance, scheduler } = this.#parts;
    const book = this.#pickBook();
    if (!faults.on || book === undefined) return;
    const { market } = book;
    const outcome = chance.int(0, 1) === 0 ? 0 : 1;
    const { tokenId } = market.outcomes[outcome];
    // Also of shares whose purchase is not settled yet, but of none that another sale offers.
    const free = exchange.freeShares(tokenId);
    const isSale = free > 0 && chance.happens(0.5);
    const draft: OrderDraft = {
      conditionId: market.conditionId,
      tokenId,
      outcome,
      side: isSale ? "sell" : "buy",
      timeInForce: "gtc",
      limit: (chance.int(25, 75) * coarseTick) as Price,
      spend: null,
      size: (isSale ? Math.ceil(free / 2) : chance.int(5, 25) * 1_000_000) as Shares,
      tickSize: book.tick as Price,
      negRisk: market.negRisk,
      version: market.version,
      expirationS: null,
      postOnly: false,
    };
    const orderHash = `0xe${chance.hex(32).slice(1)}`;
    const taken = exchange.book({ orderHash, body: JSON.stringify({ salt: 0, draft }) }, true);
    if (taken.kind !== "accepted") return;
    faults.count(taken.state === "live" ? "foreign.rests" : "foreign.fills");
    scheduler.after(chance.int(5_000, 60_000), () => exchange.cancel([orderHash]));
  }

  /** Money comes or goes past the venue, or shares are taken out. */
  #transfer(): void {
    const { faults, exchange, chance } = this.#parts;
    if (!faults.on) return;
    if (chance.happens(0.5)) {
      faults.count("foreign.cash");
      exchange.transferCash(chance.int(-20_000_000, 20_000_000));
      return;
    }
    const tokenId = chance.pick([...exchange.shares.keys()]) ?? "";
    const free = exchange.freeShares(tokenId);
    if (free <= 0 || exchange.trades.some((trade) => isOpenTrade(trade, tokenId))) return;
    faults.count("foreign.shares-taken");
    exchange.takeShares(tokenId, Math.ceil(free / 3));
  }

  #troubleChat(): void {
    const { faults, chance, telegram } = this.#parts;
    if (!faults.on) return;
    const kind = chance.happens(0.5) ? "conflict" : "unauthorized";
    telegram.refuse(kind, chance.int(2_000, 30_000));
  }
}

/** True while the shares of a trade may still come back. */
function isOpenTrade(trade: SimTrade, tokenId: string): boolean {
  return trade.tokenId === tokenId && trade.status === "provisional";
}
