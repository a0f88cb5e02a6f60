import type { Polymarket } from "./adapters/polymarket/create-polymarket.ts";
import type { EngineSettings } from "./engine/protocol/settings.ts";
import { Rehearsal } from "./engine/runtime/rehearsal.ts";

/** After the start, when the processor has time for it. */
const firstAfterMs = 2_000;
/** Between the turns of the first orders, so that nothing else has to wait. */
const firstEveryMs = 20;
/** Afterwards: often enough that compiled code is not thrown away as unused, too seldom to cost anything. */
const everyMs = 1_000;
/** Until this many orders were rehearsed each turn takes several: the compiler wants to see a path often. */
const firstOrders = 1_500;
const ordersAtFirst = 10;

/** Rehearses the order path until it is stopped; see `Rehearsal` for why nothing of it can leave. */
export function keepWarm(settings: EngineSettings, polymarket: Polymarket): () => void {
  const rehearsal = new Rehearsal(settings, polymarket.hasher, polymarket.rehearse);
  let orders = 0;
  let timer = setTimeout(turn, firstAfterMs);
  timer.unref();

  function turn(): void {
    const more = orders < firstOrders ? ordersAtFirst : 1;
    for (let i = 0; i < more; i++) rehearsal.run();
    orders += more;
    timer = setTimeout(turn, orders < firstOrders ? firstEveryMs : everyMs);
    timer.unref();
  }

  return () => clearTimeout(timer);
}
