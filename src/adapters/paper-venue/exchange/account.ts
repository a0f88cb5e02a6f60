import { costCeil } from "./amounts.ts";
import type { OrderRecord } from "./records.ts";
import { remainingShares } from "./records.ts";

/** Money of one EOA: cash, positions and what its open orders set aside. */
export class Account {
  readonly address: string;
  /** Micro-dollars. */
  cash: bigint;
  readonly open = new Map<string, OrderRecord>();
  readonly #positions = new Map<string, bigint>();
  readonly #changed = new Set<string>();

  constructor(address: string, cash: bigint) {
    this.address = address;
    this.cash = cash;
  }

  /** Micro-shares held of a token; below zero only after a failed trade whose tokens were sold on. */
  shares(token: string): bigint {
    return this.#positions.get(token) ?? 0n;
  }

  addShares(token: string, shares: bigint): void {
    this.#positions.set(token, this.shares(token) + shares);
    this.#changed.add(token);
  }

  /** Sets a position as read from the database. */
  restore(token: string, shares: bigint): void {
    this.#positions.set(token, shares);
  }

  /** Tokens held, without empty positions. */
  held(): [string, bigint][] {
    return [...this.#positions].filter(([, shares]) => shares !== 0n);
  }

  takeChangedTokens(): string[] {
    const tokens = [...this.#changed];
    this.#changed.clear();
    return tokens;
  }

  /** Cash set aside for open buys: what is left of each at its limit. */
  reservedCash(): bigint {
    let sum = 0n;
    for (const order of this.open.values()) if (order.side === "BUY") sum += reservation(order);
    return sum;
  }

  /** Shares of a token set aside for open sells. */
  reservedShares(token: string): bigint {
    let sum = 0n;
    for (const order of this.open.values()) {
      if (order.side === "SELL" && order.tokenId === token) sum += remainingShares(order);
    }
    return sum;
  }
}

/** Cash that an open buy may still need; a delayed one needs all that it was sent with. */
export function reservation(order: OrderRecord): bigint {
  if (order.status === "DELAYED") return order.makerAmount;
  return costCeil(remainingShares(order), order.price);
}
