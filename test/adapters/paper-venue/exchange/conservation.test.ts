import fc from "fast-check";
import { expect, test } from "vitest";
import type { PaperVenue } from "../../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import type { Desk, Trader } from "./venue-support.ts";
import { marketSpec, newTrader, openDesk, postRaw, privateCall } from "./venue-support.ts";

const spec = marketSpec({ feeRate: "0.05" });
const yes = spec.outcomes[0].tokenId;
const no = spec.outcomes[1].tokenId;

type Step =
  | {
      readonly do: "order";
      readonly who: 0 | 1;
      readonly side: "BUY" | "SELL";
      readonly token: 0 | 1;
      readonly ticks: number;
      readonly cents: number;
      readonly type: "GTC" | "FAK" | "FOK";
    }
  | {
      readonly do: "crowd";
      readonly side: "BUY" | "SELL";
      readonly ticks: number;
      readonly size: number;
    }
  | {
      readonly do: "level";
      readonly side: "BUY" | "SELL";
      readonly ticks: number;
      readonly size: number;
    }
  | { readonly do: "split"; readonly who: 0 | 1; readonly size: number }
  | { readonly do: "fail" };

const zeroOrOne = fc.constantFrom(0 as const, 1 as const);
const side = fc.constantFrom("BUY" as const, "SELL" as const);
const ticks = fc.integer({ min: 40, max: 60 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("order" as const),
      who: zeroOrOne,
      side,
      token: zeroOrOne,
      ticks,
      cents: fc.integer({ min: 500, max: 6000 }),
      type: fc.constantFrom("GTC" as const, "FAK" as const, "FOK" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("crowd" as const),
      side,
      ticks,
      size: fc.integer({ min: 1, max: 50 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("level" as const),
      side,
      ticks,
      size: fc.integer({ min: 0, max: 50 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("split" as const),
      who: zeroOrOne,
      size: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
);

/** Amounts as a trader builds them: floor to cents, then to four decimals. */
function amounts(order: Extract<Step, { do: "order" }>) {
  const price = BigInt(order.ticks) * 10_000n;
  const hundredths = BigInt(order.cents) * 10_000n;
  if (order.side === "SELL") {
    return { makerAmount: hundredths, takerAmount: (hundredths * price) / 1_000_000n };
  }
  if (order.type === "GTC") {
    return { makerAmount: (hundredths * price) / 1_000_000n, takerAmount: hundredths };
  }
  const shares = (hundredths * 1_000_000n) / price;
  return { makerAmount: hundredths, takerAmount: shares - (shares % 100n) };
}

async function run(desk: Desk, traders: readonly [Trader, Trader], action: Step): Promise<void> {
  const { exchange } = desk.venue;
  const price = "ticks" in action ? String(action.ticks / 100) : "0";
  switch (action.do) {
    case "order": {
      const { makerAmount, takerAmount } = amounts(action);
      await postRaw(desk, traders[action.who], {
        tokenId: action.token === 0 ? yes : no,
        side: action.side,
        orderType: action.type,
        makerAmount: String(makerAmount),
        takerAmount: String(takerAmount),
      });
      break;
    }
    case "crowd":
      exchange.crowdTrade(spec.conditionId, action.side, price, String(action.size));
      break;
    case "level":
      exchange.setBackgroundLevel(spec.conditionId, action.side, price, String(action.size));
      break;
    case "split": {
      const body = { action: "split", condition_id: spec.conditionId, shares: String(action.size) };
      await privateCall(desk, traders[action.who], [
        "POST",
        "/paper/positions",
        JSON.stringify(body),
      ]);
      break;
    }
    case "fail":
      desk.venue.state.tradePlans.push("fail");
      break;
  }
}

/**
 * Cash with everybody plus fees plus full sets is what came in; both outcomes exist in equal number.
 * What a failed trade takes back may have been spent or sold on: then an account goes below zero.
 */
function checkBalances(venue: PaperVenue, mayGoBelowZero: boolean): void {
  const { state, exchange } = venue;
  const accounts = state.accounts.all();
  const all = [...accounts, state.crowd];
  const total = (token: string) => all.reduce((sum, account) => sum + account.shares(token), 0n);
  expect(total(yes)).toBe(total(no));
  const cash = all.reduce((sum, account) => sum + account.cash, 0n);
  expect(cash + state.feesCollected + total(yes)).toBe(BigInt(accounts.length) * 1_000_000_000n);
  for (const account of accounts) {
    for (const order of account.open.values())
      expect(order.matched).toBeLessThan(order.originalSize);
    if (!mayGoBelowZero) expect(account.cash).toBeGreaterThanOrEqual(account.reservedCash());
    for (const [, shares] of mayGoBelowZero ? [] : account.held())
      expect(shares).toBeGreaterThan(0n);
  }
  const { bestBid, bestAsk } = exchange.market(spec.conditionId) ?? {};
  if (bestBid && bestAsk) expect(Number(bestBid)).toBeLessThan(Number(bestAsk));
}

test("cash and positions are conserved and the book never crosses, over random orders", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const desk = await openDesk({
        settleMs: 5,
        list: (venue) => venue.exchange.addMarket(spec, { bids: [], asks: [], lastTradePrice: "" }),
      });
      try {
        const traders = [await newTrader(desk), await newTrader(desk)] as const;
        let failing = false;
        for (const action of steps) {
          await run(desk, traders, action);
          failing ||= action.do === "fail";
          checkBalances(desk.venue, failing);
        }
      } finally {
        await desk.close();
      }
    }),
    { numRuns: 40, seed: 20261120 },
  );
});
