import { isOpen } from "../../src/engine/domain/order.ts";
import { isOpenAction } from "../../src/engine/domain/position-action.ts";
import type { EngineState } from "../../src/engine/state/engine-state.ts";
import type { Fact } from "../../src/engine/state/fact.ts";
import type { Chain } from "./chain.ts";
import { whitelist } from "./chat/person.ts";
import type { SimTelegram } from "./chat/telegram.ts";
import { type Exchange, isOpenThere } from "./exchange.ts";
import type { Judge } from "./judge.ts";
import type { Disk } from "./sim-log.ts";

export type FinalParts = {
  readonly judge: Judge;
  readonly exchange: Exchange;
  readonly chain: Chain;
  readonly disk: Disk;
  readonly telegram: SimTelegram;
  /** Commands whose process told the chat by itself that its ledger could not keep them. */
  readonly unkept: ReadonlySet<string>;
};

/** When faults have stopped for long enough, the engine and the venue tell the same story, and nobody waits. */
export function judgeEnd(parts: FinalParts, state: EngineState): void {
  const { judge, exchange } = parts;
  judge.must(state.ready, "P10", () => "the engine never became ready");
  judgeTrades(parts, state);
  judgeCalls(parts, state);
  for (const order of state.orders.values()) {
    const booked = exchange.orders.get(order.orderHash);
    const isThere = booked !== undefined && isOpenThere(booked);
    const there = booked?.state ?? "absent";
    judge.must(
      isOpen(order) === isThere,
      "P10",
      () => `${order.clientOid} is ${order.status}, at the venue ${there}`,
    );
    const unsure = order.status === "unknown" || order.status === "in_flight";
    judge.must(!unsure, "P10", () => `${order.clientOid} is still ${order.status}`);
  }
  const foreign = exchange.open().filter((order) => order.isForeign);
  judge.must(
    foreign.length === state.externalOrders.size,
    "P10",
    () => `${state.externalOrders.size} foreign orders are known, the venue has ${foreign.length}`,
  );
  const tokens = new Set([...exchange.shares.keys(), ...state.positions.keys()]);
  const ended = new Set<string>();
  for (const { winner, market } of exchange.books.values()) {
    if (winner !== null) for (const { tokenId } of market.outcomes) ended.add(tokenId);
  }
  // While a call is open, after a kill, what it moves is not compared.
  const open = [...state.actions.values()].filter(isOpenAction);
  const moving = new Set(
    open.flatMap(({ terms }) => [...terms.takes, ...terms.gives].map((leg) => leg.tokenId)),
  );
  for (const tokenId of tokens) {
    if (moving.has(tokenId)) continue;
    // The end of a market can be missed while no process is up; its shares are worth what was paid for them.
    if (ended.has(tokenId)) continue;
    const own = state.positions.get(tokenId)?.confirmed ?? 0;
    const there = exchange.shares.get(tokenId) ?? 0;
    judge.must(own === there, "P2", () => `${own} shares of ${tokenId}, the venue holds ${there}`);
  }
  judge.must(
    open.length > 0 || state.cash === exchange.cash,
    "conservation",
    () => `cash ${state.cash}, venue ${exchange.cash}`,
  );
  judgeChat(parts, state);
}

/** What the chain did is in the books once, and nothing else is. */
function judgeCalls({ judge, chain }: FinalParts, state: EngineState): void {
  const done = chain.done();
  const booked = new Map<string, string>();
  for (const { actionId, status, prepared } of state.actions.values()) {
    if (status !== "confirmed") continue;
    const twin = booked.get(prepared.callHash);
    judge.must(twin === undefined, "P2", () => `${actionId} books what ${twin} has booked`);
    booked.set(prepared.callHash, actionId);
  }
  for (const action of state.actions.values()) {
    const { actionId, status } = action;
    const hash = action.prepared.callHash;
    // The same call decided anew, after one that was given up, has the same bytes: one of the two is booked.
    const isDone = done.has(hash) && (booked.get(hash) ?? actionId) === actionId;
    judge.must(
      isDone === (status === "confirmed"),
      "P2",
      () => `call ${actionId} is ${status}, on the chain ${isDone ? "done" : "not done"}`,
    );
    // After a kill or a halt nothing is sent again: what nobody has is looked for until a person resumes.
    const waits = state.killed !== null || state.halt !== null;
    judge.must(!isOpenAction(action) || waits, "P10", () => `call ${actionId} is still ${status}`);
  }
  const unbooked = [...done].filter((hash) => !booked.has(hash));
  judge.must(unbooked.length === 0, "P2", () => `the chain did ${unbooked.join()}, not booked`);
}

function judgeTrades({ judge, exchange, disk }: FinalParts, state: EngineState): void {
  for (const trade of exchange.trades) {
    const { tradeId } = trade;
    const fill = state.fills.get(`${tradeId}:${trade.orderHash}`);
    judge.must(fill !== undefined, "P2", () => `trade ${tradeId} of ${trade.orderHash} is lost`);
    const fee = fill?.fee ?? 0;
    judge.must(
      fee === trade.fee,
      "conservation",
      () => `fee ${fee} of ${tradeId}, venue ${trade.fee}`,
    );
    const status = fill?.status ?? "missing";
    judge.must(
      status === trade.status,
      "P2",
      () => `trade ${tradeId} is ${trade.status}, here ${status}`,
    );
  }
  judge.must(state.fills.size === exchange.trades.length, "P2", () => "more fills than trades");
  for (const order of exchange.orders.values()) {
    const isOurs = order.isForeign || disk.bodies.has(order.hash);
    judge.must(isOurs, "P2", () => `the venue's ${order.hash} is in no ledger row`);
  }
}

/** Every command of a trader was answered once, and what was said of it is in the chat. */
function judgeChat({ judge, disk, telegram, unkept }: FinalParts, state: EngineState): void {
  judge.must(telegram.pendingUpdates === 0, "P7", () => "updates wait that nobody took");
  judge.must(state.commands.size === 0, "P7", () => `${state.commands.size} commands wait`);
  judge.must(state.outbox.size === 0, "P7", () => `${state.outbox.size} messages wait`);
  for (const update of telegram.updates.values()) {
    if (!whitelist.includes(update.userId) || isPlainEdit(update)) continue;
    const commandId = `tg:${update.updateId}`;
    const wasKept = disk.received.has(commandId);
    if (unkept.has(commandId) && !wasKept) continue;
    judge.must(disk.answered.has(commandId), "P7", () => `${commandId} was never answered`);
  }
  for (const record of disk.records) {
    if (record.kind !== "message.sent") continue;
    const fact = JSON.parse(record.body) as Extract<Fact, { kind: "message.sent" }>;
    const { key, telegramMessageId } = fact;
    const isShown = telegramMessageId === null || telegram.messages.has(telegramMessageId);
    judge.must(isShown, "P7", () => `${key} counts as sent but is in no chat`);
  }
}

/** An edit that is no kill is no command. */
function isPlainEdit(update: { readonly isEdit: boolean; readonly text: string }): boolean {
  return update.isEdit && !/kill/iu.test(update.text);
}
