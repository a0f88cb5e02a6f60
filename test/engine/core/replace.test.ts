import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Price } from "../../../src/engine/domain/numbers.ts";
import { isOpen } from "../../../src/engine/domain/order.ts";
import { exposureOf } from "../../../src/engine/state/exposure.ts";
import { type CoreDesk, openCoreDesk } from "../support/core-desk.ts";
import { holds } from "../support/holds.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { plain } from "../support/markets.ts";
import { replace, signReplacement } from "../support/random-run.ts";
import { refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const resting = {
  limit: priceOf("0.40"),
  amount: { unit: "shares", value: sharesOf("20") },
} as const;
const { waits } = testSettings();

function rested(desk = openCoreDesk()): { readonly desk: CoreDesk; readonly oid: string } {
  const oid = desk.place(resting).clientOid;
  desk.run({
    kind: "post.finished",
    clientOid: oid,
    outcome: { kind: "accepted", state: "live" },
  });
  const found = { kind: "found", order: reportOf(desk.order(oid), "live") } as const;
  desk.run({ kind: "query.finished", clientOid: oid, outcome: found, fills: [] });
  desk.drain();
  return { desk, oid };
}

function gone(desk: CoreDesk, oid: string, matched = 0): void {
  const order = reportOf(desk.order(oid), "ended", matched);
  desk.run({ kind: "account", event: { kind: "order.reported", order } });
}

function fill(desk: CoreDesk, oid: string, tradeId: string, size: number): void {
  const report = fillOf(desk.order(oid), tradeId, size, { isMaker: true });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill: report } });
}

function others(desk: CoreDesk, oid: string) {
  return [...desk.state.orders.values()].filter((order) => order.clientOid !== oid);
}

describe("a price change", () => {
  test("cancels the old order first; nothing is signed or posted before it is proven gone", () => {
    const { desk, oid } = rested();
    const outcome = replace(desk, oid, priceOf("0.45"));
    expect(outcome).toMatchObject({ kind: "replacing", limit: 4_500 });
    expect(desk.drain()).toEqual([{ kind: "order.cancel", clientOids: [oid] }]);
    desk.run({
      kind: "cancel.finished",
      clientOids: [oid],
      outcome: { kind: "answered", canceled: [desk.order(oid).orderHash], refused: {} },
    });
    // The venue's answer to a cancel is a hint, not the proof.
    expect(desk.drain().map((effect) => effect.kind)).toEqual(["order.query"]);
    gone(desk, oid);
    expect(desk.drain()).toContainEqual(expect.objectContaining({ kind: "replace.sign" }));
    expect(others(desk, oid)).toEqual([]);
    signReplacement(desk);
    const [fresh] = others(desk, oid);
    const draft = { limit: 4_500, size: 20_000_000 };
    expect(fresh).toMatchObject({ status: "in_flight", draft });
    expect(desk.state.replacements.size).toBe(0);
  });

  test("sends only what the old one left, late fills included", () => {
    const { desk, oid } = rested();
    fill(desk, oid, "a", 3_000_000);
    replace(desk, oid, priceOf("0.45"));
    fill(desk, oid, "b", 4_000_000);
    gone(desk, oid, 9_000_000);
    // The venue counts two more shares: their fill must come before anything is sent.
    expect(desk.effects.some((effect) => effect.kind === "replace.sign")).toBe(false);
    fill(desk, oid, "c", 2_000_000);
    // A fill after the signature was asked for makes what was signed too much.
    fill(desk, oid, "late", 1_000_000);
    signReplacement(desk);
    expect(others(desk, oid)).toEqual([]);
    desk.pass(1_100);
    signReplacement(desk);
    expect(others(desk, oid)).toMatchObject([{ draft: { size: 10_000_000 } }]);
  });

  test("of an order that filled meanwhile sends nothing and says so", () => {
    const { desk, oid } = rested();
    replace(desk, oid, priceOf("0.45"));
    fill(desk, oid, "a", 20_000_000);
    expect(desk.order(oid).status).toBe("filled");
    expect(desk.state.replacements.size).toBe(0);
    expect(desk.notices().at(-1)).toMatchObject({
      kind: "replace.failed",
      denial: { code: "order_closed" },
    });
  });

  test("leaves no new order when the rest is below the venue's minimum", () => {
    const { desk, oid } = rested();
    replace(desk, oid, priceOf("0.45"));
    fill(desk, oid, "a", 17_000_000);
    gone(desk, oid, 17_000_000);
    signReplacement(desk);
    expect(others(desk, oid)).toEqual([]);
    expect(desk.notices().at(-1)).toMatchObject({ denial: { code: "min_size" } });
  });

  test("is judged as if the old one were gone: a cap that both would break holds for the one", () => {
    const risk = { maxExposurePerOutcomeUsd: dollars(10) };
    const { desk, oid } = rested(openCoreDesk(testSettings({ risk })));
    expect(replace(desk, oid, priceOf("0.48"))?.kind).toBe("replacing");
    const second = rested(openCoreDesk(testSettings({ risk })));
    expect(replace(second.desk, second.oid, priceOf("0.51"))).toBeNull();
  });

  test("is checked again before the post: a kill, a halt, an old book or the deadline leave nothing", () => {
    const ends: readonly (readonly [string, (desk: CoreDesk) => void])[] = [
      ["killed", (desk) => desk.kill()],
      ["paused", (desk) => desk.run({ kind: "ledger.late", detail: "" })],
      ["book_stale", (desk) => void (desk.nowMs += 20_000)],
      ["command_expired", (desk) => void (desk.nowMs += waits.replaceDeadlineMs)],
    ];
    for (const [code, happen] of ends) {
      const { desk, oid } = rested();
      replace(desk, oid, priceOf("0.45"));
      happen(desk);
      gone(desk, oid);
      signReplacement(desk);
      expect(others(desk, oid)).toEqual([]);
      const told = desk.notices().find((body) => body.kind === "replace.failed");
      expect(told).toMatchObject({ denial: { code } });
    }
  });

  test("a lost cancel is asked for again as long as the order is seen resting", () => {
    const { desk, oid } = rested();
    replace(desk, oid, priceOf("0.45"));
    desk.drain();
    desk.run({
      kind: "cancel.finished",
      clientOids: [oid],
      outcome: { kind: "failed", detail: "timeout" },
    });
    desk.pass(600);
    expect(desk.drain()).toContainEqual({ kind: "order.query", clientOid: oid });
    const found = { kind: "found", order: reportOf(desk.order(oid), "live") } as const;
    desk.run({ kind: "query.finished", clientOid: oid, outcome: found, fills: [] });
    expect(desk.drain()).toContainEqual({ kind: "order.cancel", clientOids: [oid] });
  });

  test.each(["in_flight", "unknown", "canceled", "cancel asked"])(
    "refuses one that is %s",
    (how) => {
      const desk = openCoreDesk();
      const oid = desk.place(resting).clientOid;
      if (how === "unknown") {
        const outcome = { kind: "unknown", detail: "" } as const;
        desk.run({ kind: "post.finished", clientOid: oid, outcome });
      }
      if (how === "canceled") gone(desk, oid);
      if (how === "cancel asked") {
        const found = { kind: "order.reported", order: reportOf(desk.order(oid), "live") } as const;
        desk.run({ kind: "account", event: found });
        const actor = { userId: 7, chatId: 7 };
        desk.request("cancel", { do: "cancel", actor, clientOids: [oid] });
      }
      expect(replace(desk, oid, priceOf("0.45"))).toBeNull();
    },
  );

  test("asked again by the same command says the same, before and after the new order", () => {
    const { desk, oid } = rested();
    const ask = { do: "quote-replace", actor: { userId: 7, chatId: 7 }, commandId: "q" } as const;
    const limit = priceOf("0.45");
    const quoted = desk.request("quote-replace", { ...ask, clientOid: oid, limit }).value;
    const nonce = quoted.ok ? quoted.value.nonce : "";
    const press = () => desk.confirm(nonce, undefined, "press");
    expect(press().kind).toBe("replacing");
    expect(press().kind).toBe("replacing");
    gone(desk, oid);
    signReplacement(desk);
    expect(press()).toMatchObject({ kind: "accepted", orders: [{ limit: 4_500 }] });
    expect(desk.state.orders.size).toBe(2);
  });
});

type Beat = "fill" | "ended" | "found live" | "cancel lost" | "sign" | "time" | "crash" | "posted";
const beats: fc.Arbitrary<Beat[]> = fc.array(
  fc.constantFrom<Beat>(
    ...(["fill", "ended", "found live", "cancel lost"] as const),
    ...(["sign", "sign", "time", "crash", "posted"] as const),
  ),
  { minLength: 4, maxLength: 14 },
);

/** One thing that happens around a price change; a crash keeps what the ledger has and nothing else. */
function beat(desk: CoreDesk, oid: string, what: Beat, n: number): CoreDesk {
  const old = desk.order(oid);
  switch (what) {
    case "fill":
      if (isOpen(old) && !old.venueDone)
        fill(desk, oid, `t${n}`, Math.min(3_000_000, 20_000_000 - old.filled));
      return desk;
    case "ended":
      gone(desk, oid, old.filled);
      return desk;
    case "found live": {
      const outcome = { kind: "found", order: reportOf(old, "live", old.filled) } as const;
      desk.run({ kind: "query.finished", clientOid: oid, outcome, fills: [] });
      return desk;
    }
    case "cancel lost":
      desk.run({
        kind: "cancel.finished",
        clientOids: [oid],
        outcome: { kind: "failed", detail: "" },
      });
      return desk;
    case "sign":
      signReplacement(desk);
      return desk;
    case "posted":
      for (const { clientOid } of others(desk, oid)) {
        const outcome = { kind: "accepted", state: "live" } as const;
        desk.run({ kind: "post.finished", clientOid, outcome });
      }
      return desk;
    case "crash": {
      const again = refold(desk);
      again.facts.push(...desk.facts);
      // Signatures that were asked for before the crash may still be on their way in nobody's memory.
      again.run({ kind: "run.start" });
      again.read("start", { cash: again.state.cash });
      again.list(plain);
      return again;
    }
    case "time":
      desk.pass(2_000, 500);
      return desk;
  }
}

describe("over any interleaving of fills, ends, lost cancels, signatures, time and crashes", () => {
  test("old or new or none is open, never two, and together they never exceed the order (P1, P3)", () => {
    const seen = { replaced: 0, none: 0, crashed: 0 };
    holds(
      fc.property(beats, (run) => {
        const first = rested();
        const { oid } = first;
        let { desk } = first;
        replace(desk, oid, 4_500 as Price);
        run.forEach((what, n) => {
          desk = beat(desk, oid, what, n);
          const open = [...desk.state.orders.values()].filter(isOpen);
          expect(open.length).toBeLessThanOrEqual(1);
          expect(others(desk, oid).length).toBeLessThanOrEqual(1);
          const sizes = others(desk, oid).reduce((sum, order) => sum + order.draft.size, 0);
          expect(sizes + (desk.order(oid).filled as number)).toBeLessThanOrEqual(20_000_000);
          expect(exposureOf(desk.state).total).toBeLessThanOrEqual(9_000_000);
        });
        if (run.includes("crash")) seen.crashed++;
        if (others(desk, oid).length === 1) seen.replaced++;
        else if (!isOpen(desk.order(oid))) seen.none++;
      }),
      300,
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(30);
  });
});
