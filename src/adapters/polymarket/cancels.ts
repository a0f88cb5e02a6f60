import type { CancelOutcome } from "../../engine/protocol/venue-report.ts";
import { type ClobClient, errorText, type PrivateCall } from "./clob-client.ts";
import type { RateGuard, RequestKind } from "./rate-limits.ts";
import { arrayOf, fieldsOf, freeText, hexOf, jsonOf } from "./wire.ts";

/** Ids of one DELETE /orders: the venue takes 1,000, but charges each id, and a request above the burst never passes. */
const maxCancelIds = 30;
/** A cancel that our own limits hold back for longer is given up; whoever asked for it asks again. */
const cancelWaitMs = 3_000;

/** Cancels orders by their ids, in pieces that our own limits let through; never on the kill's budget. */
export async function cancelMany(
  clob: ClobClient,
  limits: RateGuard,
  hashes: readonly string[],
): Promise<CancelOutcome> {
  const canceled: string[] = [];
  const refused: Record<string, string> = {};
  for (let at = 0; at < hashes.length; at += maxCancelIds) {
    const ids = hashes.slice(at, at + maxCancelIds);
    const call = { method: "DELETE", path: "/orders", body: JSON.stringify(ids) } as const;
    const part = await cancelOnce(clob, call, { limits, kind: "cancels", cost: ids.length });
    if (part.kind === "failed") return part;
    canceled.push(...part.canceled);
    Object.assign(refused, part.refused);
  }
  return { kind: "answered", canceled, refused };
}

/** Cancels every order of the account, for a kill: on a budget that nothing else can use up. */
export function cancelEverything(clob: ClobClient, limits: RateGuard): Promise<CancelOutcome> {
  const call = { method: "DELETE", path: "/cancel-all" } as const;
  return cancelOnce(clob, call, { limits, kind: "killCancels", cost: 1 });
}

type Budget = { readonly limits: RateGuard; readonly kind: RequestKind; readonly cost: number };

async function cancelOnce(
  clob: ClobClient,
  call: PrivateCall,
  { limits, kind, cost }: Budget,
): Promise<CancelOutcome> {
  try {
    const admitted = limits.admit(kind, cost, cancelWaitMs);
    if (admitted !== true && !(await admitted)) {
      return { kind: "failed", detail: "held back below the venue's rate limit" };
    }
    const answer = await clob.call(call);
    if (answer.status === 429) limits.refused(kind, answer.retryAfter);
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    const list = arrayOf(fields?.["canceled"] ?? (fields === null ? null : []));
    const not = fieldsOf(fields?.["not_canceled"] ?? {});
    if (list === null || not === null) return { kind: "failed", detail: errorText(answer) };
    if (fields?.["canceled"] === undefined && fields?.["not_canceled"] === undefined) {
      return { kind: "failed", detail: "an answer without canceled and not_canceled" };
    }
    const refused: Record<string, string> = {};
    for (const [id, reason] of Object.entries(not)) {
      const hash = hexOf(id);
      if (hash !== null) refused[hash] = freeText(reason).slice(0, 200);
    }
    return { kind: "answered", canceled: list.map(hexOf).filter((id) => id !== null), refused };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 300) : "unreadable failure";
    return { kind: "failed", detail };
  }
}
