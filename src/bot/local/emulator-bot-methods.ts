// Methods about the bot itself and its surroundings: webhook, commands, callback answers, chats, topics.
import type { Method } from "./emulator-context.ts";
import { codePoints } from "./emulator-entities.ts";
import type { Params } from "./emulator-params.ts";
import { badRequest } from "./emulator-refusal.ts";
import { needChat, needWritableChat } from "./emulator-send-methods.ts";
import { isRecord, textOf } from "./emulator-types.ts";

/** How long a press can be answered on the real server. */
const callbackAnswerableMs = 15_000;
const inlineAnswerableMs = 30_000;
const callbackTextMax = 200;
const inlineResultsMax = 50;
const commandsMax = 100;
const commandDescriptionMax = 256;
const connections = { default: 40, max: 100 };
const queryTooOld = "query is too old and response timeout expired or query ID is invalid";

const getMe: Method = ({ bot }) => ({
  ...bot,
  can_join_groups: true,
  can_read_all_group_messages: true,
  supports_inline_queries: true,
  can_connect_to_business: false,
  has_main_web_app: false,
  has_topics_enabled: false,
});

const setWebhook: Method = (context, params) => {
  const url = params.text("url");
  if (url === "") return deleteWebhook(context, params);
  if (!isLoopbackUrl(url)) {
    throw badRequest("bad webhook: the emulator pushes to http:// addresses of this machine only");
  }
  const secret = params.text("secret_token");
  if (!/^[A-Za-z0-9_-]{0,256}$/.test(secret)) {
    throw badRequest("secret token contains unallowed characters");
  }
  if (params.flag("drop_pending_updates")) context.updates.clear();
  context.updates.allow(params.strings("allowed_updates"));
  context.updates.endWaitingPoll("terminated by setWebhook request");
  const asked = params.integer("max_connections") ?? connections.default;
  context.webhook.set({
    url,
    secretToken: secret === "" ? null : secret,
    maxConnections: Math.min(Math.max(asked, 1), connections.max),
  });
  return true;
};

const deleteWebhook: Method = (context, params) => {
  if (params.flag("drop_pending_updates")) context.updates.clear();
  context.webhook.set(null);
  return true;
};

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
}

const getWebhookInfo: Method = ({ webhook, updates }) => {
  const { settings, lastError } = webhook;
  return {
    url: settings?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: updates.pending.length,
    ...(settings !== null && { max_connections: settings.maxConnections, ip_address: "127.0.0.1" }),
    ...(lastError !== null && {
      last_error_date: Math.floor(lastError.atMs / 1000),
      last_error_message: lastError.message,
    }),
    ...(updates.allowedUpdates.length > 0 && { allowed_updates: updates.allowedUpdates }),
  };
};

const answerCallbackQuery: Method = (context, params) => {
  const query = context.callbackQueries.get(params.text("callback_query_id"));
  if (query === undefined || context.nowMs() - query.atMs > callbackAnswerableMs) {
    throw badRequest(queryTooOld);
  }
  const text = params.text("text");
  if (codePoints(text) > callbackTextMax) throw badRequest("MESSAGE_TOO_LONG");
  const { chatId, userId, messageId } = query;
  const alert = params.flag("show_alert");
  context.chats.record({
    dir: "out",
    kind: "callback_answer",
    chatId,
    userId,
    messageId,
    text,
    alert,
  });
  return true;
};

const answerInlineQuery: Method = (context, params) => {
  const query = context.inlineQueries.get(params.text("inline_query_id"));
  if (query === undefined || context.nowMs() - query.atMs > inlineAnswerableMs) {
    throw badRequest(queryTooOld);
  }
  const results = params.json("results", "inline query results");
  if (!Array.isArray(results)) throw badRequest("results must be of type Array");
  if (results.length > inlineResultsMax) throw badRequest("RESULTS_TOO_MUCH");
  query.results = results;
  return true;
};

function commandKey(params: Params): string {
  const scope = params.json("scope", "BotCommandScope") ?? { type: "default" };
  if (!isRecord(scope)) throw badRequest("can't parse BotCommandScope: Object expected");
  const fields = [scope["type"], scope["chat_id"], scope["user_id"]].map((part) => textOf(part));
  return `${fields.join(":")}|${params.text("language_code")}`;
}

const setMyCommands: Method = (context, params) => {
  const given = params.json("commands", "commands");
  if (!Array.isArray(given)) throw badRequest("commands must be of type Array");
  if (given.length > commandsMax) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  const commands = given.map((one: unknown) => {
    const { command, description } = isRecord(one) ? one : {};
    const name = typeof command === "string" ? command.replace(/^\//, "") : "";
    const text = typeof description === "string" ? description.trim() : "";
    if (!/^[a-z0-9_]{1,32}$/.test(name)) throw badRequest("BOT_COMMAND_INVALID");
    if (text === "" || codePoints(text) > commandDescriptionMax) {
      throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
    }
    return { command: name, description: text };
  });
  context.commands.set(commandKey(params), commands);
  return true;
};

const getMyCommands: Method = ({ commands }, params) => commands.get(commandKey(params)) ?? [];

const deleteMyCommands: Method = ({ commands }, params) => {
  commands.delete(commandKey(params));
  return true;
};

/** Keeps what was set, so that a test can read it back; nothing else depends on it. */
function keepInProfile(name: string, keyField: string): Method {
  return ({ profile }, params) => {
    profile.set(`${name}|${params.text(keyField)}`, params.fields);
    return true;
  };
}

const getMyDescription: Method = ({ profile }, params) => {
  const kept = profile.get(`setmydescription|${params.text("language_code")}`);
  return { description: isRecord(kept) ? (kept["description"] ?? "") : "" };
};

const sendChatAction: Method = (context, params) => {
  needWritableChat(context, params);
  if (!/^[a-z_]+$/.test(params.text("action")))
    throw badRequest("wrong parameter action in request");
  return true;
};

/** Needs a message that exists; what it does to the message is not shown anywhere. */
function onExistingMessage(missing: string): Method {
  return (context, params) => {
    const chat = needWritableChat(context, params);
    const id = params.integer("message_id");
    const known = id !== undefined && context.chats.find(chat.id)?.messages.has(id) === true;
    if (id !== undefined && !known) throw badRequest(missing);
    return true;
  };
}

const getChat: Method = (context, params) => {
  const chat = needChat(context, params);
  return { ...chat, accent_color_id: 0, max_reaction_count: 11, accepted_gift_types: {} };
};

const createForumTopic: Method = (context, params) => {
  const chat = needWritableChat(context, params);
  const name = params.text("name");
  if (chat.type === "private") throw badRequest("the chat is not a forum");
  if (name === "" || codePoints(name) > 128) throw badRequest("TOPIC_TITLE_EMPTY");
  const thread = context.chats.takeMessageId();
  context.topics.set(`${chat.id}:${thread}`, name);
  return { message_thread_id: thread, name, icon_color: 7_322_096 };
};

export const botMethods: Readonly<Record<string, Method>> = {
  getme: getMe,
  setwebhook: setWebhook,
  deletewebhook: deleteWebhook,
  getwebhookinfo: getWebhookInfo,
  answercallbackquery: answerCallbackQuery,
  answerinlinequery: answerInlineQuery,
  setmycommands: setMyCommands,
  getmycommands: getMyCommands,
  deletemycommands: deleteMyCommands,
  setchatmenubutton: keepInProfile("setchatmenubutton", "chat_id"),
  setmydescription: keepInProfile("setmydescription", "language_code"),
  setmyshortdescription: keepInProfile("setmyshortdescription", "language_code"),
  setmyname: keepInProfile("setmyname", "language_code"),
  getmydescription: getMyDescription,
  sendchataction: sendChatAction,
  pinchatmessage: onExistingMessage("message to pin not found"),
  unpinchatmessage: onExistingMessage("message to unpin not found"),
  unpinallchatmessages: onExistingMessage("message to unpin not found"),
  setmessagereaction: onExistingMessage("message to react not found"),
  getchat: getChat,
  getfile: ({ files }, params) => files.describe(params.text("file_id")),
  createforumtopic: createForumTopic,
};
