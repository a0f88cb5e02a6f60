import type { ActionRequest } from "../../engine/api/actions.ts";
import type { AmountSpec, TradeRequest } from "../../engine/api/requests.ts";
import type { ConditionId, OutcomeIndex, Side } from "../../engine/domain/market.ts";
import type { Price } from "../../engine/domain/numbers.ts";

/** A trade of which parts are still asked for. */
export type TradeDraft = Omit<TradeRequest, "conditionId" | "outcome" | "amount"> & {
  readonly conditionId: ConditionId | null;
  readonly outcome: OutcomeIndex | null;
  readonly amount: AmountSpec | null;
};

/** What a button means. Stored by the engine under the button's nonce; `v` tells old versions apart. */
export type BotAction =
  | { readonly do: "home" }
  | { readonly do: "help"; readonly topic: string }
  | { readonly do: "status" }
  | { readonly do: "markets"; readonly query: string; readonly page: number }
  | { readonly do: "market"; readonly id: ConditionId }
  | { readonly do: "refresh"; readonly id: ConditionId }
  | { readonly do: "draft"; readonly draft: TradeDraft }
  | { readonly do: "quote"; readonly request: TradeRequest; readonly replaces: string | null }
  | {
      readonly do: "confirm";
      readonly expiresAtMs: number;
      readonly request: TradeRequest;
      /** The order whose price the card changes: asked again it is that change, never an order more. */
      readonly clientOid?: string;
    }
  | { readonly do: "askPrice"; readonly clientOid: string }
  | {
      readonly do: "reprice";
      readonly clientOid: string;
      readonly limit: Price;
      readonly replaces: string | null;
    }
  | { readonly do: "discard"; readonly nonce: string }
  | { readonly do: "orders" }
  | { readonly do: "cancel"; readonly clientOid: string }
  | { readonly do: "cancelAll"; readonly sure: boolean }
  | { readonly do: "positions" }
  | {
      readonly do: "acceptRules";
      readonly conditionId: ConditionId;
      readonly ruleHash: string;
    }
  | { readonly do: "arb"; readonly page: number }
  | { readonly do: "arbSet"; readonly setId: string }
  | { readonly do: "arbQuote"; readonly setId: string; readonly replaces: string | null }
  | { readonly do: "confirmSet"; readonly expiresAtMs: number; readonly setId: string }
  | { readonly do: "call"; readonly request: ActionRequest; readonly replaces: string | null }
  | { readonly do: "confirmCall"; readonly expiresAtMs: number; readonly request: ActionRequest }
  | { readonly do: "kill" }
  | { readonly do: "resume" }
  | { readonly do: "resumeNow"; readonly readyAtMs: number; readonly expiresAtMs: number };

type ActionKind = BotAction["do"];

/** The verb in callback_data: at most 9 lower-case letters. `kill` and `ok` are also read without looking the nonce up. */
export const verbs: Readonly<Record<ActionKind, string>> = {
  home: "home",
  help: "help",
  status: "status",
  markets: "markets",
  market: "market",
  refresh: "refresh",
  draft: "draft",
  quote: "quote",
  confirm: "ok",
  askPrice: "askprice",
  reprice: "reprice",
  discard: "discard",
  orders: "orders",
  cancel: "cancel",
  cancelAll: "cancelall",
  positions: "positions",
  acceptRules: "okrules",
  arb: "arb",
  arbSet: "arbset",
  arbQuote: "arbquote",
  confirmSet: "okset",
  call: "call",
  confirmCall: "okcall",
  kill: "kill",
  resume: "resume",
  resumeNow: "resumenow",
};

const version = 1;

/** At most 1,000 characters, which a trade request stays far below (its longest part is a condition id of 66). */
export function encodeAction(action: BotAction): string {
  return JSON.stringify({ v: version, ...action });
}

/** Null for text that this version did not write. What it wrote is trusted: it comes from our own ledger. */
export function decodeAction(text: string): BotAction | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return null;
    const { v, ...action } = parsed as { v?: unknown; do?: unknown };
    const known = typeof action.do === "string" && Object.hasOwn(verbs, action.do);
    return v === version && known ? (action as BotAction) : null;
  } catch {
    return null;
  }
}

/** Actions that lead to an order or to more risk: these are refused when they are too old. */
export function raisesRisk(action: BotAction): boolean {
  switch (action.do) {
    case "confirm":
    case "confirmSet":
    case "askPrice":
    case "reprice":
    case "confirmCall":
    case "call":
    case "quote":
    case "draft":
    case "arbQuote":
    case "acceptRules":
    case "resume":
    case "resumeNow":
      return true;
    case "home":
    case "help":
    case "status":
    case "markets":
    case "market":
    case "refresh":
    case "discard":
    case "orders":
    case "cancel":
    case "cancelAll":
    case "positions":
    case "arb":
    case "arbSet":
    case "kill":
      return false;
  }
}

/** The two halves of callback_data `v1:<verb>:<nonce>`; null for anything else. */
export function parsePressData(
  data: string,
): { readonly verb: string; readonly nonce: string } | null {
  const match = /^v1:([a-z]{1,9}):([\w-]{16,32})$/u.exec(data);
  return match === null ? null : { verb: match[1] ?? "", nonce: match[2] ?? "" };
}

/** A trade of which only the side is known. */
export function emptyDraft(side: Side): TradeDraft {
  return {
    side,
    conditionId: null,
    outcome: null,
    amount: null,
    limit: null,
    timeInForce: null,
    goodForMs: null,
    slippagePpm: null,
  };
}

/** What [Re-quote] on a card does: the same wish on the book as it is then. */
export function askAgain(card: {
  readonly nonce: string;
  readonly request: TradeRequest;
  readonly limit: Price;
  readonly clientOid: string | undefined;
}): BotAction {
  const { nonce, request, limit, clientOid } = card;
  return clientOid === undefined
    ? { do: "quote", request, replaces: nonce }
    : { do: "reprice", clientOid, limit, replaces: nonce };
}
