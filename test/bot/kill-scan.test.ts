import type { Update } from "grammy/types";
import { describe, expect, test } from "vitest";
import { authorise } from "../../src/bot/access.ts";
import { killerOf, scanForKill } from "../../src/bot/kill-scanner.ts";
import { looksLikeSecret } from "../../src/bot/secret-scanner.ts";
import { newTotpSecret, totpUri } from "../../src/bot/totp.ts";

const whitelist = [42];
const from = { id: 42, is_bot: false, first_name: "Ann" };
const chat = { id: 42, type: "private" };
const text = (words: string) => ({
  update_id: 1,
  message: { message_id: 1, date: 0, from, chat, text: words },
});

describe("a kill in a batch", () => {
  test.each<[string, unknown]>([
    ["command", text("/kill")],
    ["command with bot and reason", text("/KILL@bot now")],
    ["bare word", text("kill")],
    [
      "edited message",
      { update_id: 1, edited_message: { message_id: 1, date: 0, from, chat, text: "/kill" } },
    ],
    [
      "caption",
      {
        update_id: 1,
        message: { message_id: 1, date: 0, from, chat, photo: [], caption: "/kill" },
      },
    ],
    [
      "button",
      {
        update_id: 1,
        callback_query: {
          id: "1",
          from,
          data: "v1:kill:0123456789abcdef",
          message: { message_id: 1, date: 0, chat },
        },
      },
    ],
    [
      "button of a message that is gone",
      {
        update_id: 1,
        callback_query: {
          id: "1",
          from,
          data: "v1:kill:0123456789abcdef",
          message: { message_id: 1, date: 0, chat },
        },
      },
    ],
  ])("by %s is seen", (_name, update) => {
    expect(killerOf(update, whitelist)).toEqual({ userId: 42, chatId: 42 });
  });

  const typed = [
    "/kill",
    "/KILL",
    "/Kill",
    " /kill",
    "/kill@desk_bot",
    "/kill@desk_bot wrong prices",
    "/kill wrong prices",
    "/kill\nwrong prices",
    "/stop",
    "/STOP now",
    "kill",
    "KILL",
    "Kill!",
    "kill all",
    "kill it now",
    "KILL EVERYTHING",
    "stop",
    "STOP",
    "stop trading",
    "Stop all orders now!",
    "kill, please.",
    "kill kill kill",
  ];

  test.each(typed)("typed as %j is seen, as a message, an edit and a caption (T13)", (words) => {
    const message = { message_id: 1, date: 0, from, chat };
    for (const update of [
      { update_id: 1, message: { ...message, text: words } },
      { update_id: 1, edited_message: { ...message, text: words } },
      { update_id: 1, message: { ...message, photo: [], caption: words } },
    ]) {
      expect(killerOf(update, whitelist)).toEqual({ userId: 42, chatId: 42 });
    }
  });

  test.each([
    "kill bill wins best picture",
    "stop the war by june",
    "/buy stop-the-war yes $10",
    "/killer",
    "/stopping",
    "don't stop",
    "nonstop",
  ])("%j is no kill", (words) => {
    expect(killerOf(text(words), whitelist)).toBeNull();
  });

  test.each<[string, unknown]>([
    [
      "a stranger",
      {
        update_id: 1,
        message: {
          message_id: 1,
          from: { id: 7 },
          chat: { id: 7, type: "private" },
          text: "/kill",
        },
      },
    ],
    [
      "a group",
      {
        update_id: 1,
        message: { message_id: 1, from, chat: { id: -5, type: "supergroup" }, text: "/kill" },
      },
    ],
    [
      "an anonymous administrator",
      {
        update_id: 1,
        message: {
          message_id: 1,
          sender_chat: { id: -5 },
          chat: { id: -5, type: "supergroup" },
          text: "/kill",
        },
      },
    ],
    [
      "a channel",
      {
        update_id: 1,
        channel_post: { message_id: 1, chat: { id: -5, type: "channel" }, text: "/kill" },
      },
    ],
    [
      "a bot of the same id",
      {
        update_id: 1,
        message: { message_id: 1, from: { ...from, is_bot: true }, chat, text: "/kill" },
      },
    ],
    [
      "a foreign private chat",
      {
        update_id: 1,
        message: { message_id: 1, from, chat: { id: 7, type: "private" }, text: "/kill" },
      },
    ],
    [
      "a group that has the user's own id",
      {
        update_id: 1,
        message: { message_id: 1, from, chat: { id: 42, type: "group" }, text: "/kill" },
      },
    ],
    ["other words", text("stop it if it rains")],
    [
      "another button",
      {
        update_id: 1,
        callback_query: {
          id: "1",
          from,
          data: "v1:ok:0123456789abcdef",
          message: { message_id: 1, date: 0, chat },
        },
      },
    ],
    [
      "an inline press",
      {
        update_id: 1,
        callback_query: { id: "1", from, data: "v1:kill:0123456789abcdef", inline_message_id: "x" },
      },
    ],
    ["null", null],
    ["a number", 5],
    ["an array", []],
    ["odd shapes", { message: { text: 5, chat: "x", from: null } }],
    ["odder shapes", { callback_query: 7 }],
  ])("of %s is none", (_name, update) => {
    expect(killerOf(update, whitelist)).toBeNull();
  });

  test("closes the gate before the first update is handled, wherever it stands in the batch", () => {
    const closed: number[] = [];
    const batch = [text("/buy #1 yes 25"), null, text("/kill"), text("/kill")];
    expect(scanForKill(batch, whitelist, (actor) => closed.push(actor.userId))).toBe(true);
    expect(closed).toEqual([42]);
    expect(scanForKill([text("/buy")], whitelist, () => expect.fail("no kill"))).toBe(false);
    expect(scanForKill("not a batch", whitelist, () => expect.fail("no kill"))).toBe(false);
  });
});

test("access is denied by default", () => {
  expect(authorise({ update_id: 1 }, whitelist).kind).toBe("stranger");
  expect(authorise(text("x") as unknown as Update, []).kind).toBe("stranger");
  expect(authorise(text("x") as unknown as Update, whitelist)).toEqual({
    kind: "trader",
    actor: { userId: 42, chatId: 42 },
  });
});

test("keys and seed phrases are recognised, market ids and questions are not", () => {
  const hex = "ab".repeat(32);
  expect(looksLikeSecret(hex)).toBe(true);
  expect(looksLikeSecret(`my key: ${hex}`)).toBe(true);
  expect(
    looksLikeSecret(
      "abandon ability able about above absent absorb abstract absurd abuse access accident",
    ),
  ).toBe(true);
  const totp = newTotpSecret();
  expect(looksLikeSecret(totp)).toBe(true);
  expect(looksLikeSecret(`totp_secret\n${totp}`)).toBe(true);
  expect(looksLikeSecret(totpUri(totp, "desk"))).toBe(true);
  expect(looksLikeSecret(`0x${hex}`)).toBe(false);
  expect(looksLikeSecret(`/buy 0x${hex} yes 25`)).toBe(false);
  expect(looksLikeSecret("will the fed cut rates before the end of the year or not")).toBe(false);
  expect(looksLikeSecret("/markets fed december")).toBe(false);
});
