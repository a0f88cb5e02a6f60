// A Bot API server for one bot on loopback: the bot's client talks to it as to api.telegram.org, and a test, a
// script or a prompt plays the people. State lives in memory; ids only ever grow, also over restarts of the bot.

import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ChatStore, callbackButtons } from "./emulator-chats.ts";
import type { BotContext, CallbackQueryRecord } from "./emulator-context.ts";
import { findEntities } from "./emulator-entities.ts";
import type { Fault } from "./emulator-faults.ts";
import { FaultList } from "./emulator-faults.ts";
import type { StoredFile } from "./emulator-files.ts";
import { FileStore } from "./emulator-files.ts";
import { EmulatorUseError } from "./emulator-refusal.ts";
import { createEmulatorServer, runWebhookReply } from "./emulator-server.ts";
import type { ApiCall, ChatEvent, ChatType, Message, User } from "./emulator-types.ts";
import { UpdateQueue } from "./emulator-updates.ts";
import { WebhookSender } from "./emulator-webhook.ts";

const callsMax = 5_000;
const queriesMax = 10_000;

export interface EmulatorOptions {
  readonly token: string;
  readonly username?: string;
  /** Milliseconds since 1970; a test moves it to let presses and updates expire. */
  readonly nowMs?: () => number;
  /** Factor on the waits between webhook retries (0, 2, 4, 8 … s). */
  readonly webhookRetryScale?: number;
  /** First message id and update id; a later run against the same bot state must start higher. */
  readonly firstId?: number;
}

export interface SendOptions {
  readonly chatType?: ChatType;
  /** How long ago it was sent, in seconds. */
  readonly ageSeconds?: number;
  readonly replyToMessageId?: number;
}

/** A button by its label, a pattern for the label, or its callback data whether shown or not. */
export type ButtonChoice = string | RegExp | { readonly data: string };

export class BotApiEmulator {
  readonly bot: User;
  readonly #context: BotContext;
  readonly #faults = new FaultList();
  readonly #server: Server;
  readonly #calls: ApiCall[] = [];
  #queryCount = 0;

  constructor(options: EmulatorOptions) {
    const nowMs = options.nowMs ?? Date.now;
    const firstId = options.firstId ?? 1;
    const username = options.username ?? "pitboss_local_bot";
    this.bot = {
      id: Number(options.token.split(":")[0]),
      is_bot: true,
      first_name: "Pitboss",
      username,
    };
    const updates = new UpdateQueue(nowMs, firstId);
    const webhook: WebhookSender = new WebhookSender({
      queue: updates,
      nowMs,
      retryScale: options.webhookRetryScale ?? 1,
      onReply: (fields) => runWebhookReply(this.#context, fields),
      losesAnswer: () => this.#faults.takeRedelivery(),
    });
    updates.onAdded = () => webhook.pump();
    this.#context = {
      bot: this.bot,
      nowMs,
      chats: new ChatStore(nowMs, firstId),
      files: new FileStore(),
      updates,
      webhook,
      callbackQueries: new Map(),
      inlineQueries: new Map(),
      commands: new Map(),
      topics: new Map(),
      profile: new Map(),
    };
    this.#server = createEmulatorServer({
      token: options.token,
      context: this.#context,
      faults: this.#faults,
      onCall: (call) => {
        this.#calls.push(call);
        if (this.#calls.length > callsMax) this.#calls.shift();
      },
    });
  }

  /** Starts listening on loopback; port 0 takes a free one. */
  listen(port = 0): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(port, "127.0.0.1", resolve);
    return promise;
  }

  /** What the bot's client takes as `apiRoot`. */
  get apiRoot(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.#context.webhook.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    return promise;
  }

  /** Adds a person; `opened` (default true) says that the person once started the bot. */
  addUser(id: number, firstName: string, opened = true): User {
    const username = `${firstName.toLowerCase().replaceAll(/\W/g, "_")}_${id}`;
    const user = { id, is_bot: false, first_name: firstName, username, language_code: "en" };
    return this.#context.chats.addUser(user, opened);
  }

  /** A person writes to the bot. */
  send(userId: number, text: string, options: SendOptions = {}): Message {
    const { chats, updates, nowMs } = this.#context;
    const state = chats.chatOf(userId, options.chatType ?? "private");
    state.opened = true;
    const entities = findEntities(text);
    const reply = state.messages.get(options.replyToMessageId ?? -1);
    const message: Message = {
      message_id: chats.takeMessageId(),
      from: chats.user(userId),
      chat: state.chat,
      date: Math.floor(nowMs() / 1000 - (options.ageSeconds ?? 0)),
      text,
      ...(entities.length > 0 && { entities }),
      ...(reply !== undefined && { reply_to_message: reply }),
    };
    chats.put(message);
    chats.recordMessage("in", "message", message);
    updates.add("message", message, `chat:${state.chat.id}`);
    return message;
  }

  /** A person presses a button; the id of the callback query. Throws when the label is not shown. */
  press(
    userId: number,
    messageId: number,
    button: ButtonChoice,
    options: SendOptions = {},
  ): string {
    const { chats } = this.#context;
    const { chat, messages } = chats.chatOf(userId, options.chatType ?? "private");
    const message = messages.get(messageId);
    const shown = message === undefined ? [] : callbackButtons(message);
    const hit = shown.find((one) => isChosen(button, one.text, one.data));
    const given = typeof button === "string" || button instanceof RegExp ? null : button.data;
    const data = hit?.data ?? given;
    if (data === null) throw new EmulatorUseError(`message ${messageId} shows no such button`);
    return this.#query({
      userId,
      chatId: chat.id,
      messageId,
      label: hit?.text ?? `(gone) ${data}`,
      data,
      atMs: this.#context.nowMs() - (options.ageSeconds ?? 0) * 1000,
    });
  }

  /** The same press again as a new update, as an app does that closed before it got the answer. */
  pressAgain(queryId: string): string {
    const query = this.#context.callbackQueries.get(queryId);
    if (query === undefined) throw new EmulatorUseError(`no callback query ${queryId}`);
    const { id: _id, ...rest } = query;
    return this.#query({ ...rest, atMs: this.#context.nowMs() });
  }

  #query(fields: Omit<CallbackQueryRecord, "id">): string {
    const { chats, callbackQueries, updates } = this.#context;
    this.#queryCount += 1;
    const id = `${fields.userId}${String(fields.atMs)}${this.#queryCount}`;
    callbackQueries.set(id, { ...fields, id });
    for (const oldest of callbackQueries.keys()) {
      if (callbackQueries.size <= queriesMax) break;
      callbackQueries.delete(oldest);
    }
    const { userId, chatId, messageId, label, data } = fields;
    const state = chats.find(chatId);
    // A message that was deleted reaches the bot as an inaccessible one, with date 0.
    const message = state?.messages.get(messageId) ?? {
      chat: state?.chat,
      message_id: messageId,
      date: 0,
    };
    chats.record({ dir: "in", kind: "press", chatId, userId, messageId, text: label });
    const content = { id, from: chats.user(userId), message, chat_instance: String(chatId), data };
    updates.add("callback_query", content, `user:${userId}`);
    return id;
  }

  /** A person types `@bot query`; the id under which `inlineResults` finds the answer. */
  inlineQuery(userId: number, query: string): string {
    const { chats, inlineQueries, updates, nowMs } = this.#context;
    this.#queryCount += 1;
    const id = `i${this.#queryCount}`;
    inlineQueries.set(id, { userId, atMs: nowMs(), results: null });
    const content = { id, from: chats.user(userId), query, offset: "", chat_type: "sender" };
    updates.add("inline_query", content, `user:${userId}`);
    return id;
  }

  inlineResults(queryId: string): readonly unknown[] | null {
    return this.#context.inlineQueries.get(queryId)?.results ?? null;
  }

  /** The person blocks or unblocks the bot, which the bot learns by an update of its own. */
  setBlocked(userId: number, blocked: boolean): void {
    const { chats, updates, nowMs } = this.#context;
    const state = chats.chatOf(userId, "private");
    state.blocked = blocked;
    const member = (isIn: boolean): object => ({
      user: this.bot,
      status: isIn ? "member" : "kicked",
    });
    updates.add(
      "my_chat_member",
      {
        chat: state.chat,
        from: chats.user(userId),
        date: Math.floor(nowMs() / 1000),
        old_chat_member: member(blocked),
        new_chat_member: member(!blocked),
      },
      `chat:${state.chat.id}`,
    );
  }

  fault(fault: Fault): void {
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  get chats(): ChatStore {
    return this.#context.chats;
  }

  /** Messages of a chat as they are now, oldest first. */
  history(chatId: number): readonly Message[] {
    return [...(this.chats.find(chatId)?.messages.values() ?? [])];
  }

  /** Everything that happened, oldest first: messages, edits, deletions, presses and their answers. */
  get events(): readonly ChatEvent[] {
    return this.chats.events;
  }

  get calls(): readonly ApiCall[] {
    return this.#calls;
  }

  /** How many updates the bot has not confirmed yet. */
  get pendingUpdates(): number {
    return this.#context.updates.pending.length;
  }

  /** Whether a getUpdates call is waiting for updates right now. */
  get isPolled(): boolean {
    return this.#context.updates.isPolled;
  }

  /** The command list of a private chat, or the default one without a chat. */
  commands(chatId?: number): readonly unknown[] {
    const scope = chatId === undefined ? "default::" : `chat:${chatId}:`;
    return this.#context.commands.get(`${scope}|`) ?? [];
  }

  /** An uploaded file by its id. */
  file(fileId: string): StoredFile | undefined {
    return this.#context.files.get(fileId);
  }

  /**
   * Waits until `check` gives something else than undefined, looking again after every event; undefined after
   * `timeoutMs` or when the signal fires.
   */
  async until<T>(
    check: () => T | undefined,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const now = check();
    if (now !== undefined || signal?.aborted === true) return now;
    const { promise, resolve } = Promise.withResolvers<T | undefined>();
    const timer = setTimeout(() => resolve(check()), timeoutMs);
    const onAbort = (): void => resolve(undefined);
    signal?.addEventListener("abort", onAbort, { once: true });
    const stop = this.onEvent(() => {
      const value = check();
      if (value !== undefined) resolve(value);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      stop();
    }
  }

  /** Calls the listener for every event from now on; the result stops it. */
  onEvent(listener: (event: ChatEvent) => void): () => void {
    return this.chats.listen(listener);
  }
}

function isChosen(choice: ButtonChoice, label: string, data: string): boolean {
  if (typeof choice === "string") return choice === label;
  if (choice instanceof RegExp) return choice.test(label);
  return choice.data === data;
}

/** Creates an emulator that listens already. */
export async function startEmulator(options: EmulatorOptions): Promise<BotApiEmulator> {
  const emulator = new BotApiEmulator(options);
  await emulator.listen();
  return emulator;
}
