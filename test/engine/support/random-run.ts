import type { ConfirmOutcome } from "../../../src/engine/api/engine-api.ts";
import type { Fill } from "../../../src/engine/domain/fill.ts";
import type { Market } from "../../../src/engine/domain/market.ts";
import {
  costCeil,
  type Price,
  shares,
  sharesForFloor,
  usd,
} from "../../../src/engine/domain/numbers.ts";
import { isOpen, isResting, type Order } from "../../../src/engine/domain/order.ts";
import type { AccountEvent } from "../../../src/engine/protocol/venue-report.ts";
import { type CoreDesk, trader } from "./core-desk.ts";
import type { Happening } from "./happenings.ts";
import { plainHasher } from "./hasher.ts";
import { plain, taxed } from "./markets.ts";
import { fillOf, foreign, reportOf } from "./venue-reports.ts";

const someTiming = { committedMs: 1.25, sentMs: 2, acknowledgedMs: 40 };

function nth<T>(items: Iterable<T>, n: number): T | undefined {
  const all = [...items];
  return all.length === 0 ? undefined : all[n % all.length];
}

/** True when the venue may still fill an order without breaking its own word. */
function canFill(order: Order): boolean {
  return isOpen(order) && !order.venueDone;
}

/** A part of what is left of an order, at its limit or better, as an honest venue would fill it. */
function fillPart(desk: CoreDesk, order: Order, ppm: number, better: number): void {
  const { draft } = order;
  const away = better * draft.tickSize;
  const at = Math.min(
    9_900,
    Math.max(100, draft.side === "buy" ? draft.limit - away : draft.limit + away),
  );
  const left =
    draft.spend === null
      ? draft.size - order.filled
      : sharesForFloor(usd(draft.spend - order.filledUsd), at as Price);
  const size = Math.floor((left * ppm) / 1_000_000);
  if (size <= 0) return;
  if (draft.spend !== null && order.filledUsd + costCeil(at as Price, shares(size)) > draft.spend)
    return;
  const fill = fillOf(order, `t${desk.facts.length}`, size, {
    at: at as Price,
    isMaker: ppm % 2 === 0,
  });
  desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
}

function settle(desk: CoreDesk, fill: Fill, fails: boolean): void {
  const status = fails ? "failed" : "confirmed";
  const {
    fillId: _,
    fee: __,
    costOfSold: ___,
    conditionId: ____,
    outcome: _____,
    external: ______,
    ...report
  } = fill;
  desk.run({ kind: "account", event: { kind: "fill.reported", fill: { ...report, status } } });
}

/** How far a run may go against the desk: whether sold shares come back, and orders that ended are filled. */
export type Rules = { readonly salesFail: boolean; readonly fillsAfterEnd?: boolean };

/** Carries out one happening; what cannot happen now does nothing. */
export function happen(desk: CoreDesk, one: Happening, rules: Rules = { salesFail: true }): void {
  switch (one.do) {
    case "trade":
      trade(desk, one);
      return;
    case "time":
      desk.pass(one.ms, 5_000);
      return;
    case "book": {
      const text = (at: number) => String(at / 100);
      desk.nowMs += 1;
      desk.book(one.taxed ? taxed : plain, {
        bids: [[text(one.bid), "500"]],
        asks: [[text(one.bid + one.spread), "500"]],
      });
      return;
    }
    case "command": {
      const { nowMs } = desk;
      const commandId = `tg:${one.n}`;
      const command = {
        commandId,
        actor: trader,
        text: "",
        messageId: 1,
        sentAtMs: nowMs,
      } as const;
      desk.request("receive", { do: "receive", command: { ...command, kind: "message" } });
      desk.request("none", {
        do: "answer",
        commandId,
        verdict: "answered",
        reason: "",
        messages: [],
      });
      return;
    }
    case "cash":
      desk.read("periodic", { cash: desk.state.cash });
      return;
    case "sign":
      for (const market of [plain, taxed]) keepYoung(desk, market);
      endReplaced(desk);
      signReplacement(desk);
      return;
    case "shares":
      for (let i = 0; i < 3; i++) readShares(desk, one.ppm);
      return;
    case "outside":
      outside(desk, one);
      return;
    case "restart":
      desk.run({ kind: "run.start" });
      desk.read("start", { cash: desk.state.cash });
      return;
    case "kill":
      desk.kill();
      return;
    case "resume":
      resume(desk);
      return;
    default:
      happenToOrder(desk, one, rules);
  }
}

function trade(desk: CoreDesk, one: Extract<Happening, { do: "trade" }>): void {
  const sized = one.side === "sell" || one.limit !== null;
  const market = one.taxed ? taxed : plain;
  keepYoung(desk, market);
  const quoted = desk.quote({
    conditionId: market.conditionId,
    outcome: one.outcome,
    side: one.side,
    limit: one.limit === null ? null : ((one.limit * 100) as Price),
    amount: sized
      ? { unit: "shares", value: shares(one.hundredths * 10_000) }
      : { unit: "usd", value: usd(one.hundredths * 10_000) },
  });
  if (quoted.ok) desk.confirm(quoted.value.nonce);
}

/** A frame without news keeps the book young. */
function keepYoung(desk: CoreDesk, market: Market): void {
  const quiet = { timestamp: "0", bestBid: null, bestAsk: null } as const;
  const head = { conditionId: market.conditionId, tokenId: market.outcomes[0].tokenId };
  desk.run({ kind: "market", event: { kind: "quote.printed", ...head, ...quiet } });
}

/** Asks for a price change of an order and presses Confirm at once. */
export function replace(desk: CoreDesk, clientOid: string, limit: Price): ConfirmOutcome | null {
  const commandId = `r${desk.facts.length}`;
  const ask = { do: "quote-replace", actor: trader, commandId, clientOid, limit } as const;
  const quoted = desk.request("quote-replace", ask).value;
  return quoted.ok ? desk.confirm(quoted.value.nonce) : null;
}

function endReplaced(desk: CoreDesk): void {
  const [replacement] = desk.state.replacements.values();
  const old = desk.state.orders.get(replacement?.clientOid ?? "");
  if (old === undefined || !isOpen(old)) return;
  const order = reportOf(old, "ended", old.filled);
  desk.run({ kind: "account", event: { kind: "order.reported", order } });
}

/** Answers the newest wish for a signature, as the runtime does; its hash is new each time. */
export function signReplacement(desk: CoreDesk): void {
  if (desk.wish === null) return;
  const { replaceId, draft } = desk.wish;
  const orderHash = `0x${plainHasher.sha256Hex(`${replaceId}:${desk.facts.length}`)}`;
  desk.run({ kind: "replace.signed", replaceId, draft, prepared: { orderHash, body: "{}" } });
}

function readShares(desk: CoreDesk, ppm: number): void {
  desk.nowMs += 1_000;
  const report = [...desk.state.positions.values()].map(({ tokenId, confirmed }) => ({
    tokenId,
    shares: shares(Math.floor((confirmed * ppm) / 1_000_000)),
  }));
  const account = { openOrders: [], fills: [], balance: null, shares: report };
  desk.run({ kind: "account.read", purpose: "periodic", report: account });
}

function outside(desk: CoreDesk, one: Extract<Happening, { do: "outside" }>): void {
  const size = shares(one.hundredths * 10_000);
  const { orderHash, order, fill } = foreign(one.n, one.side, size);
  const event = (what: AccountEvent) => void desk.run({ kind: "account", event: what });
  switch (one.what) {
    case "order":
      event({ kind: "order.reported", order });
      return;
    case "fill":
      event({ kind: "fill.reported", fill });
      return;
    case "gone":
      event({ kind: "order.reported", order: { ...order, state: "ended" } });
      return;
    case "cancel":
      desk.request("cancel-external", { do: "cancel-external", actor: trader, orderHash });
      return;
    case "settle": {
      const known = [...desk.state.fills.values()].find((one) => one.orderHash === orderHash);
      if (known !== undefined) settle(desk, known, one.hundredths % 2 === 0);
    }
  }
}

function resume(desk: CoreDesk): void {
  const ask = { do: "ask-resume", actor: trader, commandId: "tg:r" } as const;
  const offer = desk.request("ask-resume", ask).value;
  if (!offer.ok) return;
  desk.nowMs = Math.max(desk.nowMs, offer.value.readyAtMs);
  const { nonce } = offer.value;
  desk.request("confirm-resume", { do: "confirm-resume", actor: trader, nonce });
}

type OrderHappening = Extract<Happening, { readonly pick: number }>;

function happenToOrder(desk: CoreDesk, one: OrderHappening, rules: Rules): void {
  if (one.do === "settle") {
    const waiting = [...desk.state.fills.values()].filter((fill) => fill.status === "provisional");
    const fill = nth(waiting, one.pick);
    if (fill !== undefined)
      settle(desk, fill, one.fails && (rules.salesFail || fill.side === "buy"));
    return;
  }
  const all = [...desk.state.orders.values()];
  const order = nth(one.do === "replace" ? all.filter(isResting) : all, one.pick);
  if (order === undefined) return;
  const { clientOid } = order;
  switch (one.do) {
    case "post":
      desk.run({ kind: "post.finished", clientOid, outcome: one.outcome, timing: someTiming });
      return;
    case "fill":
      if (canFill(order) || rules.fillsAfterEnd === true)
        fillPart(desk, order, one.ppm, one.better);
      return;
    case "report": {
      const report = reportOf(order, one.state, order.filled);
      desk.run({ kind: "account", event: { kind: "order.reported", order: report } });
      return;
    }
    case "replace":
      for (const market of [plain, taxed]) keepYoung(desk, market);
      replace(desk, clientOid, (one.limit * 100) as Price);
      return;
    case "absent":
      desk.run({ kind: "query.finished", clientOid, outcome: { kind: "absent" }, fills: [] });
      return;
    default:
      desk.request("cancel", { do: "cancel", actor: trader, clientOids: [clientOid] });
  }
}
