import type { Order } from "../domain/order.ts";
import { assert } from "../lib/assert.ts";
import type { EngineState } from "./engine-state.ts";
import { keepOrder } from "./kept-orders.ts";

/** Replaces an order by what `update` makes of it. */
export function changeOrder(
  state: EngineState,
  clientOid: string,
  update: (order: Order) => Order,
): void {
  const order = state.orders.get(clientOid);
  assert(order !== undefined, "a fact names an order that exists");
  keepOrder(state, update(order));
}
