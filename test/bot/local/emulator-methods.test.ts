import { InputFile } from "grammy";
import { describe, expect, test } from "vitest";
import { botFor, call, openEmulator, pngOf, token, trader } from "./emulator-harness.ts";

const notModified =
  "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";
const button = (callback_data: string) => ({ inline_keyboard: [[{ text: "B", callback_data }]] });
const many = (count: number) => ({
  inline_keyboard: Array.from({ length: count }, (_, i) => [
    { text: `${i}`, callback_data: `${i}` },
  ]),
});

describe("wordings of refused messages", () => {
  const cases: readonly { name: string; fields: Record<string, unknown>; description: string }[] = [
    { name: "unknown chat", fields: { chat_id: 5 }, description: "Bad Request: chat not found" },
    { name: "no chat", fields: { chat_id: "" }, description: "Bad Request: chat_id is empty" },
    { name: "empty", fields: { text: "  \n" }, description: "Bad Request: message text is empty" },
    {
      name: "4,097 characters",
      fields: { text: "x".repeat(4097) },
      description: "Bad Request: message is too long",
    },
    {
      name: "entity past the end, in UTF-16 units",
      fields: { text: "😀a", entities: [{ type: "bold", offset: 0, length: 4 }] },
      description:
        "Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 4",
    },
    {
      name: "entity that cuts a character",
      fields: { text: "😀a", entities: [{ type: "bold", offset: 0, length: 1 }] },
      description:
        "Bad Request: entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 4",
    },
    {
      name: "unknown entity",
      fields: { text: "a", entities: [{ type: "shiny", offset: 0, length: 1 }] },
      description: "Bad Request: can't parse MessageEntity: Unsupported type specified",
    },
    {
      name: "date_time without its time",
      fields: { text: "a", entities: [{ type: "date_time", offset: 0, length: 1 }] },
      description: "Bad Request: can't parse MessageEntity: Can't find field \"unix_time\"",
    },
    {
      name: "unclosed tag",
      fields: { text: "<b>a", parse_mode: "HTML" },
      description:
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    },
    {
      name: "unknown tag",
      fields: { text: "a <x>b</x>", parse_mode: "HTML" },
      description: 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 2',
    },
    {
      name: "unescaped full stop",
      fields: { text: "a.", parse_mode: "MarkdownV2" },
      description:
        "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    },
    {
      name: "65 bytes of data",
      fields: { reply_markup: button("€".repeat(22)) },
      description: "Bad Request: BUTTON_DATA_INVALID",
    },
    {
      name: "no data",
      fields: { reply_markup: button("") },
      description: "Bad Request: BUTTON_DATA_INVALID",
    },
    {
      name: "101 buttons",
      fields: { reply_markup: many(101) },
      description: "Bad Request: reply markup is too long",
    },
    {
      name: "a text button",
      fields: { reply_markup: { inline_keyboard: [[{ text: "B" }]] } },
      description:
        "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    },
    {
      name: "unknown thread",
      fields: { message_thread_id: 9 },
      description: "Bad Request: message thread not found",
    },
  ];
  test.each(cases)("error: $name", async ({ fields, description }) => {
    await using emulator = await openEmulator();
    const { status, body } = await call(emulator, "sendMessage", {
      chat_id: trader,
      text: "x",
      ...fields,
    });
    expect(body).toEqual({ ok: false, error_code: 400, description });
    expect(status).toBe(400);
    expect(emulator.history(trader)).toEqual([]);
  });

  test("behavior: what just fits is taken", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    await api.sendMessage(trader, "😀".repeat(4096));
    await api.sendMessage(trader, "x", { reply_markup: button("x".repeat(64)) });
    await api.sendMessage(trader, "x", { reply_markup: many(100) });
    const cut = await api.sendMessage(trader, "  bold ", {
      entities: [{ type: "bold", offset: 2, length: 5 }],
    });
    expect(cut).toMatchObject({ text: "bold", entities: [{ type: "bold", offset: 0, length: 4 }] });
  });

  test("behavior: HTML and MarkdownV2 become entities", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const html = await api.sendMessage(trader, '<b>a</b> &lt; <a href="http://x.io/">l</a>', {
      parse_mode: "HTML",
    });
    expect(html).toMatchObject({
      text: "a < l",
      entities: [
        { type: "bold", offset: 0, length: 1 },
        { type: "text_link", offset: 4, length: 1 },
      ],
    });
    const markdown = await api.sendMessage(trader, "*a* `b\\.` 1\\.", { parse_mode: "MarkdownV2" });
    expect(markdown).toMatchObject({
      text: "a b. 1.",
      entities: [
        { type: "bold", offset: 0, length: 1 },
        { type: "code", offset: 2, length: 2 },
      ],
    });
  });

  test("behavior: commands and links that a person types are found", async () => {
    await using emulator = await openEmulator();
    const { entities } = emulator.send(trader, "/buy https://polymarket.com/event/x?y=1 $25");
    expect(entities).toEqual([
      { type: "bot_command", offset: 0, length: 4 },
      { type: "url", offset: 5, length: 34 },
    ]);
    expect(emulator.send(trader, "buy and/or sell").entities).toBeUndefined();
  });
});

describe("edits and deletions", () => {
  test("error: an edit that changes nothing, also with keys in another order", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const sent = await api.sendMessage(trader, "x", { reply_markup: button("1") });
    const same = { inline_keyboard: [[{ callback_data: "1", text: "B" }]] };
    const edit = api.editMessageText(trader, sent.message_id, "x", { reply_markup: same });
    await expect(edit).rejects.toMatchObject({ description: notModified });
    await expect(
      api.editMessageReplyMarkup(trader, sent.message_id, { reply_markup: same }),
    ).rejects.toMatchObject({ description: notModified });
    await api.editMessageText(trader, sent.message_id, "x");
    expect(emulator.history(trader)[0]?.reply_markup).toBeUndefined();
  });

  test("error: messages that are not there or not the bot's", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const mine = emulator.send(trader, "mine").message_id;
    const rejected = async (promise: Promise<unknown>, reason: string) =>
      expect(promise).rejects.toMatchObject({ description: `Bad Request: ${reason}` });
    await rejected(api.editMessageText(trader, 9, "y"), "message to edit not found");
    await rejected(api.editMessageText(trader, mine, "y"), "message can't be edited");
    await rejected(api.deleteMessage(trader, 9), "message to delete not found");
    await rejected(api.pinChatMessage(trader, 9), "message to pin not found");
    await api.deleteMessage(trader, mine);
    await api.deleteMessages(trader, [9]);
    expect(emulator.history(trader)).toEqual([]);
  });

  test("behavior: captions, media and the change from text to photo", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const text = await api.sendMessage(trader, "chart follows");
    const media = {
      type: "photo" as const,
      media: new InputFile(pngOf(800, 500), "a.png"),
      caption: "1d",
    };
    await api.editMessageMedia(trader, text.message_id, media);
    await api.editMessageCaption(trader, text.message_id, { caption: "7d" });
    expect(emulator.history(trader)[0]).toMatchObject({ caption: "7d", photo: [{ width: 800 }] });
    await expect(api.editMessageText(trader, text.message_id, "z")).rejects.toMatchObject({
      description: "Bad Request: there is no text in the message to edit",
    });
    const tooLong = api.sendPhoto(trader, new InputFile(pngOf(1, 1)), {
      caption: "x".repeat(1025),
    });
    await expect(tooLong).rejects.toMatchObject({
      description: "Bad Request: message caption is too long",
    });
  });
});

describe("files", () => {
  test("error: a picture that is none, too long or unknown", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const send = (file: InputFile | string) => api.sendPhoto(trader, file);
    await expect(send(new InputFile(new Uint8Array([1, 2, 3])))).rejects.toMatchObject({
      description: "Bad Request: IMAGE_PROCESS_FAILED",
    });
    await expect(send(new InputFile(pngOf(9_000, 2_000)))).rejects.toMatchObject({
      description: "Bad Request: PHOTO_INVALID_DIMENSIONS",
    });
    await expect(send("nonsense")).rejects.toMatchObject({ error_code: 400 });
    await expect(api.getFile("nonsense")).rejects.toMatchObject({
      description: "Bad Request: wrong file_id or the file is temporarily unavailable",
    });
  });

  test("a file_id is sent again without an upload", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const first = await api.sendPhoto(trader, new InputFile(pngOf(100, 100)));
    const again = await api.sendPhoto(trader, first.photo.at(-1)?.file_id ?? "");
    expect(again.photo).toEqual(first.photo);
    const csv = await api.sendDocument(
      trader,
      new InputFile(new TextEncoder().encode("a,b"), "pnl.csv"),
    );
    expect(csv.document).toMatchObject({ file_name: "pnl.csv", file_size: 3 });
  });
});

describe("the bot and its surroundings", () => {
  test("commands by scope and language", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    const commands = [{ command: "kill", description: "Stop all trading" }];
    const scope = { type: "chat" as const, chat_id: trader };
    await api.setMyCommands(commands, { scope });
    expect(await api.getMyCommands({ scope })).toEqual(commands);
    expect(await api.getMyCommands()).toEqual([]);
    expect(emulator.commands(trader)).toEqual(commands);
    await api.deleteMyCommands({ scope });
    expect(await api.getMyCommands({ scope })).toEqual([]);
    await expect(api.setMyCommands([{ command: "Kill!", description: "x" }])).rejects.toMatchObject(
      {
        description: "Bad Request: BOT_COMMAND_INVALID",
      },
    );
  });

  test("the rest of what this bot calls", async () => {
    await using emulator = await openEmulator();
    const { api } = botFor(emulator);
    expect(await api.getMe()).toMatchObject({ id: 1_000_000_001, is_bot: true });
    const sent = await api.sendMessage(trader, "x");
    expect(await api.sendChatAction(trader, "typing")).toBe(true);
    expect(await api.pinChatMessage(trader, sent.message_id)).toBe(true);
    expect(await api.unpinChatMessage(trader)).toBe(true);
    expect(await api.setMessageReaction(trader, sent.message_id, [])).toBe(true);
    expect(await api.setChatMenuButton({ chat_id: trader })).toBe(true);
    expect(await api.setMyDescription("d")).toBe(true);
    expect(await api.getChat(trader)).toMatchObject({ type: "private", first_name: "Ann" });
    await expect(api.createForumTopic(trader, "Trades")).rejects.toMatchObject({ error_code: 400 });
    const group = emulator.send(trader, "hi", { chatType: "group" }).chat.id;
    const topic = await api.createForumTopic(group, "Trades");
    await api.sendMessage(group, "x", { message_thread_id: topic.message_thread_id });
    const id = emulator.inlineQuery(trader, "fed dec");
    await api.answerInlineQuery(id, [], { is_personal: true });
    expect(emulator.inlineResults(id)).toEqual([]);
  });

  test("behavior: rich messages are taken as they are and can be matched by their text", async () => {
    await using emulator = await openEmulator();
    const rich_message = { html: "<table><tr><td>YES 250</td></tr></table>" };
    const { body } = await call(emulator, "sendRichMessage", { chat_id: trader, rich_message });
    expect(body["ok"]).toBe(true);
    expect(emulator.events.at(-1)?.text).toContain("YES 250");
  });

  test("error: a person who never opened the chat", async () => {
    await using emulator = await openEmulator();
    emulator.addUser(7, "Bob", false);
    const { body } = await call(emulator, "sendMessage", { chat_id: 7, text: "x" });
    expect(body["description"]).toBe("Forbidden: bot can't initiate conversation with a user");
    emulator.send(7, "/start");
    expect((await call(emulator, "sendMessage", { chat_id: 7, text: "x" })).status).toBe(200);
  });
});

describe("transport", () => {
  test("methods in any case, by GET, urlencoded and below /test", async () => {
    await using emulator = await openEmulator();
    const base = `${emulator.apiRoot}/bot${token}`;
    const get = await fetch(`${base}/SENDmessage?chat_id=${trader}&text=one`);
    expect(await get.json()).toMatchObject({ ok: true, result: { text: "one" } });
    const form = new URLSearchParams({ chat_id: String(trader), text: "two" });
    const markup = JSON.stringify({ inline_keyboard: [[{ text: "B", callback_data: "b" }]] });
    form.set("reply_markup", markup);
    const post = await fetch(`${base}/test/sendMessage`, { method: "POST", body: form });
    expect(await post.json()).toMatchObject({
      ok: true,
      result: { text: "two", reply_markup: {} },
    });
  });

  test("error: token, method, path, body", async () => {
    await using emulator = await openEmulator();
    const answer = async (path: string, init?: RequestInit) => {
      const response = await fetch(`${emulator.apiRoot}${path}`, init);
      return [response.status, ((await response.json()) as { description: string }).description];
    };
    expect(await answer("/bot1:wrong/getMe")).toEqual([401, "Unauthorized"]);
    expect(await answer(`/bot${token}/getNothing`)).toEqual([404, "Not Found: method not found"]);
    expect(await answer(`/bot${token}/constructor`)).toEqual([404, "Not Found: method not found"]);
    expect(await answer("/")).toEqual([404, "Not Found"]);
    const broken = { method: "POST", headers: { "content-type": "application/json" }, body: "{" };
    expect(await answer(`/bot${token}/sendMessage`, broken)).toEqual([
      400,
      "Bad Request: can't parse JSON object",
    ]);
  });

  test("a rate limit has the header, too", async () => {
    await using emulator = await openEmulator();
    emulator.fault({ name: "status", code: 429, retryAfterS: 3 });
    const { status, headers, body } = await call(emulator, "sendMessage", {
      chat_id: trader,
      text: "x",
    });
    expect([status, headers.get("retry-after")]).toEqual([429, "3"]);
    expect(body).toEqual({
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 3",
      parameters: { retry_after: 3 },
    });
  });

  test("faults hit their method and chat only, as often as they say", async () => {
    await using emulator = await openEmulator();
    emulator.addUser(8, "Cy");
    emulator.fault({ name: "status", code: 502, method: "sendMessage", chat: 8, times: 2 });
    const status = async (chat_id: number) =>
      (await call(emulator, "sendMessage", { chat_id, text: "x" })).status;
    expect(await status(trader)).toBe(200);
    expect([await status(8), await status(8), await status(8)]).toEqual([502, 502, 200]);
    emulator.fault({ name: "hang", hangMs: 30 });
    const startMs = performance.now();
    expect(await status(8)).toBe(200);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(25);
  });
});
