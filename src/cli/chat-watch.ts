import type { TransportHealth, TransportTrouble } from "../bot/transport/trouble.ts";
import type { Engine } from "../engine/runtime/engine.ts";

const lookEveryMs = 500;

type ChatWatchParts = {
  readonly engine: Engine;
  readonly log: { error(event: string, fields: Record<string, string>): void };
  /** The chat counts as ours again after this long without another sign of the contrary. */
  readonly clearMs: number;
  readonly health: () => TransportHealth;
};

export type ChatWatch = {
  readonly onTrouble: (trouble: TransportTrouble) => void;
  readonly end: () => void;
};

/**
 * A second poller (409) or a token that is not accepted (401) means that commands may come from somebody else, or reach
 * nobody: no new risk while it lasts. Telegram being out of reach is no such sign.
 */
export function watchChat({ engine, log, clearMs, health }: ChatWatchParts): ChatWatch {
  let lastMs = performance.now();
  // Of an earlier run, too: it ends when this one has seen the chat work for a while.
  let isOurs = !engine.state.control.degraded.has("telegram");
  const look = (): void => {
    if (isOurs || !health().up || performance.now() - lastMs < clearMs) return;
    isOurs = true;
    void engine.degrade("telegram", null).catch(() => undefined);
  };
  const timer = setInterval(look, lookEveryMs);
  return {
    onTrouble(trouble) {
      log.error("chat.trouble", { kind: trouble.kind, detail: trouble.detail });
      if (trouble.kind === "unreachable") return;
      lastMs = performance.now();
      if (!isOurs) return;
      isOurs = false;
      const detail =
        trouble.kind === "conflict"
          ? "somebody else reads this bot's updates (409): a second service, or a stolen token"
          : "Telegram does not accept the bot's token (401)";
      void engine.degrade("telegram", detail).catch(() => undefined);
    },
    end: () => clearInterval(timer),
  };
}
