import { isOpen } from "../../src/engine/domain/order.ts";
import type { EngineState } from "../../src/engine/state/engine-state.ts";
import type { Checkers, CheckersParts } from "./checkers.ts";

/** When faults have stopped for long enough, the engine and the venue tell the same story. */
export function judgeEnd(
  checkers: Checkers,
  parts: Pick<CheckersParts, "exchange" | "disk">,
  state: EngineState,
): void {
  const must = (holds: boolean, property: "P2" | "P10" | "conservation", detail: string) => {
    if (!holds) checkers.violate(property, detail);
  };
  const { exchange, disk } = parts;
  checkers.judgeDigest(state);
  must(state.ready, "P10", "the engine never became ready");
  for (const trade of exchange.trades) {
    const fill = state.fills.get(`${trade.tradeId}:${trade.orderHash}`);
    must(fill !== undefined, "P2", `trade ${trade.tradeId} of ${trade.orderHash} is lost`);
    const status = fill?.status ?? "missing";
    must(
      status === trade.status,
      "P2",
      `trade ${trade.tradeId} is ${trade.status}, here ${status}`,
    );
  }
  must(state.fills.size === exchange.trades.length, "P2", "more fills than trades");
  for (const order of exchange.orders.values()) {
    must(disk.bodies.has(order.hash), "P2", `the venue's ${order.hash} is in no ledger row`);
  }
  for (const order of state.orders.values()) {
    const there = exchange.orders.get(order.orderHash)?.state ?? "absent";
    const agrees = isOpen(order) ? there === "live" : there !== "live";
    must(agrees, "P10", `${order.clientOid} is ${order.status}, at the venue ${there}`);
    const unsure = order.status === "unknown" || order.status === "in_flight";
    must(!unsure, "P10", `${order.clientOid} is still ${order.status}`);
  }
  const tokens = new Set([...exchange.shares.keys(), ...state.positions.keys()]);
  for (const tokenId of tokens) {
    const own = state.positions.get(tokenId)?.confirmed ?? 0;
    const there = exchange.shares.get(tokenId) ?? 0;
    must(own === there, "P2", `${own} shares of ${tokenId}, the venue holds ${there}`);
  }
  must(state.cash === exchange.cash, "conservation", `cash ${state.cash}, venue ${exchange.cash}`);
}
