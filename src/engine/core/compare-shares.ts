import type { TokenId } from "../domain/market.ts";
import type { Shares } from "../domain/numbers.ts";
import { isResting } from "../domain/order.ts";
import type { ShareReport, TokenRead } from "../protocol/venue-report.ts";
import { openActions } from "../state/action-cost.ts";
import { openOrders } from "../state/exposure.ts";
import { provisionalFills } from "../state/kept-orders.ts";
import { emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** Tokens that one comparison asks for; the others come with the next ones (the venue allows 20 reads a second). */
const tokensARead = 20;

/** The positions whose turn it is to be compared with the venue's. */
export function tokensToCompare(context: StepContext): TokenRead[] {
  const { state } = context;
  const all: TokenRead[] = [];
  for (const { tokenId } of state.positions.values()) {
    const token = state.tokens.get(tokenId);
    const market = token === undefined ? undefined : state.markets.get(token.conditionId);
    // A market that ended pays out and redeems by rules of its own.
    if (market?.tradable === true) all.push({ tokenId, version: market.version });
  }
  if (all.length <= tokensARead) return all;
  const first = state.live.shareCursor % all.length;
  state.live.shareCursor = first + tokensARead;
  return [...all.slice(first), ...all.slice(0, first)].slice(0, tokensARead);
}

/**
 * Compares what we hold with what the venue says. Less there than here may not be sold from this moment on. A difference
 * that is the same over several reads while nothing of the token is under way is corrected, once, under an id made of what
 * it corrects; more there than here is shown and counted, but never sold by this desk.
 */
export function compareShares(context: StepContext, reports: readonly ShareReport[]): void {
  const busy = busyTokens(context);
  for (const { tokenId, shares } of reports) {
    limitSale(context, tokenId, shares);
    if (busy.has(tokenId)) context.state.live.shareReads.delete(tokenId);
    else compareSettled(context, tokenId, shares);
  }
}

/** Tokens of which something may be on its way between the two accounts. */
function busyTokens(context: StepContext): Set<TokenId> {
  const { state } = context;
  const busy = new Set<TokenId>();
  for (const fill of provisionalFills(state)) busy.add(fill.tokenId);
  for (const { terms } of openActions(state)) {
    for (const { tokenId } of [...terms.takes, ...terms.gives]) busy.add(tokenId);
  }
  for (const order of openOrders(state)) {
    if (!isResting(order) || order.venueDone || order.filled < order.venueMatched) {
      busy.add(order.draft.tokenId);
    }
  }
  return busy;
}

function limitSale(context: StepContext, tokenId: TokenId, there: Shares): void {
  const { state } = context;
  const position = state.positions.get(tokenId);
  if (position === undefined) return;
  const mine = position.confirmed - position.provisionalSold;
  const limit = there < mine ? there : null;
  if ((state.venueShares.get(tokenId) ?? null) === limit) return;
  emit(context, { kind: "shares.reported", tokenId, shares: limit });
}

function compareSettled(context: StepContext, tokenId: TokenId, there: Shares): void {
  const { state, settings, hasher } = context;
  const position = state.positions.get(tokenId);
  if (position === undefined) return;
  const here = Math.max(0, position.confirmed - position.provisionalSold) + position.unexplained;
  const { shareReads } = state.live;
  if (here === there) {
    shareReads.delete(tokenId);
    return;
  }
  const before = shareReads.get(tokenId);
  const same = before?.here === here && before.there === there;
  const count = same ? before.count + 1 : 1;
  shareReads.set(tokenId, { here, there, count });
  if (count < settings.waits.quarantineCleanReads) return;
  shareReads.delete(tokenId);
  const { corrections } = position;
  const correctionId = hasher.sha256Hex(
    `pitboss:correction:${tokenId}:${corrections}:${here}:${there}`,
  );
  emit(context, { kind: "position.corrected", correctionId, tokenId, shares: there });
  const market = state.markets.get(position.conditionId);
  raise(context, null, {
    kind: "position.corrected",
    correctionId,
    question: market?.question ?? position.conditionId,
    outcomeName: market?.outcomes[position.outcome].name ?? tokenId.slice(0, 12),
    from: here as Shares,
    to: there,
  });
}
