// Stands in for the program's two commands that the desk starts, so that the desk's own handling of processes,
// crashes and files can be tested with real processes and sockets.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Bot, InlineKeyboard, webhookCallback } from "grammy";

const [command, ...args] = process.argv.slice(2);
const valueOf = (name: string): string => args[args.indexOf(name) + 1] ?? "";

if (command === "paper-venue") {
  if (args.includes("--data")) {
    process.stderr.write(`no recorded data in ${valueOf("--data")}\n`);
    process.exitCode = 2;
  } else standInVenue();
} else await standInService(valueOf("--config"));

/** Remembers what it is told and answers it to every GET. */
function standInVenue(): void {
  const told: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (request.method === "POST") told.push([request.url, JSON.parse(body)]);
    response.end(JSON.stringify({ owner: request.headers["x-paper-owner"], told }, null, 2));
  };
  const server = createServer((request, response) => void answer(request, response));
  process.stdin.on("end", () => process.exit(0)).resume();
  process.on("SIGTERM", () => process.exit(0));
  server.listen(0, "127.0.0.1", () => {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const urls = { baseUrl, gammaUrl: baseUrl, dataUrl: baseUrl, wsUrl: baseUrl };
    process.stdout.write(
      `${JSON.stringify({ ready: true, ...urls, summary: "stand-in venue" })}\n`,
    );
  });
}

async function standInService(configFile: string): Promise<void> {
  const config = readFileSync(configFile, "utf8");
  const secrets = readFileSync(configFile.replace("desk.toml", "secrets.local.toml"), "utf8");
  const read = (text: string, key: string): string =>
    new RegExp(`^${key} = "(.*)"$`, "m").exec(text)?.[1] ?? "";
  let armed: string | null = null;
  process.on("message", (message: { arm: string }) => {
    armed = message.arm;
    process.send?.({ armed });
  });
  process.on("disconnect", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
  const bot = new Bot(read(secrets, "bot_token"), {
    client: { apiRoot: read(config, "api_root") },
  });
  bot.command("card", (ctx) =>
    ctx.reply("CARD", {
      reply_markup: new InlineKeyboard().text("Confirm", "c").text("Cancel", "x"),
    }),
  );
  bot.command("die", () => {
    process.stderr.write(`${JSON.stringify({ level: "error", event: "ledger.failed" })}\n`);
    process.exit(1);
  });
  bot.command("pid", (ctx) => ctx.reply(`pid ${process.pid}`));
  bot.on("message:text", (ctx) => {
    if (armed !== null) process.kill(process.pid, "SIGKILL");
    return ctx.reply(`echo ${ctx.msg.text}`);
  });
  bot.callbackQuery(/.*/, (ctx) => ctx.answerCallbackQuery(`pressed ${ctx.callbackQuery.data}`));
  await bot.init();
  if (read(config, "transport") === "webhook") {
    const secret = read(secrets, "webhook_secret");
    const handle = webhookCallback(bot, "http", { secretToken: secret });
    const server = createServer((request, response) => void handle(request, response));
    const port = Number(read(config, "webhook_listen").split(":")[1]);
    server.listen(port, "127.0.0.1");
    await bot.api.setWebhook(read(config, "webhook_url"), { secret_token: secret });
  } else void bot.start();
  const carriedOver = { killedSinceMs: 1_790_000_000_000, openOrders: 1, positions: 2 };
  const ready = {
    ready: true,
    pid: process.pid,
    signer: "0xowner",
    funder: "0xowner",
    carriedOver,
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
}
