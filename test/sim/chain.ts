import type { ActionCall, PreparedCall } from "../../src/engine/domain/position-action.ts";
import type { Exchange } from "./exchange.ts";
import type { Scheduler } from "./scheduler.ts";

/** What becomes of bytes that reached a node. */
export type ChainFate = "done" | "reverted" | "dropped";

type Transaction = {
  readonly call: ActionCall;
  readonly nonce: number;
  state: "waiting" | ChainFate;
  /** From here on it lies under so many blocks that it stays. */
  finalAtMs: number;
};

/** Blocks above a transaction that make it final take so long. */
const finalAfterMs = 4_000;

/** The chain with the one account: under a nonce one transaction takes effect, and the same bytes take effect once. */
export class Chain {
  readonly #exchange: Exchange;
  readonly #scheduler: Scheduler;
  readonly #transactions = new Map<string, Transaction>();
  /** Bytes that left a process and have not reached a node yet. */
  readonly #underWay = new Map<string, { readonly nonce: number; copies: number }>();
  /** The next nonce that can take effect. */
  nonce = 0;

  constructor(exchange: Exchange, scheduler: Scheduler) {
    this.#exchange = exchange;
    this.#scheduler = scheduler;
  }

  /** Hashes of calls that can still take effect; bytes that were mined or whose nonce is used cannot. */
  open(): string[] {
    const underWay = [...this.#underWay].filter(([, { nonce }]) => nonce >= this.nonce);
    const hashes = new Set(underWay.map(([hash]) => hash));
    for (const [hash, { state, nonce }] of this.#transactions) {
      if (state === "waiting" && nonce >= this.nonce) hashes.add(hash);
      else if (state !== "dropped") hashes.delete(hash);
    }
    return [...hashes];
  }

  /** Hashes of the calls that took effect. */
  done(): Set<string> {
    const done = [...this.#transactions].filter(([, one]) => one.state === "done");
    return new Set(done.map(([hash]) => hash));
  }

  find(prepared: PreparedCall): Transaction | undefined {
    return this.#transactions.get(prepared.callHash);
  }

  /** The bytes are on their way, whatever becomes of the process that sent them; `then` runs when they arrive. */
  send(
    prepared: PreparedCall,
    how: { readonly arrivesMs: number; readonly minedMs: number; readonly fate: ChainFate },
    then: () => void,
  ): void {
    const { callHash } = prepared;
    const bytes = this.#underWay.get(callHash) ?? { nonce: Number(prepared.nonce), copies: 0 };
    bytes.copies++;
    this.#underWay.set(callHash, bytes);
    this.#scheduler.after(how.arrivesMs, () => {
      bytes.copies--;
      if (bytes.copies === 0) this.#underWay.delete(callHash);
      this.#arrive(prepared, how);
      then();
    });
  }

  #arrive(prepared: PreparedCall, how: { readonly minedMs: number; readonly fate: ChainFate }) {
    const known = this.#transactions.get(prepared.callHash);
    if (known !== undefined && known.state !== "dropped") return;
    const nonce = Number(prepared.nonce);
    if (nonce < this.nonce) return;
    const { call } = JSON.parse(prepared.body) as { readonly call: ActionCall };
    const one: Transaction = { call, nonce, state: "waiting", finalAtMs: 0 };
    this.#transactions.set(prepared.callHash, one);
    this.#scheduler.after(how.minedMs, () => this.#mine(one, how.fate));
  }

  #mine(one: Transaction, fate: ChainFate): void {
    if (fate === "dropped" || one.nonce !== this.nonce) {
      one.state = "dropped";
      return;
    }
    this.nonce++;
    one.state = fate === "done" && this.#apply(one.call) ? "done" : "reverted";
    one.finalAtMs = this.#scheduler.nowMs + finalAfterMs;
  }

  /** False when the contracts undo it: not enough dollars or shares, or the market is over. */
  #apply(call: ActionCall): boolean {
    if (call.kind !== "split" && call.kind !== "merge") return false;
    const book = this.#exchange.books.get(call.market.conditionId);
    if (book === undefined || book.winner !== null) return false;
    const tokens = book.market.outcomes.map((one) => one.tokenId);
    const gains = call.kind === "split";
    const isThere = gains
      ? this.#exchange.cash >= call.size
      : tokens.every((tokenId) => this.#exchange.freeShares(tokenId) >= call.size);
    if (!isThere) return false;
    this.#exchange.swapPairs(tokens, gains ? call.size : 0 - call.size);
    return true;
  }
}
