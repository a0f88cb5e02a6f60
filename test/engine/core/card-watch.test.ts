import { describe, expect, test } from "vitest";
import { canonicalState } from "../../../src/engine/state/digest.ts";
import { type CoreDesk, openCoreDesk, trader } from "../support/core-desk.ts";
import { priceOf, sharesOf } from "../support/levels.ts";
import { type BookRows, group, plain, plainRows, runners, taxed } from "../support/markets.ts";
import { foldedState, refold } from "../support/refold.ts";
import { dollars } from "../support/settings.ts";

const { conditionId } = plain;
/** Everything costs eight cents more than on the cards. */
const dear: BookRows = {
  bids: [["0.47", "2000"]],
  asks: [["0.60", "1000"]],
};

/** Wakes the strategies for every book that changed, as the runtime does. */
function wake(desk: CoreDesk): void {
  desk.run({ kind: "books.changed", books: [...desk.state.live.changedBooks] });
}

function show(desk: CoreDesk, rows: BookRows, market = plain): void {
  desk.nowMs += 1;
  desk.book(market, rows);
  wake(desk);
}

const told = (desk: CoreDesk) => desk.notices().filter(({ kind }) => kind === "card.outdated");

describe("an open card whose terms the book no longer gives", () => {
  test("is told to its trader once, although the book comes back and leaves again", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    show(desk, plainRows);
    expect(told(desk)).toEqual([]);
    show(desk, dear);
    const order = { side: "buy", outcomeName: "Yes" };
    expect(told(desk)).toEqual([{ kind: "card.outdated", title: plain.question, order }]);
    expect([...desk.state.notices.values()].at(-1)?.chatId).toBe(trader.chatId);
    show(desk, dear);
    show(desk, plainRows);
    show(desk, dear);
    expect(told(desk)).toHaveLength(1);
    // What it says is what a press does.
    expect(desk.confirm(nonce)).toMatchObject({ kind: "requoted", why: "price_moved" });
  });

  test("is good again when the book comes back in time", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    show(desk, dear);
    show(desk, plainRows);
    expect(told(desk)).toHaveLength(1);
    expect(desk.confirm(nonce).kind).toBe("accepted");
  });

  test("is told once over a restart too, and one of before the restart is watched", () => {
    const desk = openCoreDesk();
    desk.card({});
    desk.card({ conditionId: taxed.conditionId });
    show(desk, dear);
    expect(canonicalState(foldedState(desk))).toBe(canonicalState(desk.state));
    const again = refold(desk).start();
    for (const market of [plain, taxed]) again.list(market, dear);
    wake(again);
    expect(told(again).map((body) => body.kind === "card.outdated" && body.title)).toEqual([
      plain.question,
      taxed.question,
    ]);
  });

  test("of every trader is told to him alone, one that rests or shows another market is not told", () => {
    const desk = openCoreDesk();
    const other = { userId: 8, chatId: 8 };
    const limit = priceOf("0.45");
    desk.card({ limit, amount: { unit: "shares", value: sharesOf("20") } });
    desk.card({ conditionId: taxed.conditionId });
    desk.card({});
    expect(desk.quote({}, other).ok).toBe(true);
    show(desk, dear);
    const notices = [...desk.state.notices.values()];
    const outdated = notices.filter(({ body }) => body.kind === "card.outdated");
    expect(outdated.map(({ chatId }) => chatId)).toEqual([trader.chatId, other.chatId]);
  });

  test("of a set is told by its title when one leg's book leaves", () => {
    const desk = openCoreDesk();
    const rows = (ask: string): BookRows => ({ bids: [["0.20", "500"]], asks: [[ask, "500"]] });
    for (const market of runners) desk.list(market, rows("0.30"), [group]);
    const asked = { do: "quote-set", actor: trader, commandId: "tg:s", size: null } as const;
    const quoted = desk.request("quote-set", { ...asked, setId: `l:${group.groupId}` });
    expect(quoted.value.ok).toBe(true);
    show(desk, rows("0.33"), runners[1]);
    expect(told(desk)).toEqual([{ kind: "card.outdated", title: group.title, order: null }]);
  });

  test("that was used, discarded or expired, or that a kill stops, is not told", () => {
    const desk = openCoreDesk();
    desk.confirm(desk.card({}).nonce);
    const { nonce } = desk.card({ amount: { unit: "usd", value: dollars(11) } });
    desk.request("none", { do: "discard", actor: trader, nonce });
    expect(desk.state.index.openCards.size).toBe(0);
    const { expiresAtMs } = desk.card({ amount: { unit: "usd", value: dollars(12) } });
    desk.nowMs = expiresAtMs - 1;
    show(desk, dear);
    expect(told(desk)).toEqual([]);
    show(desk, plainRows);
    desk.card({ amount: { unit: "usd", value: dollars(13) } });
    desk.kill();
    show(desk, dear);
    expect(told(desk)).toEqual([]);
  });

  test("is no news while its book is not believed: a press reads it again", () => {
    const desk = openCoreDesk();
    const { nonce } = desk.card({});
    const lost = { kind: "link.lost", feed: "market", detail: "" } as const;
    desk.run({ kind: "market", event: { ...lost, conditionIds: [conditionId] } });
    expect(desk.state.live.changedBooks.get(conditionId)).toBe(1);
    wake(desk);
    expect(told(desk)).toEqual([]);
    show(desk, plainRows);
    expect(desk.confirm(nonce).kind).toBe("accepted");
  });
});

describe("a change of a book", () => {
  test("that nobody listens to is not marked; one of a market that ended is forgotten", () => {
    const desk = openCoreDesk();
    desk.book(plain, dear);
    expect(desk.state.live.changedBooks.size).toBe(0);
    desk.book(plain, plainRows);
    desk.card({});
    for (let i = 0; i < 3; i++) desk.book(plain, plainRows);
    desk.card({ conditionId: taxed.conditionId });
    desk.book(taxed, plainRows);
    desk.book(plain, plainRows);
    // The one that waits longest first, however often it changes.
    expect([...desk.state.live.changedBooks]).toEqual([
      [conditionId, 4],
      [taxed.conditionId, 1],
    ]);
    desk.run({ kind: "books.dropped", conditionIds: [conditionId] });
    expect([...desk.state.live.changedBooks.keys()]).toEqual([taxed.conditionId]);
  });
});
