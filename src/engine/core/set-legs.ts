import type { SetKind } from "../api/views.ts";
import type { Market, MarketGroup, OutcomeIndex } from "../domain/market.ts";
import { ageMs, type MarketBook } from "../domain/market-book.ts";
import type { Denial } from "../domain/reasons.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { openEdit } from "../state/rule-edits.ts";
import type { SetLeg } from "../strategies/complete-sets.ts";

/** One complete set that exists in the catalog, whether it may be bought or not. */
export type SetCandidate = {
  /** "b:<condition id>", "l:<group id>" or "c:<group id>". */
  readonly setId: string;
  readonly kind: SetKind;
  readonly title: string;
  readonly markets: readonly Market[];
  readonly group: MarketGroup | null;
  /** Which outcome of each market is bought. Binary sets buy both of one market. */
  readonly outcomes: readonly (readonly [Market, OutcomeIndex])[];
};

export type PricedLeg = SetLeg & { readonly market: Market; readonly marketBook: MarketBook };

/** Every set that the known markets form. */
export function setCandidates(state: EngineState): SetCandidate[] {
  const sets: SetCandidate[] = [];
  for (const market of state.markets.values()) {
    if (!state.live.books.has(market.conditionId)) continue;
    sets.push({
      setId: `b:${market.conditionId}`,
      kind: "binary",
      title: market.question,
      markets: [market],
      group: null,
      outcomes: [
        [market, 0],
        [market, 1],
      ],
    });
  }
  for (const group of state.groups.values()) {
    if (!group.negRisk) continue;
    const markets = group.conditionIds.flatMap((id) => state.markets.get(id) ?? []);
    const base = { title: group.title, markets, group };
    sets.push({
      ...base,
      setId: `l:${group.groupId}`,
      kind: "neg-risk-long",
      outcomes: markets.map((market) => [market, 0] as const),
    });
    sets.push({
      ...base,
      setId: `c:${group.groupId}`,
      kind: "neg-risk-convert",
      outcomes: markets.map((market) => [market, 1] as const),
    });
  }
  return sets;
}

export function findSet(state: EngineState, setId: string): SetCandidate | null {
  return setCandidates(state).find((set) => set.setId === setId) ?? null;
}

/** The legs with their live books, or why this set must not be bought (strategies 2.4). */
export function legsOfSet(
  state: EngineState,
  settings: EngineSettings,
  set: SetCandidate,
  nowMs: number,
): Result<readonly PricedLeg[], Denial> {
  const whole = checkWhole(settings, set);
  if (whole !== null) return err(whole);
  const legs: PricedLeg[] = [];
  for (const [market, outcome] of set.outcomes) {
    const subject = legName(market, outcome);
    if (!market.tradable) return err({ code: "set_incomplete", subject });
    if (openEdit(state, market.conditionId) !== null) return err({ code: "rules_edited", subject });
    const book = state.live.books.get(market.conditionId);
    if (book === undefined || book.status !== "live") return err({ code: "book_stale", subject });
    // A quiet book is kept true by the canary reads of its connection; older than this nobody has looked at it.
    const age = Math.min(ageMs(book, nowMs), nowMs - state.live.links.market.provedAtMs);
    if (age > staleSetMs) return err({ code: "book_stale", subject, wanted: age });
    legs.push({
      market,
      marketBook: book,
      book: book.ladder,
      outcome,
      fee: market.fee,
      tickSize: market.tickSize,
      minOrderSize: market.minOrderSize,
    });
  }
  return ok(legs);
}

/** Oldest book that a scan still counts; an execution asks for a fresh one. */
const staleSetMs = 60_000;

function checkWhole(settings: EngineSettings, set: SetCandidate): Denial | null {
  const { group } = set;
  if (group === null) return null;
  if (set.kind === "neg-risk-convert") return null;
  if (group.augmented) return { code: "set_augmented" };
  const isUnnamed = (market: Market) => market.isOther || market.isPlaceholder === true;
  if (!settings.dutch.allowOther && set.markets.some(isUnnamed)) {
    return { code: "set_other" };
  }
  const missing = group.conditionIds.length - set.markets.length;
  if (missing > 0 || set.markets.length < 2) {
    return { code: "set_incomplete", limit: group.conditionIds.length, wanted: set.markets.length };
  }
  return null;
}

export function legName(market: Market, outcome: OutcomeIndex): string {
  const name = market.outcomes[outcome].name;
  return market.groupItemTitle === "" ? name : `${market.groupItemTitle} ${name}`;
}
