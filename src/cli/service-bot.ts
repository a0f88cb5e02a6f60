import { systemEntropy } from "../adapters/system/entropy.ts";
import { createBot, type TelegramDesk } from "../bot/bot.ts";
import { type BotDeps, type BotLog } from "../bot/bot-deps.ts";
import { startPolling } from "../bot/transport/polling.ts";
import type { Transport, TransportTrouble } from "../bot/transport/trouble.ts";
import type { Service } from "../compose.ts";
import { ServiceError } from "../service-error.ts";
import { watchChat } from "./chat-watch.ts";
import { codeJudge } from "./code-judge.ts";

const ledgerLookMs = 250;
const ledgerFailedText =
  "LEDGER FAILED: the desk cannot write its records, so the gate is closed and nothing new is sent. Resting orders and positions are as they were.\n/kill still cancels everything. Check the disk of the machine, then restart the service.";

const usdPerMicro = 1_000_000;

export type ServiceBot = { readonly desk: TelegramDesk; readonly transport: Transport };

/** Starts the bot on the engine, with the transport that the configuration names. */
export async function startServiceBot(service: Service): Promise<ServiceBot> {
  const { config, engine, logger } = service;
  const { telegram } = config;
  if (telegram.botToken === null) {
    throw new ServiceError(
      "no_token",
      "no bot token: put [telegram] bot_token into secrets.local.toml",
    );
  }
  const log: BotLog = logger;
  const deps: BotDeps = {
    api: engine,
    log,
    whitelist: telegram.whitelist,
    minOrderUsd: telegram.minOrderUsd / usdPerMicro,
    confirmTtlSeconds: telegram.confirmTtlSeconds,
    messageMaxAgeMs: config.service.messageMaxAgeMs,
    token: telegram.botToken.reveal(),
    apiRoot: telegram.apiRoot,
    // The engine's clock: a step of the machine's must make no old command young.
    now: () => engine.deps.clock.nowMs(),
    randomHex: (bytes) => systemEntropy.hex(bytes),
    mode: engine.view().mode,
    ...(telegram.totpSecret !== null && {
      judgeCode: codeJudge(telegram.totpSecret, {
        nowMs: () => engine.deps.clock.nowMs(),
        venueAheadMs: () => engine.state.live.clockOffsetMs,
      }),
    }),
  };
  const desk = createBot(deps);
  desk.start();
  let transport: Transport | null = null;
  const watch = watchChat({
    engine,
    log,
    clearMs: telegram.troubleClearMs,
    health: () => transport?.health() ?? { up: false, lastContactMs: null },
  });
  const { onTrouble } = watch;
  const endLedgerWatch = watchLedger(service, desk);
  const detail = "a message was refused with 401";
  desk.onUnauthorized(() => onTrouble({ kind: "unauthorized", detail }));
  const opened = await openTransport(service, desk, onTrouble);
  transport = opened;
  const stop = async (): Promise<void> => {
    watch.end();
    endLedgerWatch();
    await opened.stop();
  };
  return { desk, transport: { health: () => opened.health(), stop } };
}

/** A ledger that failed cannot keep the notice of it, so every trader is told past it, once. */
function watchLedger({ engine }: Service, desk: TelegramDesk): () => void {
  const timer = setInterval(() => {
    if (!engine.ledger.failed) return;
    clearInterval(timer);
    desk.announce(ledgerFailedText);
  }, ledgerLookMs);
  return () => clearInterval(timer);
}

/** Polls, or listens for a webhook, as the configuration says. */
async function openTransport(
  { config }: Service,
  desk: TelegramDesk,
  onTrouble: (trouble: TransportTrouble) => void,
): Promise<Transport> {
  const { telegram } = config;
  if (telegram.transport === "polling") return startPolling(desk, { onTrouble });
  const secret = telegram.webhookSecret?.reveal();
  if (secret === undefined) {
    throw new ServiceError(
      "no_webhook_secret",
      "a webhook without a secret takes forged updates: put [telegram] webhook_secret into secrets.local.toml",
    );
  }
  const [host = "127.0.0.1", port = "0"] = telegram.webhookListen.split(/:(?=\d+$)/);
  // Loaded only here: a service that polls does not carry an HTTP server in its memory.
  const { startWebhook } = await import("../bot/transport/webhook.ts");
  return startWebhook(desk, {
    host,
    port: Number(port),
    secret,
    // The server adds /telegram/<random>; the address is configured with or without that first part.
    ...(telegram.webhookUrl !== null && {
      publicUrl: telegram.webhookUrl.replace(/\/telegram$/u, ""),
    }),
    onTrouble,
  });
}
