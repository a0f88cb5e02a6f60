import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { type FastifyInstance, fastify } from "fastify";
import type { Update } from "grammy/types";
import type { TelegramDesk } from "../bot.ts";
import { BotConfigError } from "../bot-deps.ts";
import { describeError } from "../redact.ts";
import { withinMs } from "../within.ts";
import {
  allowedUpdates,
  pause,
  type Transport,
  type TransportTrouble,
  troubleOf,
} from "./trouble.ts";
import { handleUpdate } from "./updates-in-hand.ts";

const minSecretLength = 32;
const bodyLimitBytes = 1_048_576;
const pathBytes = 16;
const firstBackoffMs = 500;
const maxBackoffMs = 30_000;
/** Telegram waits longer; the intake itself gives up sooner and tells the trader, so nothing is redelivered for ever. */
const handleTimeoutMs = 8_000;

export type WebhookOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** At least 32 characters of A-Z, a-z, 0-9, _ and -. Telegram sends it with every update. */
  readonly secret: string;
  /** Address that Telegram sends to, without the path; by default the listening address. */
  readonly publicUrl?: string;
  onTrouble(trouble: TransportTrouble): void;
};

/** A running webhook server. */
export type Webhook = Transport & {
  readonly port: number;
  /** Random, new at each start: the address alone is not known to anybody but Telegram. */
  readonly path: string;
};

function sameSecret(given: unknown, wanted: string): boolean {
  if (typeof given !== "string") return false;
  const digest = (text: string) => createHash("sha256").update(Buffer.from(text)).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** The server alone: checks the secret before it reads the body, scans for a kill, hands the update over, answers. */
function buildServer(
  desk: TelegramDesk,
  options: WebhookOptions,
  path: string,
  hooks: { onContact(): void; isEnding(): boolean },
) {
  const server: FastifyInstance = fastify({ logger: false, bodyLimit: bodyLimitBytes });
  server.addHook("onRequest", async (request, reply) => {
    if (request.url !== path) return reply.code(404).send();
    const given = request.headers["x-telegram-bot-api-secret-token"];
    if (!sameSecret(given, options.secret)) return reply.code(401).send();
  });
  server.addHook("onSend", async (_request, reply) => {
    // Telegram keeps connections open; one left open would hold up the stop for more than a minute.
    if (hooks.isEnding()) reply.header("connection", "close");
  });
  server.post(path, async (request, reply) => {
    hooks.onContact();
    const update = request.body;
    if (typeof update !== "object" || update === null || !("update_id" in update)) {
      return reply.code(400).send();
    }
    desk.closeGateOnKill([update]);
    await withinMs(handleUpdate(desk, update as Update), handleTimeoutMs);
    return reply.code(200).send();
  });
  return server;
}

/**
 * Listens for updates and registers the address with Telegram. Throws BotConfigError without a good secret: anybody could
 * forge updates. The registration is retried until it works, with the troubles reported.
 */
export async function startWebhook(desk: TelegramDesk, options: WebhookOptions): Promise<Webhook> {
  if (options.secret.length < minSecretLength || !/^[\w-]+$/u.test(options.secret)) {
    throw new BotConfigError(
      `A webhook needs a secret of at least ${minSecretLength} characters of A-Z, a-z, 0-9, _ and -.`,
    );
  }
  const path = `/telegram/${desk.deps.randomHex(pathBytes)}`;
  let lastContactMs: number | null = null;
  let isRegistered = false;
  const ending = new AbortController();
  await initUntilDone(desk, options, ending.signal);
  const server = buildServer(desk, options, path, {
    onContact: () => {
      lastContactMs = desk.deps.now();
    },
    isEnding: () => ending.signal.aborted,
  });
  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const base = options.publicUrl ?? `http://${options.host}:${port}`;
  const registering = retry(options, ending.signal, async () => {
    await desk.bot.api.setWebhook(`${base.replace(/\/$/u, "")}${path}`, {
      secret_token: options.secret,
      allowed_updates: allowedUpdates,
    });
    isRegistered = true;
  });
  return {
    port,
    path,
    health: () => ({ up: isRegistered, lastContactMs }),
    async stop() {
      ending.abort();
      await registering;
      await server.close();
    },
  };
}

async function initUntilDone(
  desk: TelegramDesk,
  options: WebhookOptions,
  signal: AbortSignal,
): Promise<void> {
  await retry(options, signal, () => desk.init(signal));
}

/** Repeats `work` with growing waits until it succeeds or `signal` aborts. */
async function retry(
  options: WebhookOptions,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await work();
      return;
    } catch (error) {
      const retryInMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(10, failures));
      options.onTrouble(troubleOf(error, describeError(error), retryInMs));
      await pause(retryInMs, signal);
    }
  }
}
