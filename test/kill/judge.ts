// Compares what the service says with what the venue says. An empty list: both agree and nothing is under way.

import { isOpen } from "../../src/engine/domain/order.ts";
import type { EngineState } from "../../src/engine/state/engine-state.ts";
import type { ProxyRequest } from "../faults/proxy.ts";
import { factsOf, type LedgerRecord, type VenueRecord } from "./records.ts";

export type Evidence = {
  readonly ledger: Pick<LedgerRecord, "state" | "facts">;
  readonly venue: VenueRecord;
  /** Messages and presses of whitelisted traders, as the chat sent them out. */
  readonly updatesSent: number;
  readonly updatesPending: number;
  readonly requests: readonly ProxyRequest[];
};

/** The bound within which an order byte may still arrive whose gate was passed before the kill. */
const killGraceMs = 50;

/** What does not hold yet or at all, in words; each entry begins with the property. */
export function judge(evidence: Evidence): readonly string[] {
  return [
    ...commandFaults(evidence),
    ...orderFaults(evidence),
    ...fillFaults(evidence),
    ...endFaults(evidence),
    ...holdingFaults(evidence),
    ...killFaults(evidence),
    ...unsettled(evidence.ledger.state),
  ];
}

/** P7: every update became one command, and every command one answer. */
function commandFaults({ ledger, updatesSent, updatesPending }: Evidence): string[] {
  const received = factsOf(ledger.facts, "command.received").map(
    ({ fact }) => fact.command.commandId,
  );
  const answered = factsOf(ledger.facts, "command.answered").map(({ fact }) => fact.commandId);
  const faults = repeated(received).map((id) => `P7 ${id} was received twice`);
  faults.push(...repeated(answered).map((id) => `P7 ${id} was answered twice`));
  const done = new Set(answered);
  faults.push(...received.filter((id) => !done.has(id)).map((id) => `P7 ${id} has no answer`));
  if (new Set(received).size !== updatesSent || updatesPending > 0) {
    faults.push(
      `P7 ${updatesSent} updates were sent, ${received.length} kept, ${updatesPending} wait`,
    );
  }
  return faults;
}

/** P1: a card makes one plan, an intent one hash, and the venue knows no order that nobody approved. */
function orderFaults({ ledger, venue, requests }: Evidence): string[] {
  const plans = factsOf(ledger.facts, "plan.approved").map(({ fact }) => fact);
  const orders = plans.flatMap((fact) => fact.orders);
  const approved = new Set(orders.map((order) => order.orderHash));
  const bodies = new Set(orders.map((order) => order.body));
  const sent = requests.filter(({ method, path }) => method === "POST" && path === "/order");
  return [
    ...repeated(plans.map((fact) => fact.plan.nonce)).map((id) => `P1 card ${id} has two plans`),
    ...repeated(orders.map((order) => order.clientOid)).map((id) => `P1 ${id} was approved twice`),
    ...repeated(orders.map((order) => order.orderHash)).map((id) => `P1 ${id} has two intents`),
    ...venue.orders
      .filter(({ id }) => !approved.has(id))
      .map(({ id }) => `P1 the venue has order ${id}, which nobody approved`),
    ...sent
      .filter(({ body }) => !bodies.has(body))
      .map(() => "P1 a posted body is not the one that was committed"),
  ];
}

/** P2: the venue's trades and the ledger's fills are the same, each once. */
function fillFaults({ ledger, venue }: Evidence): string[] {
  const ours = factsOf(ledger.facts, "fill.recorded").map(
    ({ fact }) => `${fact.fill.tradeId} ${fact.fill.orderHash} ${fact.fill.size}`,
  );
  const theirs = venue.fills.map((fill) => `${fill.tradeId} ${fill.orderId} ${fill.size}`);
  const known = new Set(ours);
  const real = new Set(theirs);
  return [
    ...repeated(ours).map((id) => `P2 fill ${id} is booked twice`),
    ...theirs.filter((id) => !known.has(id)).map((id) => `P2 fill ${id} is not booked`),
    ...ours.filter((id) => !real.has(id)).map((id) => `P2 fill ${id} never happened`),
    ...venue.fills
      .filter(({ status }) => status !== "CONFIRMED" && status !== "FAILED")
      .map(({ tradeId }) => `P10 trade ${tradeId} is not settled at the venue`),
  ];
}

/** P2: each order's end is what the venue says it was: as much matched, and none refused that traded. */
function endFaults({ ledger, venue }: Evidence): string[] {
  const there = new Map(venue.orders.map((order) => [order.id, order]));
  return [...ledger.state.orders.values()].flatMap(({ orderHash, status, filled }) => {
    const matched = there.get(orderHash)?.matched ?? 0n;
    const faults: string[] = [];
    if (BigInt(filled) !== matched) {
      faults.push(`P2 order ${orderHash} filled ${filled} here, matched ${matched} at the venue`);
    }
    if (status === "rejected" && matched > 0n) {
      faults.push(`P2 order ${orderHash} is rejected here and traded at the venue`);
    }
    return faults;
  });
}

/** P10: cash, shares and open orders are equal to the last millionth. */
function holdingFaults({ ledger, venue }: Evidence): string[] {
  const { state } = ledger;
  const faults: string[] = [];
  if (BigInt(state.cash ?? -1) !== venue.cash) {
    faults.push(`P10 cash is ${state.cash} here and ${venue.cash} at the venue`);
  }
  const held = [...state.positions.values()].map(
    (one) =>
      [one.tokenId, BigInt(one.confirmed + one.provisionalBought - one.provisionalSold)] as const,
  );
  const here = new Map(held.filter(([, size]) => size !== 0n));
  for (const token of new Set([...here.keys(), ...venue.shares.keys()])) {
    const [mine, theirs] = [here.get(token) ?? 0n, venue.shares.get(token) ?? 0n];
    if (mine !== theirs) faults.push(`P10 ${mine} of token ${token} here, ${theirs} at the venue`);
  }
  const open = [...state.orders.values()].filter(isOpen).map((order) => order.orderHash);
  const resting = venue.orders.filter(({ status }) => status === "LIVE" || status === "DELAYED");
  const restingIds = new Set(resting.map(({ id }) => id));
  const openIds = new Set(open);
  for (const id of open) if (!restingIds.has(id)) faults.push(`P10 order ${id} is open here alone`);
  for (const id of restingIds) if (!openIds.has(id)) faults.push(`P10 order ${id} rests unknown`);
  return faults;
}

/** P4: between a kill and the resume after it no order request arrives. */
function killFaults({ ledger, requests }: Evidence): string[] {
  const kills = factsOf(ledger.facts, "trading.killed").map(({ atMs }) => atMs);
  const resumes = factsOf(ledger.facts, "trading.resumed").map(({ atMs }) => atMs);
  return kills.flatMap((fromMs) => {
    const untilMs = resumes.find((atMs) => atMs >= fromMs) ?? Number.POSITIVE_INFINITY;
    return requests
      .filter(({ method, path }) => method === "POST" && path === "/order")
      .filter(({ atMs }) => atMs > fromMs + killGraceMs && atMs < untilMs)
      .map(({ atMs }) => `P4 an order was posted ${atMs - fromMs} ms after the kill`);
  });
}

/** What is still under way. */
function unsettled(state: EngineState): string[] {
  const faults: string[] = [];
  if (!state.ready) faults.push("P10 the service is not ready");
  if (state.outbox.size > 0) faults.push(`P7 ${state.outbox.size} messages wait`);
  for (const { clientOid, status } of state.orders.values()) {
    if (status === "in_flight" || status === "unknown")
      faults.push(`P10 ${clientOid} is ${status}`);
  }
  for (const { fillId, status } of state.fills.values()) {
    if (status === "provisional") faults.push(`P10 fill ${fillId} is not confirmed`);
  }
  if (state.killed !== null && state.killReported !== "settled") {
    faults.push("P4 the kill's report is open");
  }
  return faults;
}

function repeated(ids: readonly string[]): string[] {
  const seen = new Set<string>();
  return ids.filter((id) => seen.has(id) || (seen.add(id), false));
}
