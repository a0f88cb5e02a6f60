import { describe, expect, test } from "vitest";
import type { NoticeBody } from "../../../src/engine/api/notices.ts";
import type { RejectReason } from "../../../src/engine/domain/reasons.ts";
import { tradingState } from "../../../src/engine/risk/trading-state.ts";
import { CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { group, marketOf, plain, plainRows, runners } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars, testSettings } from "../support/settings.ts";
import { fillOf, reportOf } from "../support/venue-reports.ts";

const sh = (text: string) => ({ unit: "shares", value: sharesOf(text) }) as const;
const held = { limit: priceOf("0.52"), amount: sh("100") } as const;
const resting = { limit: priceOf("0.40"), amount: sh("10") } as const;
const sale = { side: "sell", limit: priceOf("0.60"), amount: sh("10") } as const;

/** A desk that holds 100 confirmed shares of the plain market at 0.52 and has one order resting. */
function openDesk(settings = testSettings()): CoreDesk {
  const desk = openCoreDesk(settings);
  for (const market of runners) desk.list(market, plainRows, [group]);
  const order = desk.place(held);
  const fill = fillOf(order, "t", 100_000_000, { status: "confirmed" });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  const event = { kind: "order.reported", order: reportOf(order, "matched", 100_000_000) } as const;
  desk.run({ kind: "account", event });
  const rests = desk.place(resting);
  desk.run({
    kind: "post.finished",
    clientOid: rests.clientOid,
    outcome: { kind: "accepted", state: "live" },
  });
  desk.nowMs += 2_000;
  for (const market of [plain, ...runners]) desk.book(market, plainRows);
  desk.drain();
  return desk;
}

function degrade(desk: CoreDesk, detail: string | null, source: "telegram" | "geoblock"): void {
  desk.request("none", { do: "degrade", source, detail });
}

function refuse(desk: CoreDesk, reason: RejectReason): void {
  const { clientOid } = desk.place({ ...resting, limit: priceOf("0.41") });
  const outcome = { kind: "rejected", reason, detail: "x" } as const;
  desk.run({ kind: "post.finished", clientOid, outcome });
}

function told(desk: CoreDesk): Extract<NoticeBody, { kind: "reducing" }>[] {
  return desk.notices().filter((body) => body.kind === "reducing");
}

const into = {
  active: () => undefined,
  reducing: (desk: CoreDesk) => degrade(desk, "no poll for 60 s", "telegram"),
  halted: (desk: CoreDesk) => void desk.run({ kind: "ledger.late", detail: "2,000 ms" }),
  killed: (desk: CoreDesk) => desk.kill(),
} as const;

type Answer = "yes" | "reducing" | "paused" | "killed" | "not_killed";

function answerOf(result: { ok: true } | { ok: false; error: { code: string } }): string {
  return result.ok ? "yes" : result.error.code;
}

const commands: Readonly<Record<string, (desk: CoreDesk) => string>> = {
  buy: (desk) => answerOf(desk.quote({})),
  "limit buy": (desk) => answerOf(desk.quote(resting)),
  sell: (desk) => answerOf(desk.quote(sale)),
  set: (desk) =>
    answerOf(
      desk.request("quote-set", {
        do: "quote-set",
        actor: trader,
        commandId: "set",
        setId: `l:${group.groupId}`,
        size: null,
      }).value,
    ),
  cancel: (desk) =>
    answerOf(desk.request("cancel", { do: "cancel", actor: trader, clientOids: "all" }).value),
  kill: (desk) => {
    desk.kill();
    return desk.state.killed === null ? "no" : "yes";
  },
  resume: (desk) =>
    answerOf(desk.request("ask-resume", { do: "ask-resume", actor: trader, commandId: "r" }).value),
};

const matrix: Readonly<Record<keyof typeof into, Readonly<Record<string, Answer>>>> = {
  active: {
    buy: "yes",
    "limit buy": "yes",
    sell: "yes",
    set: "yes",
    cancel: "yes",
    kill: "yes",
    resume: "not_killed",
  },
  reducing: {
    buy: "reducing",
    "limit buy": "reducing",
    sell: "yes",
    set: "reducing",
    cancel: "yes",
    kill: "yes",
    resume: "not_killed",
  },
  halted: {
    buy: "paused",
    "limit buy": "paused",
    sell: "paused",
    set: "paused",
    cancel: "yes",
    kill: "yes",
    resume: "yes",
  },
  killed: {
    buy: "killed",
    "limit buy": "killed",
    sell: "killed",
    set: "killed",
    cancel: "yes",
    kill: "yes",
    resume: "yes",
  },
};

describe("each command in each trading state", () => {
  const cells = Object.entries(matrix).flatMap(([state, row]) =>
    Object.entries(row).map(([command, answer]) => [state, command, answer] as const),
  );
  test.each(cells)("%s, %s: %s", (state, command, answer) => {
    // The books that the state's rows show make every set profitable.
    const desk = openDesk();
    for (const market of runners) {
      desk.book(market, { bids: [["0.20", "500"]], asks: [["0.25", "500"]] });
    }
    into[state as keyof typeof into](desk);
    expect(tradingState(desk.state).state).toBe(state);
    expect(commands[command]?.(desk)).toBe(answer);
  });
});

describe("reducing", () => {
  test("a card made before is refused when it is confirmed, and sales of more than is held are too", () => {
    const desk = openDesk();
    const { nonce } = desk.card(resting);
    degrade(desk, "down", "telegram");
    expect(desk.confirm(nonce)).toMatchObject({
      kind: "refused",
      denial: { code: "reducing", subject: "telegram" },
    });
    expect(desk.quote({ ...sale, amount: sh("101") })).toMatchObject({
      error: { code: "insufficient_shares" },
    });
    expect(desk.effects).toEqual([]);
  });

  test("each change is told once, with every cause, and the same report again is no change", () => {
    const desk = openDesk();
    degrade(desk, "down", "telegram");
    degrade(desk, "down", "telegram");
    desk.pass(2_000, 200);
    degrade(desk, "blocked", "geoblock");
    degrade(desk, null, "telegram");
    degrade(desk, null, "geoblock");
    degrade(desk, null, "geoblock");
    expect(told(desk).map(({ causes, ended }) => [causes, ended])).toEqual([
      [["telegram"], []],
      [["telegram", "geoblock"], []],
      [["geoblock"], ["telegram"]],
      [[], ["geoblock"]],
    ]);
    expect(told(desk).map(({ trading }) => trading.state)).toEqual([
      "reducing",
      "reducing",
      "reducing",
      "active",
    ]);
    expect(desk.quote(resting).ok).toBe(true);
  });

  test("the step of the evidence closes it: the fact stands before the notice", () => {
    const desk = openDesk();
    const from = desk.facts.length;
    degrade(desk, "down", "telegram");
    expect(desk.facts.slice(from).map(({ fact }) => fact.kind)).toEqual([
      "desk.degraded",
      "reducing.changed",
      "notice.raised",
    ]);
  });

  test("it survives a restart, and is not told again", () => {
    const desk = openDesk();
    degrade(desk, "down", "telegram");
    const again = refold(desk);
    expect(tradingState(again.state)).toEqual({ state: "reducing", causes: ["telegram"] });
    again.start();
    again.pass(1_000, 200);
    expect(tradingState(again.state)).toEqual({ state: "reducing", causes: ["telegram"] });
    expect(told(again)).toHaveLength(1);
  });

  test("a day's loss ends with the day", () => {
    const desk = openDesk(testSettings({ risk: { maxDailyLossUsd: dollars(52) } }));
    desk.resolve(plain, 1);
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["day_loss"] });
    desk.nowMs += 86_400_000;
    desk.pass(200);
    expect(tradingState(desk.state).state).toBe("active");
  });
});

describe("above a cap in force", () => {
  /** The desk after a restart with a lower cap for everything. */
  function lowered(cap: number): CoreDesk {
    const desk = openDesk();
    const settings = testSettings({ risk: { maxExposureTotalUsd: dollars(cap) } });
    const again = new CoreDesk(settings, foldedState(desk));
    again.nowMs = desk.nowMs;
    again.start(dollars(948));
    again.list(plain);
    return again;
  }

  test.each([
    [56, "active"],
    // 52 dollars of shares and 4 of a resting buy; a cent is rounding.
    [55.99, "active"],
    [55.989_999, "reducing"],
    [30, "reducing"],
  ])("56 dollars held and reserved under a cap of %d: %s", (cap, state) => {
    expect(tradingState(lowered(cap).state).state).toBe(state);
  });

  test("a cancel that ends the excess ends it", () => {
    const desk = lowered(53);
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["over_cap"] });
    const rests = [...desk.state.orders.values()].find((order) => order.status === "live");
    if (rests === undefined) throw new TypeError("nothing rests");
    const event = { kind: "order.reported", order: reportOf(rests, "ended") } as const;
    desk.run({ kind: "account", event });
    expect(tradingState(desk.state).state).toBe("active");
  });

  test("a sale that fails to settle brings its cost back: only sales until it is under the cap", () => {
    const desk = openDesk(testSettings({ risk: { maxExposurePerOutcomeUsd: dollars(60) } }));
    const sold = desk.place({ ...sale, amount: sh("100"), limit: priceOf("0.48") });
    const fill = fillOf(sold, "s", 100_000_000);
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
    desk.place({ limit: priceOf("0.52"), amount: sh("20") });
    expect(tradingState(desk.state).state).toBe("active");
    const failed = { ...fill, status: "failed" } as const;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill: failed } });
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["over_cap"] });
  });
});

describe("the venue restricts the account (V11, V30)", () => {
  test("closed only: sales pass, nothing is bought, and a resume lets it be tried again", () => {
    const desk = openDesk();
    refuse(desk, "closed_only");
    expect(desk.state.halt).toBeNull();
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["closed_only"] });
    expect(desk.quote(sale).ok).toBe(true);
    expect(desk.quote(resting)).toMatchObject({
      error: { code: "reducing", subject: "closed_only" },
    });
    const asked = desk.request("ask-resume", { do: "ask-resume", actor: trader, commandId: "r" });
    if (!asked.value.ok) throw new TypeError("no resume");
    desk.pass(3_000);
    desk.book(plain, plainRows);
    const { nonce } = asked.value.value;
    desk.request("confirm-resume", { do: "confirm-resume", actor: trader, nonce });
    expect(tradingState(desk.state).state).toBe("active");
    expect(desk.quote(resting).ok).toBe(true);
  });

  test("a blocked place may still sell; a sale that is refused as well halts (V30)", () => {
    const desk = openDesk();
    refuse(desk, "geoblocked");
    expect(tradingState(desk.state)).toEqual({ state: "reducing", causes: ["geoblock"] });
    const { clientOid } = desk.place(sale);
    const outcome = { kind: "rejected", reason: "geoblocked", detail: "x" } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
    expect(tradingState(desk.state)).toEqual({ state: "halted", reason: "geoblocked" });
  });

  test("banned: nothing passes", () => {
    const desk = openDesk();
    refuse(desk, "banned");
    expect(tradingState(desk.state)).toEqual({ state: "halted", reason: "banned" });
    const other = marketOf(9);
    desk.list(other);
    expect(desk.quote({ conditionId: other.conditionId })).toMatchObject({
      error: { code: "paused", subject: "banned" },
    });
    expect(desk.quote(sale)).toMatchObject({ error: { code: "paused" } });
  });
});
