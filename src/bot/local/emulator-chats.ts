// People, chats, messages and the record of what happened in them. The only place that makes message ids.

import { EmulatorUseError } from "./emulator-refusal.ts";
import type { Chat, ChatEvent, ChatType, InlineButton, Message, User } from "./emulator-types.ts";

const messagesPerChatMax = 2_000;
const shownButtonsMax = 5_000;
const eventsMax = 50_000;

/** The one group of the desk; its members are whoever writes there. */
export const groupChat: Chat = { id: -1001000000001, type: "supergroup", title: "Desk group" };

/** A button that was shown at some time, whether or not it still is. */
export interface ShownButton {
  readonly messageId: number;
  readonly label: string;
  readonly data: string;
}

interface ChatState {
  readonly chat: Chat;
  /** Whether a person opened the chat; before that a bot may not write to it. */
  opened: boolean;
  blocked: boolean;
  /** Oldest first. */
  readonly messages: Map<number, Message>;
  readonly shown: ShownButton[];
}

type EventFields = Pick<ChatEvent, "dir" | "kind" | "chatId"> & Partial<ChatEvent>;
type EventListener = (event: ChatEvent) => void;

export class ChatStore {
  readonly #chats = new Map<number, ChatState>();
  readonly #users = new Map<number, User>();
  readonly #listeners = new Set<EventListener>();
  readonly #nowMs: () => number;
  #events: ChatEvent[] = [];
  #seq = 0;
  #nextMessageId: number;

  constructor(nowMs: () => number, firstMessageId: number) {
    this.#nowMs = nowMs;
    this.#nextMessageId = firstMessageId;
  }

  /** Adds a person; `opened` says that the person once pressed Start. */
  addUser(user: User, opened: boolean): User {
    this.#users.set(user.id, user);
    const { id, first_name, username } = user;
    const chat: Chat = {
      id,
      type: "private",
      first_name,
      ...(username !== undefined && { username }),
    };
    this.#chats.set(id, emptyChat(chat, opened));
    return user;
  }

  user(userId: number): User {
    const known = this.#users.get(userId);
    if (known !== undefined) return known;
    return this.addUser({ id: userId, is_bot: false, first_name: `User ${userId}` }, false);
  }

  /** The chat in which this person and the bot meet. */
  chatOf(userId: number, type: ChatType): ChatState {
    this.user(userId);
    if (type === "group" && !this.#chats.has(groupChat.id)) {
      this.#chats.set(groupChat.id, emptyChat(groupChat, true));
    }
    return this.#need(type === "group" ? groupChat.id : userId);
  }

  find(chatId: number): ChatState | undefined {
    return this.#chats.get(chatId);
  }

  #need(chatId: number): ChatState {
    const state = this.#chats.get(chatId);
    if (state === undefined) throw new EmulatorUseError(`no chat with id ${chatId}`);
    return state;
  }

  takeMessageId(): number {
    const id = this.#nextMessageId;
    this.#nextMessageId += 1;
    return id;
  }

  /** Adds or replaces a message and remembers the buttons that it shows. */
  put(message: Message): void {
    const state = this.#need(message.chat.id);
    state.messages.set(message.message_id, message);
    for (const button of callbackButtons(message)) {
      const shown = { messageId: message.message_id, label: button.text, data: button.data };
      if (!state.shown.some((one) => isSameButton(one, shown))) state.shown.push(shown);
    }
    state.shown.splice(0, Math.max(0, state.shown.length - shownButtonsMax));
    for (const messageId of state.messages.keys()) {
      if (state.messages.size <= messagesPerChatMax) break;
      state.messages.delete(messageId);
    }
  }

  remove(chatId: number, messageId: number): boolean {
    return this.#chats.get(chatId)?.messages.delete(messageId) ?? false;
  }

  /** The newest visible button whose label matches; within a message the first. */
  visibleButton(chatId: number, label: RegExp): ShownButton | undefined {
    const messages = [...(this.#chats.get(chatId)?.messages.values() ?? [])];
    for (const message of messages.sort((a, b) => b.message_id - a.message_id)) {
      const hit = callbackButtons(message).find((button) => label.test(button.text));
      if (hit !== undefined) {
        return { messageId: message.message_id, label: hit.text, data: hit.data };
      }
    }
    return undefined;
  }

  /** The newest button whose label matches and that was shown once but is gone or replaced now. */
  staleButton(chatId: number, label: RegExp): ShownButton | undefined {
    const state = this.#chats.get(chatId);
    return state?.shown.findLast((one) => {
      if (!label.test(one.label)) return false;
      const message = state.messages.get(one.messageId);
      const current = message === undefined ? [] : callbackButtons(message);
      return !current.some((button) => button.data === one.data);
    });
  }

  get events(): readonly ChatEvent[] {
    return this.#events;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  record(fields: EventFields): void {
    this.#seq += 1;
    const defaults = {
      userId: null,
      messageId: null,
      text: "",
      buttons: [],
      alert: false,
      file: null,
    };
    const event = { ...defaults, ...fields, seq: this.#seq, atMs: this.#nowMs() };
    this.#events.push(event);
    if (this.#events.length > eventsMax) this.#events = this.#events.slice(-eventsMax / 2);
    for (const listener of this.#listeners) listener(event);
  }

  recordMessage(dir: "in" | "out", kind: "message" | "edit", message: Message): void {
    const photo = message.photo?.at(-1);
    const file =
      photo !== undefined
        ? { kind: "photo" as const, fileId: photo.file_id }
        : message.document !== undefined
          ? { kind: "document" as const, fileId: message.document.file_id }
          : null;
    this.record({
      dir,
      kind,
      chatId: message.chat.id,
      userId: dir === "in" ? message.from.id : null,
      messageId: message.message_id,
      text: message.text ?? message.caption ?? richText(message.rich_message),
      buttons: message.reply_markup?.inline_keyboard ?? [],
      file,
    });
  }

  listen(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function emptyChat(chat: Chat, opened: boolean): ChatState {
  return { chat, opened, blocked: false, messages: new Map(), shown: [] };
}

function isSameButton(a: ShownButton, b: ShownButton): boolean {
  return a.messageId === b.messageId && a.data === b.data && a.label === b.label;
}

/** The buttons of a message that send a callback query when pressed. */
export function callbackButtons(message: Message): (InlineButton & { readonly data: string })[] {
  return (message.reply_markup?.inline_keyboard ?? []).flat().flatMap((button) => {
    const data = button.callback_data;
    return data === undefined ? [] : [{ ...button, data }];
  });
}

/** Every text of a rich message, so that a script can match it. */
function richText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value))
    return value
      .map((item) => richText(item))
      .filter(Boolean)
      .join("\n");
  if (typeof value !== "object" || value === null) return "";
  const { type: _type, ...rest } = value as Readonly<Record<string, unknown>>;
  return richText(Object.values(rest));
}
