import { systemClock } from "../adapters/system/clock.ts";
import type { Service } from "../compose.ts";
import type { ServiceBot } from "./service-bot.ts";

type ModuleHealth = {
  readonly name: string;
  readonly state: "ok" | "degraded" | "down";
  readonly detail: string;
};

/** How long a working chat connection may be silent: a long poll answers within half a minute. */
const chatSilentMs = 60_000;

/** Each module's state; a gate that is closed or a module that is down means that the service is not ready. */
export async function healthOf(service: Service, bot: ServiceBot | null) {
  const { engine } = service;
  const view = engine.view();
  const chat = bot?.transport.health() ?? { up: false, lastContactMs: null };
  const silentMs = chat.lastContactMs === null ? null : systemClock.nowMs() - chat.lastContactMs;
  const modules: ModuleHealth[] = [
    {
      name: "trading",
      state: view.trading.state === "active" ? "ok" : "degraded",
      detail:
        view.trading.state === "active" ? "" : `${view.trading.state}: ${view.trading.reason}`,
    },
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
    {
      name: "chat",
      state: chat.up && (silentMs === null || silentMs < chatSilentMs) ? "ok" : "degraded",
      detail: silentMs === null ? "no contact yet" : `${silentMs} ms ago`,
    },
  ];
  const degraded = modules.filter((one) => one.state !== "ok").map((one) => one.name);
  return { ready: degraded.length === 0, degraded, modules };
}
