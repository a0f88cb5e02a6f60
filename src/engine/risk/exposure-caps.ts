import type { TokenId } from "../domain/market.ts";
import { type Usd, usd } from "../domain/numbers.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import type { EngineSettings } from "../protocol/settings.ts";
import type { EngineState } from "../state/engine-state.ts";
import { exposureOf, freeCash, freeShares } from "../state/exposure.ts";
import { worstCaseUsd } from "./reserve.ts";

/** Caps on what is held plus everything that open, in-flight and unknown orders and these drafts can add. */
export function checkExposure(
  state: EngineState,
  settings: EngineSettings,
  drafts: readonly OrderDraft[],
): Denial | null {
  const now = exposureOf(state);
  const { risk } = settings;
  let total = now.total as number;
  const byToken = new Map<string, number>(now.byToken);
  const byMarket = new Map<string, number>(now.byMarket);
  for (const draft of drafts) {
    const more = worstCaseUsd(state, draft);
    if (more === 0) continue;
    total += more;
    const onToken = (byToken.get(draft.tokenId) ?? 0) + more;
    const onMarket = (byMarket.get(draft.conditionId) ?? 0) + more;
    byToken.set(draft.tokenId, onToken);
    byMarket.set(draft.conditionId, onMarket);
    const over = (code: Denial["code"], limit: Usd, wanted: number): Denial | null =>
      wanted <= limit ? null : { code, limit, wanted };
    const denial =
      over("cap_outcome", risk.maxExposurePerOutcomeUsd, onToken) ??
      over("cap_market", risk.maxExposurePerMarketUsd, onMarket) ??
      over("cap_total", risk.maxExposureTotalUsd, total);
    if (denial !== null) return denial;
  }
  return null;
}

export function checkCash(state: EngineState, drafts: readonly OrderDraft[]): Denial | null {
  let wanted = 0;
  for (const draft of drafts) wanted += worstCaseUsd(state, draft);
  if (wanted === 0) return null;
  const limit = freeCash(state);
  return wanted <= limit ? null : { code: "insufficient_cash", limit, wanted: usd(wanted) };
}

export function checkShares(state: EngineState, drafts: readonly OrderDraft[]): Denial | null {
  const wanted = new Map<TokenId, number>();
  for (const draft of drafts) {
    if (draft.side === "buy") continue;
    const all = (wanted.get(draft.tokenId) ?? 0) + draft.size;
    wanted.set(draft.tokenId, all);
    const limit = freeShares(state, draft.tokenId);
    if (!(all <= limit)) return { code: "insufficient_shares", limit, wanted: all };
  }
  return null;
}
