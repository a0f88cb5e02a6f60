// The official client with a viem account, as its own documentation sets it up.
import { type ApiKeyCreds, Chain, ClobClient } from "@polymarket/clob-client-v2";

type ClientOptions = ConstructorParameters<typeof ClobClient>[0];
type Signer = NonNullable<ClientOptions["signer"]>;

/** What of viem is used; it comes with the official client, which is its only user in this project. */
type Viem = {
  createWalletClient(options: { account: unknown; transport: unknown }): Signer;
  http(url: string): unknown;
};
type ViemAccounts = { privateKeyToAccount(key: string): { readonly address: string } };

/** Names that the type checker does not follow: viem is a dependency of the official client, not of ours. */
const viemName: string = "viem";
const viemAccountsName: string = "viem/accounts";

/** A client of the official SDK for one key; nothing of it is changed. */
export async function officialClient(
  host: string,
  privateKey: string,
  creds?: ApiKeyCreds,
): Promise<ClobClient> {
  const viem = (await import(viemName)) as Viem;
  const accounts = (await import(viemAccountsName)) as ViemAccounts;
  const account = accounts.privateKeyToAccount(privateKey);
  const signer = viem.createWalletClient({ account, transport: viem.http(host) });
  return new ClobClient({
    host,
    chain: Chain.POLYGON,
    signer,
    ...(creds === undefined ? {} : { creds }),
    throwOnError: true,
  });
}

type HashBuilder = {
  buildOrderTypedData(order: unknown): unknown;
  buildOrderHash(typedData: unknown): string;
};
type HashBuilderClass = new (exchange: string, chainId: number) => HashBuilder;

/** The order's id by the official client's own function, which its entry file does not export. */
export async function officialOrderHash(order: unknown, exchange: string): Promise<string> {
  const entry = import.meta.resolve("@polymarket/clob-client-v2");
  const file = new URL("order-utils/exchangeOrderBuilderV2.js", entry);
  const module = (await import(file.href)) as { ExchangeOrderBuilderV2: HashBuilderClass };
  const builder = new module.ExchangeOrderBuilderV2(exchange, Chain.POLYGON);
  return builder.buildOrderHash(builder.buildOrderTypedData(order));
}
