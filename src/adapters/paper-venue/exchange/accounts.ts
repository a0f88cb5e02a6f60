import { getAddress, isAddress } from "ethers/address";
import { Account } from "./account.ts";
import { newApiKey } from "./credentials.ts";
import type { ApiKey } from "./records.ts";
import type { Store } from "./store.ts";
import { badRequest } from "./venue-error.ts";

/** How many accounts and how many keys of one account the venue keeps. */
const MAX_ACCOUNTS = 10_000;
const MAX_KEYS_PER_ACCOUNT = 100;

/** Accounts by EOA, the funder wallets bound to them, and their API keys. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();
  readonly #funders = new Map<string, string>();
  readonly #keys = new Map<string, ApiKey>();
  readonly #startCash: bigint;

  constructor(store: Store, startCash: bigint) {
    this.#startCash = startCash;
    for (const { address, cash } of store.accounts()) {
      this.#accounts.set(address, new Account(address, cash));
    }
    for (const { account, token, size } of store.positions()) {
      this.#accounts.get(account)?.restore(token, size);
    }
    for (const { address, account } of store.funders()) this.#funders.set(address, account);
    for (const key of store.apiKeys()) this.#keys.set(key.key, key);
  }

  all(): Account[] {
    return [...this.#accounts.values()];
  }

  get(address: string): Account | null {
    return this.#accounts.get(address) ?? null;
  }

  /** The account of an EOA or of a wallet bound to one. */
  byOwner(address: string): Account | null {
    if (!isAddress(address)) return null;
    const checksummed = getAddress(address);
    return this.get(this.#funders.get(checksummed) ?? checksummed);
  }

  /** The EOA a wallet is bound to, or null. */
  ownerOfFunder(funder: string): string | null {
    return this.#funders.get(funder) ?? null;
  }

  bindFunder(funder: string, account: string): void {
    this.#funders.set(funder, account);
  }

  /** A wallet to show for an account: the first bound funder, else the EOA. */
  shownAddress(account: string): string {
    for (const [funder, owner] of this.#funders) if (owner === account) return funder;
    return account;
  }

  /** Opens the account of an EOA with the starting cash; null when it exists. */
  open(address: string): Account | null {
    if (this.#accounts.has(address)) return null;
    if (this.#accounts.size >= MAX_ACCOUNTS) throw badRequest("too many accounts");
    const account = new Account(address, this.#startCash);
    this.#accounts.set(address, account);
    return account;
  }

  key(name: string): ApiKey | null {
    return this.#keys.get(name) ?? null;
  }

  keyOf(account: string, nonce: string): ApiKey | null {
    return this.keysOf(account).find((key) => key.nonce === nonce) ?? null;
  }

  keysOf(account: string): ApiKey[] {
    return [...this.#keys.values()].filter((key) => key.account === account);
  }

  createKey(account: string, nonce: string): ApiKey {
    if (this.keysOf(account).length >= MAX_KEYS_PER_ACCOUNT) throw badRequest("too many keys");
    const key = newApiKey(account, nonce);
    this.#keys.set(key.key, key);
    return key;
  }
}
