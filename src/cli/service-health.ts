import type { OpenedScheme } from "../adapters/polymarket/open-scheme.ts";
import { systemClock } from "../adapters/system/clock.ts";
import type { TransportHealth } from "../bot/transport/trouble.ts";
import type { Service } from "../compose.ts";
import type { TradingView } from "../engine/api/views.ts";
import type { ServiceBot } from "./service-bot.ts";

type ModuleHealth = {
  readonly name: string;
  readonly state: "ok" | "degraded" | "down";
  readonly detail: string;
};

/** How long a working chat connection may be silent: a long poll answers within half a minute. */
const chatSilentMs = 60_000;

/** Trading is ok when orders may leave; else the reason and what a person noted about it. */
export function tradingHealth({ state, reason, causes, note }: TradingView): ModuleHealth {
  if (state === "active") return { name: "trading", state: "ok", detail: "" };
  const named = state === "reducing" ? causes.join(", ") : reason === state ? null : reason;
  const why = [named, note].filter((part) => part !== null && part !== "");
  return { name: "trading", state: "degraded", detail: [state, ...why].join(": ") };
}

/** A poll that hangs is degraded; a webhook hears nothing while nobody writes, which is no fault. */
export function chatHealth(
  chat: TransportHealth,
  transport: "polling" | "webhook",
  nowMs: number,
): ModuleHealth {
  const silentMs = chat.lastContactMs === null ? null : nowMs - chat.lastContactMs;
  const isHeard = transport === "webhook" || silentMs === null || silentMs < chatSilentMs;
  return {
    name: "chat",
    state: chat.up && isHeard ? "ok" : "degraded",
    detail: silentMs === null ? "no contact yet" : `${silentMs} ms ago`,
  };
}

/** Orders are signed rightly either way; by ethers it takes longer, and somebody should know why. */
export function signingHealth({ scheme, fallback }: OpenedScheme): ModuleHealth {
  const state = fallback === null ? "ok" : "degraded";
  return { name: "signing", state, detail: fallback ?? scheme.name };
}

/** Each module's state; a gate that is closed or a module that is down means that the service is not ready. */
export async function healthOf(service: Service, bot: ServiceBot | null) {
  const { engine } = service;
  const view = engine.view();
  const chat = bot?.transport.health() ?? { up: false, lastContactMs: null };
  const modules: ModuleHealth[] = [
    tradingHealth(view.trading),
    {
      name: "ledger",
      state: engine.ledger.failed ? "down" : "ok",
      detail: `${engine.ledger.durableSeq} rows`,
    },
    {
      name: "venue",
      state: engine.isConnected ? "ok" : "down",
      detail: service.config.relayer.baseUrl,
    },
    ...view.feeds.map(
      (feed): ModuleHealth => ({
        name: `${feed.name} feed`,
        state: feed.up || (feed.name === "catalog" && feed.ageMs === null) ? "ok" : "down",
        detail: feed.ageMs === null ? "nothing yet" : `${feed.ageMs} ms ago`,
      }),
    ),
    {
      name: "books",
      state: view.booksStale === 0 ? "ok" : "degraded",
      detail: `${view.booksLive} live, ${view.booksStale} not`,
    },
    signingHealth(service.signing),
    chatHealth(chat, service.config.telegram.transport, systemClock.nowMs()),
  ];
  const degraded = modules.filter((one) => one.state !== "ok").map((one) => one.name);
  return { ready: degraded.length === 0, degraded, modules };
}
