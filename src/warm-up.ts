import type { Polymarket } from "./adapters/polymarket/create-polymarket.ts";
import type { Engine } from "./engine/runtime/engine.ts";
import { Rehearsal } from "./engine/runtime/rehearsal.ts";

/** After the start, when the processor has time for it. */
const firstAfterMs = 2_000;
/** Between the turns of the first orders, so that nothing else has to wait. */
const firstEveryMs = 20;
/** Until this many orders were rehearsed each turn takes several: the compiler wants to see a path often. */
const firstOrders = 1_500;
const ordersAtFirst = 10;
/** Afterwards: often enough that compiled code is not thrown away as unused, too seldom to cost anything. */
const everyMs = 1_000;
/**
 * While a card waits for its Confirm: code and data of the path stay in the processor's caches, which takes about a
 * third off signing and checking. An order takes about 0.3 ms, so this is 3 % of one processor for some seconds.
 */
const hotEveryMs = 10;
/** How long it goes on after the last card: another one often follows. */
const hotMs = 500;
/** How often it is looked whether a card waits. */
const lookEveryMs = 100;

/** Rehearses the order path until it is stopped; see `Rehearsal` for why nothing of it can leave. */
export function keepWarm(
  engine: Pick<Engine, "state" | "deps">,
  polymarket: Pick<Polymarket, "hasher" | "rehearse">,
): () => void {
  const { settings, clock, logger } = engine.deps;
  const rehearsal = new Rehearsal(settings, polymarket.hasher, polymarket.rehearse);
  let orders = 0;
  let hotUntilMs = 0;
  let nextAtMs = 0;
  let timer = setTimeout(turn, firstAfterMs);
  timer.unref();

  function turn(): void {
    const nowMs = clock.monotonicMs();
    if (waitsForConfirm(engine)) hotUntilMs = nowMs + hotMs;
    const hot = nowMs < hotUntilMs;
    const first = orders < firstOrders;
    if (first || hot || nowMs >= nextAtMs) {
      const more = first ? ordersAtFirst : 1;
      try {
        for (let i = 0; i < more; i++) rehearsal.run();
      } catch (error) {
        // Only speed is lost: a rehearsal that fails must not end the service.
        const detail = error instanceof Error ? error.message : "unknown failure";
        logger.error("rehearsal.failed", { detail });
        return;
      }
      orders += more;
      nextAtMs = nowMs + everyMs;
    }
    timer = setTimeout(turn, first ? firstEveryMs : hot ? hotEveryMs : lookEveryMs);
    timer.unref();
  }

  return () => clearTimeout(timer);
}

/** True while a card with a Confirm button is shown that is still good. */
function waitsForConfirm({ state, deps }: Pick<Engine, "state" | "deps">): boolean {
  const nowMs = deps.clock.nowMs();
  for (const card of state.cards.values()) {
    if (card.state === "open" && card.expiresAtMs > nowMs) return true;
  }
  return false;
}
