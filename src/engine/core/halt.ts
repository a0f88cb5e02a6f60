import type { HaltReason } from "../domain/reasons.ts";
import { emit, type StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** Stops all new orders until a person resumes; the gate is closed before anybody is told. The first cause stays. */
export function halt(
  context: StepContext,
  reason: Exclude<HaltReason, "killed" | "starting" | "live_start" | "reconcile_failed">,
  detail: string,
): void {
  if (context.state.halt !== null) return;
  emit(context, { kind: "trading.halted", reason, detail });
  raise(context, null, { kind: "halted", reason, detail });
}
