import type { ConditionId } from "../domain/market.ts";
import type { Usd } from "../domain/numbers.ts";
import type { ActionTerms } from "../domain/position-action.ts";
import type { Denial } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import { costOfTakes, openActions, sharedCost } from "../state/action-cost.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf, freeCash, freeShares } from "../state/exposure.ts";
import { checkStopped } from "./trading-state.ts";

/**
 * Everything that must hold before a contract call is approved. One call at a time: its nonce is then nobody else's, and
 * what it takes cannot be promised twice.
 */
export function checkAction(
  state: EngineState,
  settings: EngineSettings,
  terms: ActionTerms,
  gasMaxUsd: Usd,
): Denial | null {
  const [open] = openActions(state);
  const gasLimit = settings.contracts.maxGasPerActionUsd;
  return (
    checkCallState(state, terms) ??
    (open === undefined ? null : { code: "action_pending", subject: open.title }) ??
    (gasMaxUsd <= gasLimit ? null : { code: "cap_gas", limit: gasLimit, wanted: gasMaxUsd }) ??
    checkTakes(state, terms) ??
    checkCaps(state, settings, terms)
  );
}

/**
 * Killed and halted: nothing. While reducing, dollars that would become shares stay; every other call gives shares back
 * or swaps them. Asked for the card, for its confirmation, and before the first byte.
 */
export function checkCallState(state: EngineState, terms: ActionTerms): Denial | null {
  const stopped = checkStopped(state);
  if (stopped !== null) return stopped;
  const { causes } = state.control.reducing;
  if (causes.length === 0 || terms.takesUsd === 0) return null;
  return { code: "reducing", subject: causes.join(", ") };
}

/** Only confirmed shares that nothing else has claimed, and free cash. */
function checkTakes(state: EngineState, terms: ActionTerms): Denial | null {
  const limit = freeCash(state);
  if (!(terms.takesUsd <= limit))
    return { code: "insufficient_cash", limit, wanted: terms.takesUsd };
  for (const { tokenId, conditionId, size } of terms.takes) {
    const free =
      terms.call.kind === "redeem"
        ? (state.claims.get(conditionId)?.legs.find((leg) => leg.tokenId === tokenId)?.size ?? 0)
        : freeShares(state, tokenId);
    if (!(size <= free)) return { code: "insufficient_shares", limit: free, wanted: size };
  }
  return null;
}

/** What the call gives counts against the same caps as a buy of it; the total only by dollars that come in. */
function checkCaps(
  state: EngineState,
  settings: EngineSettings,
  terms: ActionTerms,
): Denial | null {
  const now = exposureOf(state);
  const { risk } = settings;
  const costs = sharedCost(terms, costOfTakes(state, terms));
  const byMarket = new Map<ConditionId, number>(now.byMarket);
  for (const { tokenId, conditionId, cost } of costs) {
    const outcome = (now.byToken.get(tokenId) ?? 0) + cost;
    if (!(outcome <= risk.maxExposurePerOutcomeUsd)) {
      return { code: "cap_outcome", limit: risk.maxExposurePerOutcomeUsd, wanted: outcome };
    }
    const market = (byMarket.get(conditionId) ?? 0) + cost;
    byMarket.set(conditionId, market);
    if (!(market <= risk.maxExposurePerMarketUsd)) {
      return { code: "cap_market", limit: risk.maxExposurePerMarketUsd, wanted: market };
    }
  }
  if (terms.takesUsd === 0) return null;
  const wanted = now.total + terms.takesUsd;
  if (!(wanted <= risk.maxExposureTotalUsd)) {
    return { code: "cap_total", limit: risk.maxExposureTotalUsd, wanted };
  }
  return checkEvent(state, settings, terms, now.byMarket);
}

function checkEvent(
  state: EngineState,
  settings: EngineSettings,
  terms: ActionTerms,
  byMarket: ReadonlyMap<ConditionId, Usd>,
): Denial | null {
  const eventOf = (id: ConditionId) => state.markets.get(id)?.groupId ?? id;
  const event = terms.gives[0] === undefined ? null : eventOf(terms.gives[0].conditionId);
  let wanted = terms.takesUsd as number;
  for (const [conditionId, amount] of byMarket)
    if (eventOf(conditionId) === event) wanted += amount;
  const limit = settings.risk.maxExposurePerEventUsd;
  return event === null || wanted <= limit ? null : { code: "cap_event", limit, wanted };
}
