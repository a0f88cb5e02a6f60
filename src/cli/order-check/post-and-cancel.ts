import { setTimeout as pause } from "node:timers/promises";
import { formatShares, formatUsd, type Shares, usd } from "../../engine/domain/numbers.ts";
import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import type { VenuePort } from "../../engine/ports/venue.ts";
import type { PostOutcome } from "../../engine/protocol/venue-report.ts";
import type { CheckDesk } from "./check-desk.ts";

/** Says one line of the walk: whether it held, and what was seen. */
export type Say = (holds: boolean, name: string, what: string) => void;

/** How the order ended. `money` is the sentence for whoever owns it when anything is in doubt. */
export type CheckEnd =
  | { readonly proved: true }
  | { readonly proved: false; readonly money: string };

const cancelTriesMax = 5;
const fillsMarginS = 60;

/**
 * Posts one order, sees it at the venue, cancels it, and proves that it is gone: several clean reads in a row of the order
 * itself, of the open orders and of the trades. Whatever happens after the first byte, the cancel is tried.
 */
export async function postAndCancel(
  desk: CheckDesk,
  draft: OrderDraft,
  order: PreparedOrder,
  say: Say,
): Promise<CheckEnd> {
  const { venue } = desk.polymarket;
  const { venueWaits } = desk.config;
  const startedAtMs = Date.now();
  desk.journal(order, startedAtMs);
  const outcome = await venue.post(order, desk.gate(startedAtMs + venueWaits.orderDeadlineMs));
  say(outcome.kind === "accepted", "post", postText(outcome));
  if (outcome.kind === "rejected" || outcome.kind === "blocked" || outcome.kind === "not_sent") {
    return { proved: false, money: "nothing was placed: no money is locked" };
  }
  if (outcome.kind === "accepted") {
    say(true, "order id", "the venue names it by our own hash");
    await seen(venue, order.orderHash, say);
  }
  const canceled = await cancel(desk, order.orderHash);
  say(canceled, "cancel", canceled ? "the venue confirms it" : "the venue does not confirm it");
  const left = await gone(desk, order.orderHash, Math.floor(startedAtMs / 1_000) - fillsMarginS);
  say(
    left === null,
    "gone",
    left ?? `absent or ended in ${venueWaits.killCleanSnapshots} reads in a row, no trade`,
  );
  if (left === null && outcome.kind === "accepted" && canceled) return { proved: true };
  return { proved: false, money: moneyText(draft, order, left, outcome) };
}

function postText(outcome: PostOutcome): string {
  switch (outcome.kind) {
    case "accepted":
      return `accepted (${outcome.state})`;
    case "rejected":
      return `refused: ${outcome.reason} (${outcome.detail})`;
    case "blocked":
      return `not sent: ${outcome.denial.code}`;
    case "id_mismatch":
      return `the venue named another order: ${outcome.got}`;
    case "duplicated":
      return "the venue says that it had it before";
    case "not_taken":
    case "not_sent":
    case "unknown":
      return `${outcome.kind.replace("_", " ")}: ${outcome.detail}`;
  }
}

async function seen(venue: VenuePort, orderHash: string, say: Say): Promise<void> {
  const query = await venue.queryOrder(orderHash);
  const isFound = query.kind === "found" && query.order.state === "live";
  say(isFound, "order read", isFound ? "rests at the venue" : query.kind);
  const open = await venue.openOrders();
  const isListed = open.ok && open.value.some((one) => one.orderHash === orderHash);
  say(isListed, "open orders", isListed ? "lists it" : open.ok ? "does not list it" : open.error);
}

async function cancel(desk: CheckDesk, orderHash: string): Promise<boolean> {
  const { venue } = desk.polymarket;
  for (let tries = 0; tries < cancelTriesMax; tries++) {
    const outcome = await venue.cancel([orderHash]);
    if (outcome.kind === "answered" && outcome.canceled.includes(orderHash)) return true;
    const query = await venue.queryOrder(orderHash);
    if (query.kind === "found" && query.order.state === "ended") return true;
    await pause(lookAgainMs(desk));
  }
  return false;
}

/** The first wait between two looks at an order, as the service has it. */
function lookAgainMs({ config }: CheckDesk): number {
  return config.venueWaits.queryBackoffMs[0] ?? 0;
}

/** Null once it is proved that nothing of the order is left; else what still stands against it. */
async function gone(desk: CheckDesk, orderHash: string, sinceS: number): Promise<string | null> {
  const { venue } = desk.polymarket;
  const { killCleanSnapshots: wanted, killWindowMs } = desk.config.venueWaits;
  const deadlineMs = performance.now() + killWindowMs;
  let clean = 0;
  let against = "";
  while (clean < wanted && performance.now() < deadlineMs) {
    if (clean > 0 || against !== "") await pause(lookAgainMs(desk));
    const [query, open, fills] = await Promise.all([
      venue.queryOrder(orderHash),
      venue.openOrders(),
      venue.fills(sinceS),
    ]);
    const traded = fills.ok ? fills.value.filter((fill) => fill.orderHash === orderHash) : [];
    const shares = traded.reduce((sum, fill) => sum + fill.size, 0);
    if (shares > 0) return `it TRADED: ${formatShares(shares as Shares)} shares`;
    against = againstOf({
      query: query.kind === "found" ? query.order.state : query.kind,
      isListed: open.ok ? open.value.some((one) => one.orderHash === orderHash) : null,
      areTradesRead: fills.ok,
    });
    clean = against === "" ? clean + 1 : 0;
  }
  return clean >= wanted ? null : against;
}

function againstOf(reads: {
  readonly query: string;
  readonly isListed: boolean | null;
  readonly areTradesRead: boolean;
}): string {
  if (reads.query === "failed") return "the order cannot be read";
  if (reads.query !== "ended" && reads.query !== "absent")
    return `the order is still ${reads.query}`;
  if (reads.isListed === null) return "the open orders cannot be read";
  if (reads.isListed) return "the open orders still list it";
  return reads.areTradesRead ? "" : "the trades cannot be read";
}

function moneyText(
  draft: OrderDraft,
  order: PreparedOrder,
  left: string | null,
  outcome: PostOutcome,
): string {
  const worth =
    draft.side === "buy"
      ? `$${formatUsd(usd(Math.ceil((draft.limit * draft.size) / 10_000)))}`
      : `${formatShares(draft.size)} shares`;
  const what = `order ${order.orderHash}`;
  if (left?.startsWith("it TRADED") === true) {
    return `${what}: ${left}; you hold what it bought, at most ${worth} was spent. It is not open any more only if the venue's page says so`;
  }
  if (left === null && outcome.kind === "accepted")
    return `${what} is gone, nothing is locked; the cancel was not confirmed`;
  if (left === null) {
    return `${what} is not there now, but its answer was lost and the venue has booked orders late: up to ${worth} may still be locked. Look at your open orders on polymarket.com in two minutes, then run this again`;
  }
  return `${what} MAY BE OPEN (${left}): up to ${worth} is locked or spent. Cancel it on polymarket.com now`;
}
