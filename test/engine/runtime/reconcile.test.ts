import { Chain, ClobClient } from "@polymarket/clob-client-v2";
import { Wallet } from "ethers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { privateCall, sdkSigner } from "../../adapters/paper-venue/exchange/venue-support.ts";
import { type LiveDesk, openLiveDesk, privateKey, until } from "../support/live-desk.ts";
import { dollars } from "../support/settings.ts";
import { standing } from "../support/standing-world.ts";

let desk: LiveDesk;
beforeEach(async () => {
  desk = await openLiveDesk();
});
afterEach(async () => desk.close());

const { conditionId } = standing;
const [{ tokenId }] = standing.outcomes;

/** What somebody does with the account's shares outside every order. */
async function outside(action: "split" | "merge", shares: string): Promise<void> {
  const wallet = new Wallet(privateKey);
  const common = { host: desk.baseUrl, chain: Chain.POLYGON, throwOnError: true } as const;
  const creds = await new ClobClient({ ...common, signer: sdkSigner(wallet) }).deriveApiKey();
  const body = JSON.stringify({ action, condition_id: conditionId, shares });
  const place = { url: desk.baseUrl };
  const answer = await privateCall(place, { wallet, creds }, ["POST", "/paper/positions", body]);
  expect(answer.status).toBe(200);
}

const position = () => desk.engine.state.positions.get(tokenId);

test("shares that come and go outside every order: shown, never sold, corrected once each, told", async () => {
  const { clientOid } = await desk.place({
    conditionId,
    amount: { unit: "usd", value: dollars(10.4) },
  });
  await until("confirmed", () => position()?.confirmed === 20_000_000);
  await outside("split", "5");
  await until("the difference lasted", () => position()?.unexplained === 5_000_000);
  expect(desk.engine.holdings()).toMatchObject([{ confirmed: 20_000_000, sellable: 20_000_000 }]);
  await until("cash followed", () => desk.engine.state.cash === dollars(1_000 - 10.4 - 5));
  await outside("merge", "5");
  await until("and back", () => position()?.unexplained === 0);
  expect(position()).toMatchObject({ confirmed: 20_000_000, cost: 10_400_000, corrections: 2 });
  const told = desk.notices().filter((body) => body.kind === "position.corrected");
  expect(told).toMatchObject([{ to: 25_000_000 }, { to: 20_000_000 }]);
  expect(desk.order(clientOid).status).toBe("filled");
  desk = await desk.restart();
  await until("compared again", () => desk.engine.state.live.nextReconcileAtMs > 0);
  expect(position()).toMatchObject({ confirmed: 20_000_000, corrections: 2 });
});
