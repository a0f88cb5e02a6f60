import { applyAccountFact } from "./apply-account.ts";
import { applyActionFact, isActionFact } from "./apply-action.ts";
import { applyChatFact } from "./apply-chat.ts";
import { applyControlFact } from "./apply-control.ts";
import { applyExternalFact } from "./apply-external.ts";
import { applyOrderFact } from "./apply-order.ts";
import { applyReplaceFact } from "./apply-replace.ts";
import { applyTradingFact } from "./apply-trading.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";
import { keepCard } from "./kept-cards.ts";
import { applyRuleFact } from "./rule-edits.ts";

/** The one switch through which durable state changes, live and when the ledger is folded. */
export function applyFact(state: EngineState, fact: Fact, atMs: number): void {
  state.seq++;
  state.atMs = atMs;
  if (isActionFact(fact)) {
    applyActionFact(state, fact, atMs);
    return;
  }
  switch (fact.kind) {
    case "run.started":
      startRun(state, atMs);
      return;
    case "command.received":
    case "command.answered":
    case "message.queued":
    case "message.sent":
    case "message.failed":
    case "notice.raised":
    case "notices.told":
      applyChatFact(state, fact, atMs);
      return;
    case "markets.listed":
      listMarkets(state, fact);
      return;
    case "market.rules-edited":
    case "market.rules-accepted":
      applyRuleFact(state, fact, atMs);
      return;
    case "card.created":
    case "card.closed":
      applyCardFact(state, fact);
      return;
    case "replace.started":
    case "replace.ended":
      applyReplaceFact(state, fact);
      return;
    case "external.order":
    case "external.closed":
    case "external.cancel":
    case "external.fill":
    case "external.learned":
      applyExternalFact(state, fact, atMs);
      return;
    default:
      applyMoneyFact(state, fact, atMs);
  }
}

type MoneyFact = Exclude<
  Fact,
  | Parameters<typeof applyActionFact>[1]
  | Parameters<typeof applyChatFact>[1]
  | Parameters<typeof applyReplaceFact>[1]
  | Parameters<typeof applyExternalFact>[1]
  | Parameters<typeof applyRuleFact>[1]
  | { kind: "run.started" | "markets.listed" | "card.created" | "card.closed" }
>;

/** Second half of the switch: orders, what they did to the account, and whether more may be sent. */
function applyMoneyFact(state: EngineState, fact: MoneyFact, atMs: number): void {
  switch (fact.kind) {
    case "plan.approved":
    case "order.acked":
    case "order.refused":
    case "order.timed":
    case "order.unknown":
    case "order.absent":
    case "order.reported":
    case "order.closed":
    case "order.reopened":
    case "cancel.asked":
    case "fill.recorded":
    case "fill.settled":
      applyOrderFact(state, fact, atMs);
      return;
    case "market.settled":
    case "shares.reported":
    case "position.corrected":
    case "cash.reported":
      applyAccountFact(state, fact, atMs);
      return;
    case "trading.killed":
    case "kill.reported":
    case "resume.asked":
    case "resume.withdrawn":
    case "trading.resumed":
    case "resume.code-used":
    case "resume.code-refused":
    case "trading.halted":
    case "trading.ready":
      applyTradingFact(state, fact, atMs);
      return;
    // What is left are the controls: a new kind without a place here or there does not compile.
    default:
      applyControlFact(state, fact, atMs);
  }
}

function listMarkets(state: EngineState, fact: Extract<Fact, { kind: "markets.listed" }>): void {
  for (const market of fact.markets) {
    const { conditionId, outcomes } = market;
    state.markets.set(conditionId, market);
    outcomes.forEach(({ tokenId }, index) => {
      state.tokens.set(tokenId, { conditionId, outcome: index === 0 ? 0 : 1 });
    });
  }
  for (const group of fact.groups) state.groups.set(group.groupId, group);
}

function startRun(state: EngineState, atMs: number): void {
  state.startedAtMs = atMs;
  state.ready = false;
  // A halt with a cause is for a person to end; only the routine one of a live start is set anew by each start.
  if (state.halt?.reason === "live_start") state.halt = null;
  // A lock that a clock which was ahead began must not last for longer than it says.
  const { lock } = state.resumeCodes;
  if (lock !== null && lock.sinceMs > atMs) {
    state.resumeCodes = { ...state.resumeCodes, lock: { ...lock, sinceMs: atMs } };
  }
  const { venue } = state.control;
  if (venue.untilMs !== null && venue.sinceMs > atMs) {
    const untilMs = atMs + venue.untilMs - venue.sinceMs;
    state.control.venue = { ...venue, sinceMs: atMs, untilMs };
  }
  // A wait that an earlier run began may have been planned by a clock that was ahead: every message is tried anew.
  for (const [key, message] of state.outbox) {
    if (message.notBeforeMs > atMs) state.outbox.set(key, { ...message, notBeforeMs: atMs });
  }
}

function applyCardFact(
  state: EngineState,
  fact: Extract<Fact, { kind: "card.created" | "card.closed" }>,
): void {
  if (fact.kind === "card.created") {
    keepCard(state, fact.card);
    return;
  }
  const card = state.cards.get(fact.nonce);
  if (card !== undefined) keepCard(state, { ...card, state: fact.state });
}
