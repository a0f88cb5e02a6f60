import type { ResyncReason } from "../domain/book-health.ts";
import type { ConditionId } from "../domain/market.ts";
import type { OrderDraft } from "../domain/order.ts";
import type { TokenRead } from "./venue-report.ts";

/** Why the account is read; "start" opens trading, "stall" opens it again after time was lost, "kill" proves a flat book. */
export type ReadPurpose = "start" | "stall" | "periodic" | "link" | "kill" | "balance";

/** What a step asks the outside to do, only after its facts are durable. Every result comes back as an input. */
export type Effect =
  | { readonly kind: "order.post"; readonly clientOid: string }
  | { readonly kind: "order.query"; readonly clientOid: string }
  | { readonly kind: "order.cancel"; readonly clientOids: readonly string[] }
  | { readonly kind: "orders.cancel-all" }
  /** The new order of a price change, once the old one is gone; nothing leaves the process by it. */
  | { readonly kind: "replace.sign"; readonly replaceId: string; readonly draft: OrderDraft }
  /** An order on the account that this desk did not place; its end is told by the stream and the reads. */
  | { readonly kind: "external.cancel"; readonly orderHash: string }
  | {
      readonly kind: "account.read";
      readonly purpose: ReadPurpose;
      readonly fillsAfterS: number | null;
      /** Positions to compare. */
      readonly tokens?: readonly TokenRead[];
    }
  | { readonly kind: "action.submit"; readonly actionId: string }
  | { readonly kind: "action.query"; readonly actionId: string }
  /** Tells the venue's cache and reads our cash again after shares or dollars moved on the chain. */
  | { readonly kind: "action.settled"; readonly actionId: string }
  /** Looks whether the shares of a claim are still there. */
  | { readonly kind: "claim.read"; readonly conditionId: ConditionId }
  /** Reads the catalog's word on a market that the stream called resolved. */
  | { readonly kind: "market.read"; readonly conditionId: ConditionId }
  | {
      readonly kind: "book.resync";
      readonly conditionId: ConditionId;
      readonly reason: ResyncReason;
      /** Names this request in the log, from the contradiction to the snapshot that ended it. */
      readonly resyncId: string;
    };
