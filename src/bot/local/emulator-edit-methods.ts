// Methods that change or remove a message of the bot. An edit without reply_markup removes the keyboard.
import type { BotContext, Method } from "./emulator-context.ts";
import { readFormattedText } from "./emulator-entities.ts";
import { documentOf, photoSizesOf } from "./emulator-files.ts";
import { readKeyboard } from "./emulator-keyboard.ts";
import { Params } from "./emulator-params.ts";
import { badRequest } from "./emulator-refusal.ts";
import {
  captionOf,
  needChat,
  needWritableChat,
  readRichMessage,
  takeFile,
} from "./emulator-send-methods.ts";
import type { Message } from "./emulator-types.ts";
import { isRecord } from "./emulator-types.ts";

/** A bot may delete what is younger than this (Bot API, deleteMessage). */
const deletableForMs = 48 * 3_600_000;
const deleteMessagesMax = 100;

const notModified =
  "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

function needOwnMessage(context: BotContext, params: Params): Message {
  const chat = needWritableChat(context, params);
  const id = params.integer("message_id");
  if (id === undefined) throw badRequest("message identifier is not specified");
  const message = context.chats.find(chat.id)?.messages.get(id);
  if (message === undefined) throw badRequest("message to edit not found");
  if (message.from.id !== context.bot.id) throw badRequest("message can't be edited");
  return message;
}

/** Stores the new content and keyboard. Throws 400 when both are what the message already has. */
function applyEdit(
  context: BotContext,
  params: Params,
  message: Message,
  content: Partial<Message>,
): Message {
  const keyboard = readKeyboard(params);
  const { message_id, from, chat, date, message_thread_id, reply_to_message } = message;
  const edited: Message = {
    message_id,
    from,
    chat,
    date,
    ...(message_thread_id !== undefined && { message_thread_id }),
    ...(reply_to_message !== undefined && { reply_to_message }),
    ...content,
    ...(keyboard !== undefined && { reply_markup: keyboard }),
  };
  if (fingerprint(edited) === fingerprint(message)) throw badRequest(notModified);
  const stamped = { ...edited, edit_date: Math.floor(context.nowMs() / 1000) };
  context.chats.put(stamped);
  context.chats.recordMessage("out", "edit", stamped);
  return stamped;
}

function fingerprint(message: Message): string {
  const { edit_date: _date, ...rest } = message;
  return JSON.stringify(sortKeys(rest));
}

/** The same value with its keys in order, so that the order in a request does not matter. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sortKeys(item));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sortKeys(item)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const editMessageText: Method = (context, params) => {
  const message = needOwnMessage(context, params);
  if (params.fields["rich_message"] !== undefined) {
    return applyEdit(context, params, message, { rich_message: readRichMessage(params) });
  }
  if (message.text === undefined && message.rich_message === undefined) {
    throw badRequest("there is no text in the message to edit");
  }
  const { text, entities } = readFormattedText(params, "text");
  const content = { text, ...(entities.length > 0 && { entities }) };
  return applyEdit(context, params, message, content);
};

const editMessageCaption: Method = (context, params) => {
  const message = needOwnMessage(context, params);
  const { photo, document } = message;
  if (photo === undefined && document === undefined) {
    throw badRequest("there is no caption in the message to edit");
  }
  const media = {
    ...(photo !== undefined && { photo }),
    ...(document !== undefined && { document }),
  };
  return applyEdit(context, params, message, { ...media, ...captionOf(params) });
};

const editMessageMedia: Method = (context, params) => {
  const message = needOwnMessage(context, params);
  const media = params.json("media", "InputMedia");
  if (!isRecord(media)) throw badRequest("can't parse InputMedia: Object expected");
  const kind = media["type"];
  if (kind !== "photo" && kind !== "document") throw badRequest("media type is not supported here");
  const inner = new Params(media, params.files);
  const file = takeFile(context, inner, "media", kind);
  const content = kind === "photo" ? { photo: photoSizesOf(file) } : { document: documentOf(file) };
  return applyEdit(context, params, message, { ...content, ...captionOf(inner) });
};

const editMessageReplyMarkup: Method = (context, params) => {
  const message = needOwnMessage(context, params);
  const { reply_markup: _old, edit_date: _date, ...content } = message;
  return applyEdit(context, params, message, content);
};

const deleteMessage: Method = (context, params) => {
  const chat = needChat(context, params);
  const id = params.integer("message_id") ?? 0;
  const message = context.chats.find(chat.id)?.messages.get(id);
  if (message === undefined) throw badRequest("message to delete not found");
  if (context.nowMs() - message.date * 1000 > deletableForMs) {
    throw badRequest("message can't be deleted for everyone");
  }
  removeMessage(context, chat.id, id);
  return true;
};

const deleteMessages: Method = (context, params) => {
  const chat = needChat(context, params);
  const ids = params.json("message_ids", "message identifiers");
  if (!Array.isArray(ids) || ids.length === 0)
    throw badRequest("message identifiers are not specified");
  if (ids.length > deleteMessagesMax) throw badRequest("too many message identifiers specified");
  // Messages that are not there are skipped, as by the real server.
  for (const id of ids) removeMessage(context, chat.id, Number(id));
  return true;
};

function removeMessage(context: BotContext, chatId: number, messageId: number): void {
  if (!context.chats.remove(chatId, messageId)) return;
  context.chats.record({ dir: "out", kind: "delete", chatId, messageId });
}

export const editMethods: Readonly<Record<string, Method>> = {
  editmessagetext: editMessageText,
  editmessagecaption: editMessageCaption,
  editmessagemedia: editMessageMedia,
  editmessagereplymarkup: editMessageReplyMarkup,
  deletemessage: deleteMessage,
  deletemessages: deleteMessages,
};
