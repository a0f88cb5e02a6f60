import { unreachable } from "../lib/assert.ts";
import { resumeControl } from "./apply-control.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type TradingFact = Extract<
  Fact,
  {
    readonly kind:
      | "trading.killed"
      | "kill.reported"
      | "resume.asked"
      | "resume.withdrawn"
      | "trading.resumed"
      | "resume.code-used"
      | "resume.code-refused"
      | "trading.halted"
      | "trading.ready";
  }
>;

/** Whether new risk may be taken. */
export function applyTradingFact(state: EngineState, fact: TradingFact, atMs: number): void {
  switch (fact.kind) {
    case "trading.killed":
      state.killed = {
        atMs,
        byUserId: fact.byUserId,
        note: fact.note,
        open: fact.open,
        external: fact.external ?? [],
      };
      state.killReported = "no";
      state.resume = null;
      return;
    case "kill.reported":
      state.killReported = fact.settled ? "settled" : "partly";
      return;
    case "resume.asked":
      state.resume = {
        nonce: fact.nonce,
        userId: fact.userId,
        chatId: fact.chatId,
        readyAtMs: fact.readyAtMs,
        expiresAtMs: fact.expiresAtMs,
      };
      return;
    case "resume.withdrawn":
      state.resume = null;
      return;
    case "trading.resumed":
      state.killed = null;
      state.halt = null;
      state.resume = null;
      state.resumedAtMs = atMs;
      resumeControl(state);
      return;
    case "resume.code-used":
      state.resumeCodes = { lastStep: fact.step, refused: 0, lock: null };
      return;
    case "resume.code-refused":
      state.resumeCodes = {
        ...state.resumeCodes,
        refused: fact.lockMs === null ? fact.refused : 0,
        lock: fact.lockMs === null ? null : { sinceMs: atMs, forMs: fact.lockMs },
      };
      return;
    case "trading.halted":
      state.halt = { reason: fact.reason, detail: fact.detail, atMs };
      return;
    case "trading.ready":
      state.ready = true;
      return;
    default:
      unreachable(fact);
  }
}
