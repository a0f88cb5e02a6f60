import type { HaltReason } from "../../engine/domain/reasons.ts";

/** Why nobody can trade now, and what ends it. */
export function explainHalt(reason: HaltReason): { readonly what: string; readonly todo: string } {
  switch (reason) {
    case "killed":
      return { what: "the kill switch is on", todo: "/resume turns it off, in two steps" };
    case "starting":
      return {
        what: "the desk is starting",
        todo: "it ends by itself when records and venue agree",
      };
    case "reconcile_failed":
      return {
        what: "records and venue could not be compared",
        todo: "it is tried again by itself; if it lasts, look into the log",
      };
    case "order_id_mismatch":
      return {
        what: "the venue gave an order another id than ours",
        todo: "stop and look into the log before /resume",
      };
    case "ledger_failed":
      return {
        what: "records cannot be written",
        todo: "check the disk, then restart the service",
      };
    case "unauthorized":
      return { what: "the venue does not accept our key", todo: "check the secrets, then restart" };
    case "banned":
      return { what: "the venue has blocked the account", todo: "ask the venue; do not try again" };
    case "geoblocked":
      return {
        what: "the venue takes no orders from the place where this desk runs",
        todo: "tell whoever runs the desk; positions can be looked at, not traded",
      };
    case "consecutive_failures":
      return {
        what: "too many order requests in a row got no answer",
        todo: "look at the last messages, then /resume",
      };
    case "conservation":
      return {
        what: "the last count before the socket found an order that was not approved to leave",
        todo: "do not /resume: compare the account at the venue with /orders, keep the log, restart",
      };
    case "reject_burst":
      return {
        what: "the venue refused too many orders within a minute",
        todo: "look at why, in the last messages, then /resume",
      };
    case "crash_loop":
      return {
        what: "the service crashed several times within minutes",
        todo: "look into its log for the cause before /resume",
      };
    case "live_start":
      return { what: "a live desk starts halted", todo: "/resume starts trading, in two steps" };
  }
}

const haltReasons: Readonly<Record<HaltReason, true>> = {
  killed: true,
  starting: true,
  reconcile_failed: true,
  order_id_mismatch: true,
  ledger_failed: true,
  unauthorized: true,
  banned: true,
  geoblocked: true,
  consecutive_failures: true,
  reject_burst: true,
  conservation: true,
  crash_loop: true,
  live_start: true,
};

export function isHaltReason(text: string): text is HaltReason {
  return Object.hasOwn(haltReasons, text);
}
