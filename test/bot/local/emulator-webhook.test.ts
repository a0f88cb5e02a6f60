import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { webhookCallback } from "grammy";
import { describe, expect, test } from "vitest";
import { botFor, call, openEmulator, trader, until, untilTrue } from "./emulator-harness.ts";

const secret = "s3cret_token";

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(listener: Listener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((request, response) => void listener(request, response));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/telegram`,
    [Symbol.asyncDispose]: close,
  };
}

interface Pushed {
  readonly update_id: number;
  readonly message?: { readonly text: string };
}

/** A webhook of the test's own: `status` decides the answer to each push. */
async function recordPushes(status: (push: Pushed, nth: number) => number | Promise<number>) {
  const pushes: { push: Pushed; atMs: number; secret: unknown }[] = [];
  const server = await serve(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const push = JSON.parse(body) as Pushed;
    pushes.push({
      push,
      atMs: performance.now(),
      secret: request.headers["x-telegram-bot-api-secret-token"],
    });
    response.writeHead(await status(push, pushes.length)).end();
  });
  return { ...server, pushes };
}

describe("webhooks", () => {
  test("a grammY bot behind node:http gets updates with the secret and answers", async () => {
    await using emulator = await openEmulator();
    const bot = botFor(emulator);
    bot.command("status", (ctx) => ctx.reply("all well"));
    await bot.init();
    const handle = webhookCallback(bot, "http", { secretToken: secret });
    await using server = await serve((request, response) => void handle(request, response));
    await bot.api.setWebhook(server.url, { secret_token: secret });
    emulator.send(trader, "/status");
    await until(emulator, () => emulator.history(trader).some((one) => one.text === "all well"));
    await untilTrue(() => emulator.pendingUpdates === 0);
    expect(await bot.api.getWebhookInfo()).toMatchObject({
      url: server.url,
      pending_update_count: 0,
    });
  });

  test("behavior: a wrong secret is refused, shown in last_error and tried again", async () => {
    await using emulator = await openEmulator({ webhookRetryScale: 0.01 });
    const bot = botFor(emulator);
    await bot.init();
    const handle = webhookCallback(bot, "http", { secretToken: secret });
    await using server = await serve((request, response) => void handle(request, response));
    await bot.api.setWebhook(server.url, { secret_token: "other" });
    emulator.send(trader, "x");
    await untilTrue(async () => (await bot.api.getWebhookInfo()).last_error_message !== undefined);
    expect((await bot.api.getWebhookInfo()).last_error_message).toBe(
      "Wrong response from the webhook: 401 Unauthorized",
    );
    expect(emulator.pendingUpdates).toBe(1);
  });

  test("behavior: a failed push is repeated after 0, 2, 4, 8 … s", async () => {
    await using emulator = await openEmulator({ webhookRetryScale: 0.02 });
    await using hook = await recordPushes((_push, nth) => (nth < 5 ? 500 : 200));
    await call(emulator, "setWebhook", { url: hook.url, secret_token: secret });
    emulator.send(trader, "x");
    await untilTrue(() => emulator.pendingUpdates === 0);
    const waits = hook.pushes.slice(1).map((one, i) => one.atMs - (hook.pushes[i]?.atMs ?? 0));
    expect(hook.pushes).toHaveLength(5);
    expect(new Set(hook.pushes.map((one) => one.push.update_id)).size).toBe(1);
    expect(hook.pushes[0]?.secret).toBe(secret);
    expect(waits[0]).toBeLessThan(waits[3] ?? 0);
    for (const [i, leastMs] of [
      [1, 38],
      [2, 78],
      [3, 158],
    ] as const) {
      expect(waits[i]).toBeGreaterThan(leastMs);
    }
  });

  test("behavior: Retry-After is obeyed", async () => {
    await using emulator = await openEmulator({ webhookRetryScale: 0.1 });
    const atMs: number[] = [];
    await using server = await serve((_request, response) => {
      atMs.push(performance.now());
      if (atMs.length === 1) response.setHeader("retry-after", "2");
      response.writeHead(atMs.length === 1 ? 503 : 200).end();
    });
    await call(emulator, "setWebhook", { url: server.url });
    emulator.send(trader, "x");
    await untilTrue(() => emulator.pendingUpdates === 0);
    expect((atMs[1] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(195);
  });

  test("behavior: one chat's messages come in order, presses and other chats pass by", async () => {
    await using emulator = await openEmulator();
    const other = emulator.addUser(1002, "Bob").id;
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", {
      reply_markup: { inline_keyboard: [[{ text: "Kill", callback_data: "k" }]] },
    });
    const release = Promise.withResolvers<void>();
    await using hook = await recordPushes(async (push) => {
      if (push.message?.text === "slow") await release.promise;
      return 200;
    });
    await call(emulator, "setWebhook", { url: hook.url });
    emulator.send(trader, "slow");
    emulator.send(trader, "after slow");
    emulator.send(other, "other chat");
    emulator.press(trader, card.message_id, "Kill");
    await untilTrue(() => hook.pushes.length === 3);
    const texts = () => hook.pushes.map((one) => one.push.message?.text ?? "press");
    expect(texts()).toEqual(["slow", "other chat", "press"]);
    release.resolve();
    await untilTrue(() => emulator.pendingUpdates === 0);
    expect(texts()[3]).toBe("after slow");
  });

  test("behavior: a call in the answer is executed", async () => {
    await using emulator = await openEmulator();
    const reply = { method: "sendMessage", chat_id: trader, text: "by reply" };
    await using server = await serve(
      (_request, response) => void response.end(JSON.stringify(reply)),
    );
    await call(emulator, "setWebhook", { url: server.url });
    emulator.send(trader, "x");
    await until(emulator, () => emulator.history(trader).some((one) => one.text === "by reply"));
  });

  test("behavior: a lost answer means the same update once more", async () => {
    await using emulator = await openEmulator();
    await using hook = await recordPushes(() => 200);
    await call(emulator, "setWebhook", { url: hook.url });
    emulator.fault({ name: "redeliver" });
    emulator.send(trader, "x");
    await untilTrue(() => emulator.pendingUpdates === 0);
    expect(hook.pushes.map((one) => one.push.update_id)).toEqual([100, 100]);
  });

  test("error: getUpdates while a webhook is set; setWebhook ends a waiting poll", async () => {
    await using emulator = await openEmulator();
    await using hook = await recordPushes(() => 200);
    const waiting = call(emulator, "getUpdates", { timeout: 20, offset: 0 });
    await untilTrue(() => emulator.isPolled);
    await call(emulator, "setWebhook", { url: hook.url });
    const answers = [
      "Conflict: terminated by setWebhook request",
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    ];
    expect((await waiting).body["description"]).toBe(answers[0]);
    const { status, body } = await call(emulator, "getUpdates");
    expect([status, body["description"]]).toEqual([409, answers[1]]);
    await call(emulator, "deleteWebhook", { drop_pending_updates: true });
    expect((await call(emulator, "getUpdates")).status).toBe(200);
  });

  test("error: addresses elsewhere and bad secrets are refused", async () => {
    await using emulator = await openEmulator();
    const refused = async (fields: Record<string, unknown>) =>
      (await call(emulator, "setWebhook", fields)).status;
    expect(await refused({ url: "http://192.0.2.1/hook" })).toBe(400);
    expect(await refused({ url: "nonsense" })).toBe(400);
    expect(await refused({ url: "http://127.0.0.1:1/", secret_token: "a b" })).toBe(400);
  });
});
