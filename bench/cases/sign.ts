import { Side } from "@polymarket/clob-client-v2";
import { openOrderScheme } from "../../src/adapters/polymarket/open-scheme.ts";
import { orderAmounts } from "../../src/adapters/polymarket/order-amounts.ts";
import { OrderSigner } from "../../src/adapters/polymarket/signing.ts";
import { price, shares } from "../../src/engine/domain/numbers.ts";
import type { OrderDraft } from "../../src/engine/domain/order.ts";
import { officialClient, officialOrderHash } from "../baseline/official-client.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { demand } from "../support/bench-error.ts";
import { keep, race, timeEach, timeEachAsync } from "../support/race.ts";

/** One limit order signed: ours with the request's body against the official client's createOrder. */
export const signCase: BenchCase = { name: "sign", run };

// Hardhat's published account 0: it guards nothing.
const privateKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ordersPerRound = 300;
/** performance.md section 4. */
const wanted = 10;
const zero32 = `0x${"00".repeat(32)}`;

const draft: OrderDraft = {
  conditionId: `0x${"0".repeat(64)}`,
  tokenId: "111604417349377875799825956621596386269673370070912696668140891647145772186047",
  outcome: 0,
  side: "buy",
  timeInForce: "gtc",
  limit: price(4_700),
  spend: null,
  size: shares(10_000_000),
  tickSize: price(100),
  negRisk: false,
  version: "v1",
  expirationS: null,
  postOnly: false,
};

async function run(context: BenchContext): Promise<CaseResult> {
  const { scheme, fallback } = await openOrderScheme(137);
  demand(fallback === null, `the fast scheme signs (${fallback})`);
  const signer = new OrderSigner({
    chainId: 137,
    privateKey,
    signatureType: 0,
    funder: "",
    scheme,
  });
  const create = await officialCreate();
  await checkEqual(signer, await create());
  const timestampMs = Date.now();
  const prepare = (salt: number) => signer.prepare(draft, { salt, timestampMs }, "api-key");
  const amounts = orderAmounts(draft);
  const order = {
    maker: signer.funder,
    signer: signer.signer,
    tokenId: draft.tokenId,
    makerAmount: String(amounts.maker),
    takerAmount: String(amounts.taker),
    side: 0,
    signatureType: 0,
    timestamp: String(timestampMs),
    metadata: zero32,
    builder: zero32,
  } as const;
  const domain = signer.domainOf(draft);
  const timings = await race(
    [
      {
        name: "ours: hash, signature and body",
        round: () => timeEach(ordersPerRound, (i) => keep(prepare(i))),
      },
      {
        name: "ours: hash alone",
        round: () =>
          timeEach(ordersPerRound, (salt) => keep(signer.hashOrder({ ...order, salt }, domain))),
      },
      {
        name: "official client createOrder, viem account",
        round: () => timeEachAsync(ordersPerRound, create),
      },
    ],
    { rounds: context.rounds, warmUps: 2 },
    (text) => context.progress(`sign: ${text}`),
  );
  const { rows, ratio } = rowsAgainst("", timings);
  return {
    title: "Sign one order",
    rows,
    notes: ["same hash and same signature for the same order, compared before"],
    ratios: { sign: ratio },
    aims: [ratioAim("sign over the official client", ratio, wanted)],
  };
}

/** The official client when it knows the market already: no request is left to make. */
async function officialCreate(): Promise<() => Promise<unknown>> {
  const client = await officialClient("http://127.0.0.1:9", privateKey);
  client.tickSizes[draft.tokenId] = "0.01";
  const order = { tokenID: draft.tokenId, price: 0.47, size: 10, side: Side.BUY };
  return () => client.createOrder(order, { tickSize: "0.01", negRisk: false, version: 2 });
}

async function checkEqual(signer: OrderSigner, theirs: unknown): Promise<void> {
  const order = theirs as Readonly<Record<string, string>>;
  const unique = { salt: Number(order["salt"]), timestampMs: Number(order["timestamp"]) };
  const ours = signer.prepare(draft, unique, "api-key");
  const body = JSON.parse(ours.body) as { readonly order: Readonly<Record<string, unknown>> };
  const hash = await officialOrderHash(theirs, signer.domainOf(draft).exchange);
  demand(ours.orderHash === hash, "order hash");
  demand(body.order["signature"] === order["signature"], "signature");
}
