import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiKeyCreds } from "@polymarket/clob-client-v2";
import { Chain, ClobClient } from "@polymarket/clob-client-v2";
import type { TypedDataField } from "ethers";
import { TypedDataEncoder, Wallet } from "ethers";
import type {
  PaperVenue,
  PaperVenueOptions,
} from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { createPaperVenue } from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import { hex, marketSpec, plainBook } from "./fixtures.ts";

export { hex, marketSpec, plainBook };

export const settleMs = 15;

export type Desk = {
  readonly venue: PaperVenue;
  readonly url: string;
  readonly ws: string;
  readonly stateDir: string;
  close(): Promise<void>;
  /** Closes the venue but keeps its state, as a stop of the process would. */
  stop(): Promise<void>;
};

export type DeskOptions = Omit<Partial<PaperVenueOptions>, "stateDir"> & {
  readonly stateDir?: string;
  readonly list?: (venue: PaperVenue) => void;
};

function listPlain(venue: PaperVenue): void {
  venue.exchange.addMarket(marketSpec(), plainBook);
}

/** Starts a venue on a free port with its state in a temporary directory. */
export async function openDesk(options: DeskOptions = {}): Promise<Desk> {
  const { list, ...venueOptions } = options;
  const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "paper-venue-"));
  const venue = createPaperVenue({ settleMs, ...venueOptions, stateDir });
  (list ?? listPlain)(venue);
  const { port } = await venue.listen(0);
  return {
    venue,
    stateDir,
    url: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    stop: () => venue.close(),
    async close() {
      await venue.close();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** Polls until the condition holds; fails the test after the bound. */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  boundMs = 5000,
): Promise<NonNullable<T>> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value;
    if (Date.now() > deadline) throw new TestTimeout(`never happened: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class TestTimeout extends Error {
  override readonly name = "TestTimeout";
}

type TypedDomain = Record<string, unknown>;
type Types = Record<string, TypedDataField[]>;

/** The ethers v5 shape of a signer that the official SDK accepts. */
export function sdkSigner(wallet: Wallet) {
  return {
    getAddress: () => Promise.resolve(wallet.address),
    _signTypedData: (domain: TypedDomain, types: Types, value: Record<string, unknown>) =>
      wallet.signTypedData(domain, types, value),
  };
}

type SdkOptions = ConstructorParameters<typeof ClobClient>[0];

/** The official SDK, unmodified except that it does not poll for transaction hashes. */
export function sdk(
  desk: Desk,
  wallet: Wallet,
  creds?: ApiKeyCreds,
  over: Partial<SdkOptions> = {},
): ClobClient {
  const client = new ClobClient({
    host: desk.url,
    chain: Chain.POLYGON,
    signer: sdkSigner(wallet),
    ...(creds === undefined ? {} : { creds }),
    throwOnError: true,
    ...over,
  });
  const answered = (response: unknown): Promise<unknown> => Promise.resolve(response);
  return Object.assign(client, { resolveTransactionsHashes: answered });
}

export type Trader = {
  readonly wallet: Wallet;
  readonly creds: ApiKeyCreds;
  readonly client: ClobClient;
};

let nextKey = 1;

/** A fresh key: deterministic per process, so that failures repeat. */
export function newWallet(): Wallet {
  nextKey += 1;
  return new Wallet(`0x${(0xabc000n + BigInt(nextKey)).toString(16).padStart(64, "0")}`);
}

export async function newTrader(desk: Desk, over: Partial<SdkOptions> = {}): Promise<Trader> {
  const wallet = newWallet();
  const creds = await sdk(desk, wallet).createApiKey();
  return { wallet, creds, client: sdk(desk, wallet, creds, over) };
}

export type Answer = { readonly status: number; readonly body: unknown };

/** A signed private request of the test's own, byte for byte as given. */
export async function privateCall(
  desk: Pick<Desk, "url">,
  trader: Pick<Trader, "wallet" | "creds">,
  [method, path, body = "", atMs = Date.now()]: readonly [string, string, string?, number?],
): Promise<Answer> {
  const timestamp = String(Math.floor(atMs / 1000));
  const signed = `${timestamp}${method}${path.split("?")[0] ?? ""}${body}`;
  const key = Buffer.from(trader.creds.secret.replaceAll("-", "+").replaceAll("_", "/"), "base64");
  const mac = createHmac("sha256", key).update(signed).digest("base64");
  const response = await fetch(`${desk.url}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      POLY_ADDRESS: trader.wallet.address,
      POLY_API_KEY: trader.creds.key,
      POLY_PASSPHRASE: trader.creds.passphrase,
      POLY_TIMESTAMP: timestamp,
      POLY_SIGNATURE: mac.replaceAll("+", "-").replaceAll("/", "_"),
    },
    ...(body === "" ? {} : { body }),
  });
  return { status: response.status, body: await response.json() };
}

export async function get(desk: Desk, path: string, owner?: string): Promise<Answer> {
  const headers: Record<string, string> = owner === undefined ? {} : { "x-paper-owner": owner };
  const response = await fetch(`${desk.url}${path}`, { headers });
  return { status: response.status, body: await response.json() };
}

export async function control(
  desk: Desk,
  path: string,
  body: unknown = {},
  method = "POST",
): Promise<Answer> {
  const response = await fetch(`${desk.url}${path}`, { method, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

const orderTypes: Types = {
  Order: [
    { name: "salt", type: "uint256" },
    { name: "maker", type: "address" },
    { name: "signer", type: "address" },
    { name: "tokenId", type: "uint256" },
    { name: "makerAmount", type: "uint256" },
    { name: "takerAmount", type: "uint256" },
    { name: "side", type: "uint8" },
    { name: "signatureType", type: "uint8" },
    { name: "timestamp", type: "uint256" },
    { name: "metadata", type: "bytes32" },
    { name: "builder", type: "bytes32" },
  ],
};

export type RawOrder = {
  readonly tokenId: string;
  readonly side: "BUY" | "SELL";
  readonly makerAmount: string;
  readonly takerAmount: string;
  readonly orderType?: string;
  readonly expiration?: string;
  readonly postOnly?: boolean;
  readonly owner?: string;
  readonly version?: string;
  readonly exchange?: string;
  readonly signer?: string;
  readonly maker?: string;
};

let salt = 1000;

/** Signs any order, also ones that the SDK would refuse to build. Returns body and id. */
export async function rawOrder(
  trader: Trader,
  order: RawOrder,
): Promise<{ readonly body: string; readonly id: string }> {
  salt += 1;
  const domain = {
    name: "Polymarket CTF Exchange",
    version: order.version ?? "2",
    chainId: 137,
    verifyingContract: order.exchange ?? "0xE111180000d2663C0091e4f400237545B87B996B",
  };
  const message = {
    salt,
    maker: order.maker ?? trader.wallet.address,
    signer: order.signer ?? trader.wallet.address,
    tokenId: order.tokenId,
    makerAmount: order.makerAmount,
    takerAmount: order.takerAmount,
    side: order.side === "BUY" ? 0 : 1,
    signatureType: 0,
    timestamp: "1780449126930",
    metadata: hex("00"),
    builder: hex("00"),
  };
  const signature = await trader.wallet.signTypedData(domain, orderTypes, message);
  const wire = {
    deferExec: false,
    postOnly: order.postOnly ?? false,
    order: { ...message, side: order.side, expiration: order.expiration ?? "0", signature },
    owner: order.owner ?? trader.creds.key,
    orderType: order.orderType ?? "GTC",
  };
  return { body: JSON.stringify(wire), id: TypedDataEncoder.hash(domain, orderTypes, message) };
}

export async function postRaw(desk: Desk, trader: Trader, order: RawOrder): Promise<Answer> {
  const { body } = await rawOrder(trader, order);
  return privateCall(desk, trader, ["POST", "/order", body]);
}

/** Millionths of a decimal, for amounts of raw orders. */
export function micro(value: number): string {
  return String(Math.round(value * 1_000_000));
}
