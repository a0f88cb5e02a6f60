import fc from "fast-check";
import { expect, test } from "vitest";
import { applyFact } from "../../../src/engine/state/apply-fact.ts";
import {
  createState,
  type EngineState,
  keptCards,
} from "../../../src/engine/state/engine-state.ts";
import { openCoreDesk } from "../support/core-desk.ts";
import { anyRun } from "../support/happenings.ts";
import { holds } from "../support/holds.ts";
import { plain, runners } from "../support/markets.ts";
import { happen } from "../support/random-run.ts";
import { foldedState } from "../support/refold.ts";

/** The index counted anew from the cards themselves. */
function recount({ cards }: EngineState): Map<string, Set<string>> {
  const byMarket = new Map<string, Set<string>>();
  for (const card of cards.values()) {
    if (card.state !== "open") continue;
    for (const { conditionId } of card.drafts) {
      byMarket.set(conditionId, (byMarket.get(conditionId) ?? new Set()).add(card.nonce));
    }
  }
  return byMarket;
}

test("the index of open cards says what the cards say, lived or folded", () => {
  let open = 0;
  holds(
    fc.property(anyRun, (run) => {
      const desk = openCoreDesk();
      for (const [i, one] of run.entries()) {
        happen(desk, one);
        if (i % 5 === 0) desk.quote({});
      }
      expect(desk.state.index.openCards).toEqual(recount(desk.state));
      expect(foldedState(desk).index.openCards).toEqual(recount(desk.state));
      open += desk.state.index.openCards.size;
    }),
    60,
  );
  expect(open).toBeGreaterThan(20);
});

test("a card that is forgotten while it is open leaves the index", () => {
  const desk = openCoreDesk();
  const { nonce } = desk.card({});
  const template = desk.state.cards.get(nonce);
  const draft = template?.drafts[0];
  if (template === undefined || draft === undefined) throw new TypeError("no card");
  const state = createState();
  const drafts = runners.map(({ conditionId }) => ({ ...draft, conditionId }));
  const keep = (n: number, of: typeof drafts) =>
    applyFact(state, { kind: "card.created", card: { ...template, nonce: `${n}`, drafts: of } }, n);
  for (let n = 0; n < keptCards + 50; n++) keep(n, n % 3 === 0 ? drafts : [draft]);
  expect(state.index.openCards).toEqual(recount(state));
  expect(state.index.openCards.get(plain.conditionId)?.size).toBeLessThan(keptCards);
  for (const one of state.cards.keys()) {
    applyFact(state, { kind: "card.closed", nonce: one, state: "expired" }, 1);
  }
  expect(state.index.openCards.size).toBe(0);
});
