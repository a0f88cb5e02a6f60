import { describe, expect, test } from "vitest";
import type { NoticeBody } from "../../../src/engine/api/notices.ts";
import { holdings } from "../../../src/engine/core/desk-view.ts";
import type { FillReport } from "../../../src/engine/domain/fill.ts";
import { shares } from "../../../src/engine/domain/numbers.ts";
import { exposureOf, freeCash, freeShares } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, firstMs, openCoreDesk } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, foreign, reportOf } from "../support/venue-reports.ts";

const [{ tokenId }] = plain.outcomes;
const { waits } = testSettings();
const reads = waits.quarantineCleanReads;

/** Twenty confirmed shares for $10.40. */
function holding(): CoreDesk {
  const desk = openCoreDesk();
  const { clientOid } = desk.place({ amount: { unit: "usd", value: dollars(10.4) } });
  const fill = fillOf(desk.order(clientOid), "t", 20_000_000, {
    status: "confirmed",
    at: priceOf("0.52"),
  });
  const order = reportOf(desk.order(clientOid), "matched", 20_000_000);
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  desk.run({ kind: "account", event: { kind: "order.reported", order } });
  expect(freeShares(desk.state, tokenId)).toBe(20_000_000);
  return desk;
}

function venueHolds(
  desk: CoreDesk,
  size: number,
  times = 1,
  fills: readonly FillReport[] | null = [],
) {
  for (let i = 0; i < times; i++) {
    desk.nowMs += waits.reconcileIntervalMs;
    desk.run({
      kind: "account.read",
      purpose: "periodic",
      report: {
        openOrders: [],
        fills,
        balance: null,
        shares: [{ tokenId, shares: shares(size) }],
      },
    });
  }
}

/** The fee of the one foreign sale, in micro-dollars. */
const feeOf = (desk: CoreDesk) => [...desk.state.fills.values()].at(-1)?.fee ?? Number.NaN;

const told = (desk: CoreDesk, kind: NoticeBody["kind"]) =>
  desk.notices().filter((body) => body.kind === kind);

describe("what the venue says of our shares", () => {
  test("is asked for beside orders, trades and cash", () => {
    const desk = holding();
    desk.drain();
    desk.pass(waits.reconcileIntervalMs);
    const read = desk.drain().find((effect) => effect.kind === "account.read");
    expect(read?.tokens).toEqual([{ tokenId, version: "v1" }]);
  });

  test("only takes away from what may be sold, at once; more there gives nothing (V18)", () => {
    const desk = holding();
    venueHolds(desk, 0);
    expect(freeShares(desk.state, tokenId)).toBe(0);
    expect(holdings(desk.state)).toMatchObject([{ confirmed: 20_000_000, sellable: 0 }]);
    venueHolds(desk, 12_000_000);
    expect(freeShares(desk.state, tokenId)).toBe(12_000_000);
    venueHolds(desk, 20_000_000);
    expect(freeShares(desk.state, tokenId)).toBe(20_000_000);
    venueHolds(desk, 50_000_000);
    expect(freeShares(desk.state, tokenId)).toBe(20_000_000);
  });

  test("corrects a difference that lasts: once, told, with its cost, and the same after a fold", () => {
    const desk = holding();
    venueHolds(desk, 15_000_000, reads - 1);
    expect(desk.state.positions.get(tokenId)?.confirmed).toBe(20_000_000);
    venueHolds(desk, 15_000_000);
    expect(desk.state.positions.get(tokenId)).toMatchObject({
      confirmed: 15_000_000,
      cost: 7_800_000,
      realizedUsd: 0,
    });
    venueHolds(desk, 15_000_000, 3 * reads);
    expect(told(desk, "position.corrected")).toMatchObject([{ from: 20_000_000, to: 15_000_000 }]);
    expect(freeShares(desk.state, tokenId)).toBe(15_000_000);
    expect(foldedState(desk).positions).toEqual(desk.state.positions);
    expect([...foldedState(desk).corrections.entries()]).toHaveLength(1);
  });

  test("a crash around the correction does not apply it twice (K17)", () => {
    const desk = holding();
    venueHolds(desk, 15_000_000, reads - 1);
    // Before it was durable: the next run reads as often again and makes the very same correction.
    const lost = refold(desk);
    venueHolds(desk, 15_000_000);
    venueHolds(lost, 15_000_000, reads);
    const ids = (one: CoreDesk) => [...one.state.corrections.entries()];
    expect(ids(lost)).toEqual(ids(desk));
    // After it: nothing is left to correct.
    const kept = refold(desk);
    venueHolds(kept, 15_000_000, 3 * reads);
    expect(ids(kept)).toHaveLength(1);
    expect(kept.state.positions.get(tokenId)?.confirmed).toBe(15_000_000);
  });

  test("more there than here is shown and never sold; when it goes again it goes first", () => {
    const desk = holding();
    venueHolds(desk, 30_000_000, reads);
    expect(holdings(desk.state)).toMatchObject([
      { confirmed: 20_000_000, unexplained: 10_000_000, sellable: 20_000_000 },
    ]);
    expect(exposureOf(desk.state).total).toBe(10_400_000);
    venueHolds(desk, 20_000_000, reads);
    expect(desk.state.positions.get(tokenId)).toMatchObject({
      confirmed: 20_000_000,
      unexplained: 0,
      cost: 10_400_000,
    });
  });

  describe("a sale of somebody else that is reported after the correction that contains it", () => {
    const corrected = () => {
      const desk = holding();
      venueHolds(desk, 15_000_000, reads);
      expect(desk.state.positions.get(tokenId)?.confirmed).toBe(15_000_000);
      return desk;
    };
    const sold = (
      desk: CoreDesk,
      status: FillReport["status"],
      agoMs: number,
      size = 5_000_000,
    ) => {
      const { fill } = foreign(2, "sell", shares(size));
      const report = { ...fill, status, atMs: desk.nowMs - agoMs };
      desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
    };

    test.each(["confirmed", "provisional"] as const)(
      "%s: moves no share, only its profit",
      (how) => {
        const desk = corrected();
        sold(desk, how, 20_000);
        if (how === "provisional") sold(desk, "confirmed", 20_000);
        expect(desk.state.positions.get(tokenId)).toMatchObject({
          confirmed: 15_000_000,
          provisionalSold: 0,
          cost: 7_800_000,
          external: -5_000_000,
        });
        expect(desk.state.positions.get(tokenId)?.realizedUsd).toBe(
          2_500_000 - 2_600_000 - feeOf(desk),
        );
        expect(freeShares(desk.state, tokenId)).toBe(15_000_000);
        expect(foldedState(desk).positions).toEqual(desk.state.positions);
        venueHolds(desk, 15_000_000, reads);
        expect(told(desk, "position.corrected")).toHaveLength(1);
      },
    );

    test("its confirmation leaves another sale that is still provisional alone", () => {
      const desk = corrected();
      sold(desk, "provisional", 20_000);
      const { fill } = foreign(3, "sell", shares(6_000_000));
      const later: FillReport = { ...fill, atMs: desk.nowMs + 1_000 };
      desk.run({ kind: "account", event: { kind: "fill.reported", fill: later } });
      sold(desk, "confirmed", 20_000);
      expect(desk.state.positions.get(tokenId)).toMatchObject({
        confirmed: 15_000_000,
        provisionalSold: 6_000_000,
      });
    });

    test("when it fails, its profit goes back and its shares come by the next comparison", () => {
      const desk = corrected();
      sold(desk, "provisional", 20_000);
      sold(desk, "failed", 20_000);
      expect(desk.state.positions.get(tokenId)).toMatchObject({
        confirmed: 15_000_000,
        realizedUsd: 0,
        external: 0,
      });
      venueHolds(desk, 20_000_000, reads);
      expect(desk.state.positions.get(tokenId)).toMatchObject({ unexplained: 5_000_000 });
    });

    test.each([
      ["was made after it", -1_000, 5_000_000],
      ["is larger than what was missing", 20_000, 6_000_000],
    ])("one that %s takes its shares", (_, agoMs, size) => {
      const desk = corrected();
      sold(desk, "confirmed", agoMs, size);
      expect(freeShares(desk.state, tokenId)).toBe(15_000_000 - size);
    });

    test("a second one takes its shares: what was missing is explained once", () => {
      const desk = corrected();
      sold(desk, "confirmed", 20_000);
      const { fill } = foreign(3, "sell", shares(5_000_000));
      const report: FillReport = { ...fill, status: "confirmed", atMs: desk.nowMs - 20_000 };
      desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
      expect(freeShares(desk.state, tokenId)).toBe(10_000_000);
    });
  });

  test.each<readonly [string, (desk: CoreDesk) => void]>([
    [
      "a fill is provisional",
      (desk) => {
        const { clientOid } = desk.place({
          limit: priceOf("0.40"),
          amount: { unit: "shares", value: sharesOf("20") },
        });
        const fill = fillOf(desk.order(clientOid), "p", 5_000_000);
        desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
      },
    ],
    [
      "an order is in flight",
      (desk) =>
        void desk.place({
          limit: priceOf("0.40"),
          amount: { unit: "shares", value: sharesOf("20") },
        }),
    ],
  ])("nothing is corrected while %s", (_, happen) => {
    const desk = holding();
    desk.nowMs += 5_000;
    desk.run({ kind: "market", event: { kind: "link.up", feed: "market", epoch: 2 } });
    desk.list(plain);
    happen(desk);
    for (let i = 0; i < 5 * reads; i++) venueHolds(desk, 15_000_000);
    expect(told(desk, "position.corrected")).toEqual([]);
  });

  test("nor while trades cannot be read, nor when the difference changes from read to read", () => {
    const desk = holding();
    venueHolds(desk, 15_000_000, 5 * reads, null);
    for (let i = 0; i < 10; i++) venueHolds(desk, 10_000_000 + i);
    expect(told(desk, "position.corrected")).toEqual([]);
  });
});

describe("what the venue says of our cash", () => {
  const reads = waits.quarantineCleanReads;
  const shown = (desk: CoreDesk, amount: number, times = 1) => {
    for (let i = 0; i < times; i++) desk.read("periodic", { cash: dollars(amount) });
  };

  test("less is believed at once", () => {
    const desk = openCoreDesk();
    shown(desk, 900);
    expect(freeCash(desk.state)).toBe(dollars(900));
  });

  test("more is spent only after it stayed the same over several reads (V18)", () => {
    const desk = openCoreDesk();
    shown(desk, 1_200, reads - 1);
    expect(freeCash(desk.state)).toBe(dollars(1_000));
    shown(desk, 1_300, reads - 1);
    expect(freeCash(desk.state)).toBe(dollars(1_000));
    shown(desk, 1_300);
    expect(freeCash(desk.state)).toBe(dollars(1_300));
  });

  test("readings of the balance alone, after each fill, do not make it last", () => {
    const desk = openCoreDesk();
    for (let i = 0; i < 20; i++) {
      const balance = { cash: dollars(1_200), allowance: dollars(1_000_000) };
      const report = { openOrders: null, fills: null, balance };
      desk.run({ kind: "account.read", purpose: "balance", report });
    }
    expect(freeCash(desk.state)).toBe(dollars(1_000));
  });
});

describe("the two copies of what was traded", () => {
  function tradedAt(desk: CoreDesk, tradeId: string): FillReport {
    const { clientOid } = desk.place({
      limit: priceOf("0.40"),
      amount: { unit: "shares", value: sharesOf("20") },
    });
    return { ...fillOf(desk.order(clientOid), tradeId, 5_000_000), atMs: desk.nowMs };
  }

  function connected(): CoreDesk {
    const desk = openCoreDesk();
    desk.run({ kind: "account", event: { kind: "link.up", feed: "user", epoch: 1 } });
    desk.read("link");
    desk.nowMs = firstMs + 60_000;
    desk.list(plain);
    return desk;
  }

  /** One reconciliation: the next tick asks, the answer holds these trades. */
  function period(desk: CoreDesk, fills: readonly FillReport[]): void {
    desk.pass(waits.reconcileIntervalMs);
    desk.read("periodic", { fills, orders: [] });
  }

  test("a trade that the stream dropped is told within one period, once, and counted", () => {
    const desk = connected();
    const fill = tradedAt(desk, "dropped");
    period(desk, [fill]);
    expect(told(desk, "copies.disagree")).toMatchObject([
      { notOnStream: 1, notListed: 0, tradeId: "dropped" },
    ]);
    period(desk, [fill]);
    expect(told(desk, "copies.disagree")).toHaveLength(1);
    expect(desk.state.fills.size).toBe(1);
  });

  test("a trade that the list leaves out is told within one period", () => {
    const desk = connected();
    const fill = tradedAt(desk, "unlisted");
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    period(desk, []);
    expect(told(desk, "copies.disagree")).toMatchObject([{ notOnStream: 0, notListed: 1 }]);
  });

  test("a trade in both, or one that is only some seconds old, is no difference", () => {
    const desk = connected();
    const fill = tradedAt(desk, "both");
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    period(desk, [fill]);
    const young = { ...fill, tradeId: "young", atMs: desk.nowMs };
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: young } });
    desk.read("periodic", { fills: [fill], orders: [] });
    expect(told(desk, "copies.disagree")).toEqual([]);
  });

  test("what happened while the stream was down is no difference: it does not replay", () => {
    const desk = connected();
    desk.run({ kind: "account", event: { kind: "link.lost", feed: "user", detail: "" } });
    const fill = tradedAt(desk, "meanwhile");
    desk.nowMs += 1_000;
    desk.run({ kind: "account", event: { kind: "link.up", feed: "user", epoch: 2 } });
    desk.read("link", { fills: [fill], orders: [] });
    period(desk, [fill]);
    expect(told(desk, "copies.disagree")).toEqual([]);
  });
});

describe("dust (V19)", () => {
  test("a rest below the venue's smallest order is marked, still counted, and said in the refusal", () => {
    const desk = openCoreDesk();
    const { clientOid } = desk.place({ amount: { unit: "usd", value: dollars(10.4) } });
    const fill = fillOf(desk.order(clientOid), "t", 3_000_000, { status: "confirmed" });
    const order = reportOf(desk.order(clientOid), "ended", 3_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.run({ kind: "account", event: { kind: "order.reported", order } });
    expect(holdings(desk.state)).toMatchObject([{ confirmed: 3_000_000, dust: true }]);
    expect(exposureOf(desk.state).total).toBe(fill.money);
    const sale = { side: "sell", limit: priceOf("0.60") } as const;
    expect(desk.quote({ ...sale, amount: { unit: "part", value: 1_000_000 } })).toMatchObject({
      ok: false,
      error: { code: "min_size", limit: 5_000_000, wanted: 3_000_000, subject: "dust" },
    });
    desk.drain();
    desk.pass(60_000, 1_000);
    expect(desk.drain().some((effect) => effect.kind === "order.post")).toBe(false);
  });
});
