import type { ConditionId, OutcomeIndex, Side } from "../domain/market.ts";
import type { Price, Shares, Usd } from "../domain/numbers.ts";

/** Who asks. Authorised before it gets here; bound into cards. */
export type Actor = { readonly userId: number; readonly chatId: number };

/**
 * What a typed one-time code was found to be: the 30-second step (of Unix time) that it belongs to, or wrong. The code
 * itself never gets here.
 */
export type CodeStep = number | "wrong";

/** A chat message or button press that a whitelisted trader sent, as it is kept in the ledger. */
export type ReceivedCommand = {
  /** "tg:<update id>": the same update received twice is one command. */
  readonly commandId: string;
  readonly actor: Actor;
  /** Message text, or "v1:verb:nonce" of a press. At most 4,096 characters. */
  readonly text: string;
  readonly kind: "message" | "press";
  /** Message that carries the pressed button, else the sent message. */
  readonly messageId: number;
  /** When the person sent it, by Telegram's clock. Presses carry the time of arrival. */
  readonly sentAtMs: number;
  /** There when the message gave a one-time code; its text is kept without the digits. */
  readonly code?: CodeStep;
};

export type PendingCommand = ReceivedCommand & { readonly receivedAtMs: number };

/** How a command ended, for the audit row. */
export type Verdict = "answered" | "executed" | "refused" | "failed";

export type AmountSpec =
  | { readonly unit: "usd"; readonly value: Usd }
  | { readonly unit: "shares"; readonly value: Shares }
  /** Parts per million of free cash (buy) or confirmed free shares (sell). `max` is 1,000,000. */
  | { readonly unit: "part"; readonly value: number };

/** Everything that `/buy` and `/sell` can say, complete. */
export type TradeRequest = {
  readonly conditionId: ConditionId;
  readonly outcome: OutcomeIndex;
  readonly side: Side;
  readonly amount: AmountSpec;
  /** Null: marketable, limited by slippage. */
  readonly limit: Price | null;
  /** Default: fak without a limit, gtc with one. */
  readonly timeInForce: "fak" | "fok" | "gtc" | "gtd" | null;
  /** Milliseconds a gtd order shall live. */
  readonly goodForMs: number | null;
  /** Parts per million above the average (below, for a sale) that a marketable order may pay; default 2 %. */
  readonly slippagePpm: number | null;
};

/** Text that names a market: "#n" is resolved by the bot; the rest goes to the catalog. */
export type MarketRef =
  | { readonly by: "conditionId"; readonly value: string }
  | { readonly by: "slug"; readonly value: string }
  | { readonly by: "eventSlug"; readonly value: string }
  | { readonly by: "words"; readonly value: string }
  | { readonly by: "tag"; readonly value: string }
  | { readonly by: "top"; readonly value: "" };
