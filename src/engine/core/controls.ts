import type { DegradedSource } from "../domain/reasons.ts";
import { reducingCauses } from "../risk/reducing.ts";
import type { Fact } from "../state/fact.ts";
import { emit, type StepContext } from "./context.ts";
import { halt } from "./halt.ts";
import { raise } from "./notices.ts";
import { tradingView } from "./trading-view.ts";

/** Facts that move no money and no control: nothing has to be looked at after them. */
const idle: ReadonlySet<Fact["kind"]> = new Set([
  "command.received",
  "command.answered",
  "message.queued",
  "message.sent",
  "message.failed",
  "notice.raised",
  "notices.told",
  "markets.listed",
  "card.created",
  "card.closed",
]);

/**
 * The end of every step that moved something: new risk is refused, or taken again, in the step of the evidence, and only
 * then somebody is told. Each change is told once.
 */
export function followControls(context: StepContext, isTick: boolean): void {
  const { state, settings } = context;
  if (!state.ready) return;
  if (!isTick && context.facts.every((fact) => idle.has(fact.kind))) return;
  const before = state.control.reducing.causes;
  const causes = reducingCauses(state, settings, context.atMs);
  if (causes.join() === before.join()) return;
  emit(context, { kind: "reducing.changed", causes });
  raise(context, null, {
    kind: "reducing",
    causes,
    ended: before.filter((cause) => !causes.includes(cause)),
    trading: tradingView(state),
  });
}

/** Another part of the desk cannot do its work (or can again): no new risk meanwhile. The same word twice is one. */
export function degrade(context: StepContext, source: DegradedSource, detail: string | null): void {
  // Nothing at all is taken of such an account: a person has to look, and does so before sales are tried one by one.
  if (source === "account" && (detail === "banned" || detail === "unauthorized")) {
    halt(context, detail, "found by the check of the account");
  }
  if ((context.state.control.degraded.get(source)?.detail ?? null) === detail) return;
  emit(context, { kind: "desk.degraded", source, detail });
}
