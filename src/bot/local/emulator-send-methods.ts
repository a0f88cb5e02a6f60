// Methods that put a new message into a chat.
import type { BotContext, Method } from "./emulator-context.ts";
import { readFormattedText } from "./emulator-entities.ts";
import type { StoredFile } from "./emulator-files.ts";
import { documentOf, photoSizesOf } from "./emulator-files.ts";
import { readKeyboard } from "./emulator-keyboard.ts";
import type { Params } from "./emulator-params.ts";
import { badRequest, forbidden } from "./emulator-refusal.ts";
import type { Chat, Message } from "./emulator-types.ts";
import { isRecord } from "./emulator-types.ts";

type Content = Partial<Message>;

/** The chat that a call names. Throws 400 when it is unknown. */
export function needChat(context: BotContext, params: Params): Chat {
  const text = params.text("chat_id");
  if (text === "") throw badRequest("chat_id is empty");
  const chat = context.chats.find(params.integer("chat_id") ?? 0)?.chat;
  if (chat === undefined) throw badRequest("chat not found");
  return chat;
}

/** The chat that a call writes to. Throws 403 when the person blocked the bot or never opened the chat. */
export function needWritableChat(context: BotContext, params: Params): Chat {
  const chat = needChat(context, params);
  const state = context.chats.find(chat.id);
  if (state?.blocked === true) throw forbidden("bot was blocked by the user");
  if (state?.opened !== true) throw forbidden("bot can't initiate conversation with a user");
  return chat;
}

const sendMessage: Method = (context, params) => {
  const chat = needWritableChat(context, params);
  const { text, entities } = readFormattedText(params, "text");
  return postMessage(context, params, chat, { text, ...(entities.length > 0 && { entities }) });
};

const sendPhoto: Method = (context, params) => {
  const chat = needWritableChat(context, params);
  const caption = captionOf(params);
  const file = takeFile(context, params, "photo");
  return postMessage(context, params, chat, { photo: photoSizesOf(file), ...caption });
};

const sendDocument: Method = (context, params) => {
  const chat = needWritableChat(context, params);
  const caption = captionOf(params);
  const file = takeFile(context, params, "document");
  return postMessage(context, params, chat, { document: documentOf(file), ...caption });
};

const sendRichMessage: Method = (context, params) => {
  const chat = needWritableChat(context, params);
  return postMessage(context, params, chat, { rich_message: readRichMessage(params) });
};

/** A rich message is taken as it is: its HTML is parsed on the real servers only. */
export function readRichMessage(params: Params): unknown {
  const rich = params.json("rich_message", "rich message");
  if (!isRecord(rich)) throw badRequest("rich message must be non-empty");
  return rich;
}

/** Caption fields of a call, none when it is empty. */
export function captionOf(params: Params): Content {
  const { text, entities } = readFormattedText(params, "caption");
  if (text === "") return {};
  return { caption: text, ...(entities.length > 0 && { caption_entities: entities }) };
}

/** The file of a call: an upload or the id of a file known from before. */
export function takeFile(
  context: BotContext,
  params: Params,
  field: "photo" | "document" | "media",
  kind: "photo" | "document" = field === "document" ? "document" : "photo",
): StoredFile {
  const upload = params.file(field);
  if (upload !== undefined) {
    return kind === "photo" ? context.files.addPhoto(upload) : context.files.addDocument(upload);
  }
  const fileId = params.text(field);
  if (fileId === "") throw badRequest(`there is no ${kind} in the request`);
  const known = context.files.get(fileId);
  if (known === undefined) throw badRequest("wrong file identifier/HTTP URL specified");
  return known;
}

function postMessage(context: BotContext, params: Params, chat: Chat, content: Content): Message {
  const keyboard = readKeyboard(params);
  const thread = readThread(context, params, chat);
  const reply = readReply(context, params, chat);
  const message: Message = {
    message_id: context.chats.takeMessageId(),
    from: context.bot,
    chat,
    date: Math.floor(context.nowMs() / 1000),
    ...content,
    ...(thread !== undefined && { message_thread_id: thread }),
    ...(reply !== undefined && { reply_to_message: reply }),
    ...(keyboard !== undefined && { reply_markup: keyboard }),
  };
  context.chats.put(message);
  context.chats.recordMessage("out", "message", message);
  return message;
}

function readThread(context: BotContext, params: Params, chat: Chat): number | undefined {
  const thread = params.integer("message_thread_id");
  if (thread === undefined || thread === 0) return undefined;
  if (!context.topics.has(`${chat.id}:${thread}`)) throw badRequest("message thread not found");
  return thread;
}

function readReply(context: BotContext, params: Params, chat: Chat): Message | undefined {
  const given = params.json("reply_parameters", "reply parameters");
  const id = isRecord(given) ? Number(given["message_id"]) : params.integer("reply_to_message_id");
  if (id === undefined || id === 0) return undefined;
  const target = context.chats.find(chat.id)?.messages.get(id);
  if (target !== undefined) {
    const { reply_to_message: _nested, ...flat } = target;
    return flat;
  }
  const optional = isRecord(given) && given["allow_sending_without_reply"] === true;
  if (optional || params.flag("allow_sending_without_reply")) return undefined;
  throw badRequest("message to be replied not found");
}

export const sendMethods: Readonly<Record<string, Method>> = {
  sendmessage: sendMessage,
  sendphoto: sendPhoto,
  senddocument: sendDocument,
  sendrichmessage: sendRichMessage,
};
