import { run } from "@grammyjs/runner";
import { GrammyError, HttpError, InlineKeyboard, InputFile } from "grammy";
import { describe, expect, test } from "vitest";
import {
  botFor,
  call,
  HandClock,
  openEmulator,
  pngOf,
  token,
  trader,
  until,
  untilTrue,
} from "./emulator-harness.ts";

describe("the emulator with a polling grammY bot", () => {
  test("start, press, answer, edit and photo travel over real HTTP", async () => {
    await using emulator = await openEmulator();
    const bot = botFor(emulator);
    bot.command("start", (ctx) =>
      ctx.reply("Desk PAPER", {
        entities: [{ type: "bold", offset: 0, length: 4 }],
        reply_markup: new InlineKeyboard().text("Buy", "v1:buy:1").text("Stop", "v1:stop:1"),
      }),
    );
    bot.callbackQuery("v1:buy:1", async (ctx) => {
      await ctx.answerCallbackQuery({ text: "on it", show_alert: true });
      await ctx.editMessageText("Bought");
      await ctx.replyWithPhoto(new InputFile(pngOf(1280, 800), "chart.png"), { caption: "chart" });
    });
    const running = bot.start();
    emulator.send(trader, "/start");
    await until(emulator, () => emulator.history(trader).length === 2);
    const card = emulator.history(trader)[1];
    expect(card).toMatchObject({
      text: "Desk PAPER",
      entities: [{ type: "bold", offset: 0, length: 4 }],
    });
    emulator.press(trader, card?.message_id ?? 0, "Buy");
    await until(emulator, () => emulator.history(trader).length === 3);
    const edited = emulator.history(trader)[1];
    expect(edited?.text).toBe("Bought");
    expect(edited?.reply_markup).toBeUndefined();
    expect(emulator.events.find((one) => one.kind === "callback_answer")).toMatchObject({
      text: "on it",
      alert: true,
    });
    const photo = emulator.history(trader)[2];
    expect(photo).toMatchObject({ caption: "chart", photo: [{ width: 1280, height: 800 }] });
    const file = await bot.api.getFile(photo?.photo?.[0]?.file_id ?? "");
    const download = await fetch(`${emulator.apiRoot}/file/bot${token}/${file.file_path}`);
    expect(new Uint8Array(await download.arrayBuffer())).toEqual(pngOf(1280, 800));
    await bot.stop();
    await running;
    expect(emulator.pendingUpdates).toBe(0);
  });

  test("behavior: stopping the client drops the waiting poll at once", async () => {
    await using emulator = await openEmulator();
    const first = botFor(emulator);
    const running = first.start({ timeout: 30 });
    emulator.send(trader, "hello");
    await untilTrue(() => emulator.pendingUpdates === 0);
    const stopAtMs = performance.now();
    await first.stop();
    await running;
    expect(performance.now() - stopAtMs).toBeLessThan(2_000);
    // Nobody waits any more: another poller gets its updates and no conflict.
    const second = botFor(emulator);
    const got: string[] = [];
    second.on("message:text", (ctx) => void got.push(ctx.msg.text));
    const again = second.start({ timeout: 30 });
    emulator.send(trader, "again");
    await untilTrue(() => got.length === 1);
    await second.stop();
    await again;
  });

  test("behavior: a poll ends when its client goes away, without waiting for its timeout", async () => {
    await using emulator = await openEmulator();
    const abort = new AbortController();
    const url = `${emulator.apiRoot}/bot${token}/getUpdates?timeout=30`;
    const gone = fetch(url, { signal: abort.signal }).catch(() => "gone");
    await untilTrue(() => emulator.isPolled);
    abort.abort();
    expect(await gone).toBe("gone");
    await untilTrue(() => !emulator.isPolled);
    expect(emulator.calls.at(-1)).toMatchObject({ method: "getupdates", code: 200 });
  });

  test("behavior: a second poller ends the first with 409, which stops grammY", async () => {
    await using emulator = await openEmulator();
    const first = botFor(emulator);
    const failed = first.start({ timeout: 30 }).catch((error: unknown) => error);
    await untilTrue(() => emulator.isPolled);
    expect((await call(emulator, "getUpdates")).status).toBe(200);
    const error = await failed;
    expect(error).toBeInstanceOf(GrammyError);
    expect((error as GrammyError).description).toBe(
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    );
  });

  test("behavior: the runner gets a kill while a slow handler is busy", async () => {
    await using emulator = await openEmulator();
    const bot = botFor(emulator);
    const done: string[] = [];
    const release = Promise.withResolvers<void>();
    bot.command("buy", async () => {
      await release.promise;
      done.push("buy");
    });
    bot.command("kill", () => void done.push("kill"));
    await bot.init();
    const handle = run(bot);
    emulator.send(trader, "/buy");
    emulator.send(trader, "/kill");
    await untilTrue(() => done.length === 1);
    release.resolve();
    await untilTrue(() => done.length === 2);
    await handle.stop();
    expect(done).toEqual(["kill", "buy"]);
  });

  test("behavior: refusals, rate limits and dropped connections arrive as grammY's own errors", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    emulator.fault({ name: "too-many-requests", method: "sendMessage", retryAfterS: 7 });
    const limited = await api.sendMessage(trader, "x").catch((error: unknown) => error);
    expect(limited).toMatchObject({ error_code: 429, parameters: { retry_after: 7 } });
    emulator.fault({ name: "drop-before" });
    expect(await api.sendMessage(trader, "lost").catch((error: unknown) => error)).toBeInstanceOf(
      HttpError,
    );
    emulator.fault({ name: "drop-after" });
    expect(await api.sendMessage(trader, "sent").catch((error: unknown) => error)).toBeInstanceOf(
      HttpError,
    );
    expect(emulator.history(trader).map((one) => one.text)).toEqual(["sent"]);
    emulator.setBlocked(trader, true);
    const blocked = await api.sendMessage(trader, "x").catch((error: unknown) => error);
    expect(blocked).toMatchObject({ description: "Forbidden: bot was blocked by the user" });
    emulator.setBlocked(trader, false);
    await expect(api.sendMessage(trader, "ok")).resolves.toMatchObject({ text: "ok" });
  });
});

describe("the queue of updates", () => {
  const poll = async (emulator: Awaited<ReturnType<typeof openEmulator>>, fields: object) =>
    (await call(emulator, "getUpdates", { ...fields })).body["result"] as { update_id: number }[];

  test("offset confirms, limit cuts, a negative offset keeps the newest", async () => {
    await using emulator = await openEmulator();
    for (const text of ["a", "b", "c", "d"]) emulator.send(trader, text);
    expect((await poll(emulator, {})).map((one) => one.update_id)).toEqual([100, 101, 102, 103]);
    expect((await poll(emulator, { offset: 101, limit: 2 })).map((one) => one.update_id)).toEqual([
      101, 102,
    ]);
    expect((await poll(emulator, { offset: -1 })).map((one) => one.update_id)).toEqual([103]);
    expect((await poll(emulator, {})).map((one) => one.update_id)).toEqual([103]);
    expect(await poll(emulator, { offset: 104 })).toEqual([]);
  });

  test("allowed_updates stays until changed, and an empty list is the default set", async () => {
    await using emulator = await openEmulator();
    await poll(emulator, { allowed_updates: ["callback_query"] });
    emulator.send(trader, "not asked for");
    expect(await poll(emulator, {})).toEqual([]);
    await poll(emulator, { allowed_updates: [] });
    emulator.send(trader, "asked for");
    expect(await poll(emulator, {})).toHaveLength(1);
  });

  test("behavior: a poll waits for its timeout and answers at once when something comes", async () => {
    await using emulator = await openEmulator();
    const startMs = performance.now();
    const waiting = poll(emulator, { timeout: 20 });
    await untilTrue(() => emulator.isPolled);
    emulator.send(trader, "now");
    expect(await waiting).toHaveLength(1);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  test("behavior: a message lives 24 h, a press 150 s", async () => {
    const clock = new HandClock();
    await using emulator = await openEmulator({ nowMs: clock.read });
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", {
      reply_markup: { inline_keyboard: [[{ text: "Go", callback_data: "go" }]] },
    });
    emulator.send(trader, "old");
    emulator.press(trader, card.message_id, "Go");
    clock.nowMs += 150_001;
    expect(await poll(emulator, {})).toHaveLength(1);
    clock.nowMs += 86_400_000;
    expect(await poll(emulator, {})).toEqual([]);
  });

  test("behavior: ids keep growing while bots come and go", async () => {
    await using emulator = await openEmulator();
    const first = botFor(emulator);
    const running = first.start();
    const before = emulator.send(trader, "one").message_id;
    await untilTrue(() => emulator.pendingUpdates === 0);
    await first.stop();
    await running;
    expect(emulator.send(trader, "two").message_id).toBeGreaterThan(before);
    expect((await poll(emulator, {}))[0]?.update_id).toBe(101);
  });
});

describe("callback queries", () => {
  const keyboard = { inline_keyboard: [[{ text: "Confirm", callback_data: "c:1" }]] };

  test("a press is answerable for 15 s", async () => {
    const clock = new HandClock();
    await using emulator = await openEmulator({ nowMs: clock.read });
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", { reply_markup: keyboard });
    const fresh = emulator.press(trader, card.message_id, /confirm/i);
    clock.nowMs += 15_000;
    await expect(api.answerCallbackQuery(fresh)).resolves.toBe(true);
    clock.nowMs += 1;
    await expect(api.answerCallbackQuery(fresh)).rejects.toMatchObject({
      description:
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
    });
  });

  test("behavior: the same press again is another update with the same data", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", { reply_markup: keyboard });
    const first = emulator.press(trader, card.message_id, "Confirm");
    const second = emulator.pressAgain(first);
    const updates = (await call(emulator, "getUpdates")).body["result"] as {
      update_id: number;
      callback_query: { id: string; data: string };
    }[];
    expect(updates.map((one) => one.callback_query.id)).toEqual([first, second]);
    expect(updates.map((one) => one.callback_query.data)).toEqual(["c:1", "c:1"]);
    expect(updates[0]?.update_id).not.toBe(updates[1]?.update_id);
  });

  test("behavior: a removed button can be pressed by its data only", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", { reply_markup: keyboard });
    await api.editMessageReplyMarkup(trader, card.message_id);
    expect(() => emulator.press(trader, card.message_id, "Confirm")).toThrow("no such button");
    expect(emulator.chats.staleButton(trader, /confirm/i)).toMatchObject({ data: "c:1" });
    emulator.press(trader, card.message_id, { data: "c:1" });
    expect(emulator.pendingUpdates).toBe(1);
  });

  test("error: an answer over 200 characters", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const card = await api.sendMessage(trader, "card", { reply_markup: keyboard });
    const id = emulator.press(trader, card.message_id, "Confirm");
    await expect(api.answerCallbackQuery(id, { text: "x".repeat(201) })).rejects.toMatchObject({
      description: "Bad Request: MESSAGE_TOO_LONG",
    });
  });
});
