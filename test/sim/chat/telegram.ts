import { HttpError } from "grammy";
import type { Chance } from "../chance.ts";
import type { Faults } from "../faults.ts";
import type { Lifeline } from "../lifeline.ts";
import type { Scheduler } from "../scheduler.ts";
import { type ChatUpdate, type Deed, type ShownMessage, toUpdate } from "./updates.ts";

export type ApiAnswer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error_code: number;
      readonly description: string;
      readonly parameters?: { readonly retry_after?: number };
    };

/** A process that calls the Bot API, as the server sees it. */
export type Caller = {
  readonly life: Lifeline;
  /** These updates have just been handed over. */
  readonly onDelivered: (updates: readonly ChatUpdate[]) => void;
};

/** Lets an answer arrive at the process that asked. */
type Give = (answer: ApiAnswer, delayMs?: number, onArrival?: () => void) => void;

type Poll = {
  readonly caller: Caller;
  readonly give: Give;
  readonly isReordered: boolean;
};

export type TelegramParts = {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly chance: Chance;
  /** A person sees a new message or an edited one. */
  readonly onShown: (message: ShownMessage) => void;
};

const longPollMs = 25_000;
/** The bot's own limit for a call. */
const callTimeoutMs = 40_000;
const sendFaults = {
  none: 97,
  lost: 0.6,
  "lost-answer": 1,
  "flood-429": 0.6,
  "error-500": 0.8,
} as const;
const pollFaults = { none: 97, again: 1, reordered: 1, failed: 1 } as const;

/** The Bot API and the chats behind it. Updates wait until a poll with a later offset confirms them. */
export class SimTelegram {
  /** Every update that a person caused, by its id. */
  readonly updates = new Map<number, ChatUpdate>();
  readonly messages = new Map<number, ShownMessage>();
  readonly #parts: TelegramParts;
  readonly #waiting: ChatUpdate[] = [];
  #confirmed: ChatUpdate[] = [];
  #poll: Poll | null = null;
  #lastUpdateId = 500;
  #lastMessageId = 100;
  /** How getUpdates is refused during a bad period. */
  #refusal: ApiAnswer | null = null;

  constructor(parts: TelegramParts) {
    this.#parts = parts;
  }

  get pendingUpdates(): number {
    return this.#waiting.length;
  }

  /** A person does something; it reaches the server after the delay, and only there gets its number. */
  happen(done: Deed, delayMs: number): void {
    const { scheduler } = this.#parts;
    const atMs = scheduler.nowMs;
    const messageId = done.press?.messageId ?? ++this.#lastMessageId;
    scheduler.after(delayMs, () => {
      const update: ChatUpdate = { ...done, updateId: ++this.#lastUpdateId, atMs, messageId };
      this.updates.set(update.updateId, update);
      this.#waiting.push(update);
      this.#answerPoll();
    });
  }

  /** For a while somebody else polls with the token, or it is not accepted. */
  refuse(kind: "conflict" | "unauthorized", forMs: number): void {
    this.#parts.faults.count(`chat.${kind}`);
    this.#refusal =
      kind === "conflict"
        ? failure(409, "Conflict: terminated by other getUpdates request")
        : failure(401, "Unauthorized");
    this.#parts.scheduler.after(forMs, () => this.calm());
  }

  calm(): void {
    this.#refusal = null;
  }

  /** One call of the Bot API by a process. */
  call(caller: Caller, method: string, payload: Readonly<Record<string, unknown>>) {
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    // What is left of a dead process reaches nobody.
    if (!caller.life.isAlive) return promise;
    const give: Give = (answer, delayMs = this.#parts.chance.int(5, 80), onArrival) => {
      caller.life.after(delayMs, () => {
        onArrival?.();
        resolve(answer);
      });
    };
    const fail = (delayMs: number) => {
      caller.life.after(delayMs, () => {
        reject(new HttpError("Network request failed", new Error("reset")));
      });
    };
    if (method === "getUpdates") this.#getUpdates(caller, payload, give, fail);
    else if (method === "sendMessage" || method === "editMessageText") {
      this.#send(method, payload, give, fail);
    } else give({ ok: true, result: method === "getMe" ? me : true });
    return promise;
  }

  #getUpdates(
    caller: Caller,
    payload: Readonly<Record<string, unknown>>,
    give: Give,
    fail: (delayMs: number) => void,
  ): void {
    const offset = Number(payload["offset"] ?? 0);
    const { faults, scheduler } = this.#parts;
    if (this.#refusal !== null) return give(this.#refusal);
    const { fault, chance } = faults.decide("chat", "poll", pollFaults);
    if (fault === "failed") return fail(chance.int(10, 3_000));
    this.#confirm(offset);
    if (fault === "again") {
      // The confirmation was lost on the way: what was handled already comes once more.
      this.#waiting.unshift(...this.#confirmed.slice(-chance.int(1, 20)));
    }
    const poll: Poll = { caller, give, isReordered: fault === "reordered" };
    // Only the newest of two pollers gets updates.
    if (this.#poll?.caller.life.isAlive === true) {
      this.#poll.give(failure(409, "Conflict: terminated by other getUpdates request"));
    }
    this.#poll = poll;
    if (this.#waiting.length > 0) return this.#answerPoll();
    scheduler.after(longPollMs, () => {
      if (this.#poll !== poll) return;
      this.#poll = null;
      give({ ok: true, result: [] });
    });
    return undefined;
  }

  #confirm(offset: number): void {
    const isKept = (update: ChatUpdate) => update.updateId >= offset;
    const done = this.#waiting.filter((update) => !isKept(update));
    if (done.length === 0) return;
    this.#confirmed = [...this.#confirmed, ...done].slice(-100);
    const kept = this.#waiting.filter(isKept);
    this.#waiting.splice(0, this.#waiting.length, ...kept);
  }

  #answerPoll(): void {
    const poll = this.#poll;
    if (poll === null || this.#waiting.length === 0) return;
    if (!poll.caller.life.isAlive) {
      this.#poll = null;
      return;
    }
    this.#poll = null;
    const oldest = this.#waiting.slice(0, 100);
    const batch = poll.isReordered ? oldest.reverse() : oldest;
    const answer: ApiAnswer = { ok: true, result: batch.map(toUpdate) };
    poll.give(answer, 1, () => poll.caller.onDelivered(batch));
  }

  #send(
    method: string,
    payload: Readonly<Record<string, unknown>>,
    give: Give,
    fail: (delayMs: number) => void,
  ): void {
    const { fault, chance } = this.#parts.faults.decide("chat", method, sendFaults);
    switch (fault) {
      case "flood-429": {
        const parameters = { retry_after: chance.int(1, 5) };
        return give({ ...failure(429, "Too Many Requests"), parameters });
      }
      case "error-500":
        return give(failure(502, "Bad Gateway"));
      case "lost":
        return fail(chance.int(10, 2_000));
      case "lost-answer":
        this.#show(method, payload);
        return fail(chance.happens(0.1) ? callTimeoutMs : chance.int(10, 2_000));
      default: {
        const shown = this.#show(method, payload);
        return give({ ok: true, result: { message_id: shown.messageId } });
      }
    }
  }

  #show(method: string, payload: Readonly<Record<string, unknown>>): ShownMessage {
    const markup = payload["reply_markup"] as
      | { readonly inline_keyboard?: readonly (readonly { readonly callback_data?: string }[])[] }
      | undefined;
    const buttons = (markup?.inline_keyboard ?? [])
      .flat()
      .flatMap((button) => button.callback_data ?? []);
    const message: ShownMessage = {
      messageId:
        method === "editMessageText" ? Number(payload["message_id"]) : ++this.#lastMessageId,
      chatId: Number(payload["chat_id"]),
      text: String(payload["text"]),
      buttons,
    };
    this.messages.set(message.messageId, message);
    this.#parts.scheduler.after(30, () => this.#parts.onShown(message));
    return message;
  }
}

function failure(error_code: number, description: string) {
  return { ok: false, error_code, description } as const;
}

const me = { id: 1, is_bot: true, first_name: "Desk", username: "desk_bot" } as const;
