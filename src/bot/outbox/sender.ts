import type { Api } from "grammy";
import type { EngineApi } from "../../engine/api/engine-api.ts";
import type { DueMessage, OutPriority } from "../../engine/api/outbox.ts";
import type { BotLog } from "../bot-deps.ts";
import { describeError } from "../redact.ts";
import { withinMs } from "../within.ts";
import { sendMessage } from "./send-message.ts";
import type { TelegramFailure } from "./telegram-failure.ts";

/** Waits between attempts while Telegram cannot be reached: 1 s, doubling to 60 s. */
const firstBackoffMs = 1_000;
const maxBackoffMs = 60_000;
/** A message is given up after so many attempts: at one a minute, more than a day. */
const maxAttempts = 2_000;
/** A call to Telegram may last longer; what it sent is then sent again at the next start. */
const stopTimeoutMs = 5_000;
/** Sent messages remembered while the outbox cannot be told. */
const maxUnmarked = 1_000;
/** Messages may become due without anybody calling, after a restart: look this often. */
const idlePollMs = 5_000;

const ranks: Readonly<Record<OutPriority, number>> = {
  answer: 1,
  fill: 2,
  confirmation: 3,
  alert: 4,
  live: 5,
};

type ChatLane = {
  busy: boolean;
  /** Nothing is sent before this; `flood` is Telegram's own wish, which no message may pass. */
  blockedUntilMs: number;
  reason: "flood" | "network" | null;
  failures: number;
};

export type SenderDeps = {
  readonly api: EngineApi;
  readonly telegram: Api;
  readonly log: BotLog;
  now(): number;
  /** A chat does not take messages any more: the others are told, once a run. */
  onDeadChat(chatId: number): void;
  /** The token is not accepted. */
  onUnauthorized(): void;
};

/** The acknowledgement of a kill leaves before any other answer. */
function rankOf(message: DueMessage): number {
  return message.key.startsWith("k:") ? 0 : ranks[message.priority];
}

/** Empties the durable outbox into Telegram: one message at a time for a chat, chats side by side. */
export class OutboxSender {
  private readonly deps: SenderDeps;
  private readonly lanes = new Map<number, ChatLane>();
  private readonly inFlight = new Set<string>();
  /** Keys that wait for their next attempt, so that an edit of them waits too. */
  private readonly retrying = new Map<string, number>();
  private readonly deadChats = new Set<number>();
  /** Sent, but the outbox could not be told: told again later, never sent again. */
  private readonly unmarked = new Map<string, number>();
  private readonly working = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(deps: SenderDeps) {
    this.deps = deps;
  }

  /** Sends what is due. Cheap when nothing is; call it after every change. */
  pump(): void {
    if (this.stopped) return;
    try {
      this.startDue();
    } catch (error) {
      this.deps.log.error("the outbox could not be read", { error: describeError(error) });
      this.wakeIn(idlePollMs);
    }
  }

  /** Somebody whose chat was dead wrote again. */
  revive(chatId: number): void {
    this.deadChats.delete(chatId);
  }

  private startDue(): void {
    const nowMs = this.deps.now();
    const due = this.deps.api.dueMessages(nowMs).filter((one) => !this.inFlight.has(one.messageId));
    const byChat = new Map<number, DueMessage[]>();
    for (const one of due) {
      const list = byChat.get(one.chatId);
      if (list === undefined) byChat.set(one.chatId, [one]);
      else list.push(one);
    }
    let wakeMs = idlePollMs;
    for (const [chatId, messages] of byChat) {
      const waitMs = this.startChat(chatId, messages, nowMs);
      if (waitMs > 0) wakeMs = Math.min(wakeMs, waitMs);
    }
    for (const atMs of this.retrying.values()) {
      if (atMs > nowMs) wakeMs = Math.min(wakeMs, atMs - nowMs);
    }
    this.wakeIn(wakeMs);
  }

  /** Waits for the calls under way; what is left stays in the outbox. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await withinMs(Promise.allSettled(this.working), stopTimeoutMs);
  }

  private wakeIn(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), ms);
    this.timer.unref();
  }

  private laneOf(chatId: number): ChatLane {
    let lane = this.lanes.get(chatId);
    if (lane === undefined) {
      lane = { busy: false, blockedUntilMs: 0, reason: null, failures: 0 };
      this.lanes.set(chatId, lane);
    }
    return lane;
  }

  /** Starts the next message of a chat; returns how long the chat is still blocked. */
  private startChat(chatId: number, messages: readonly DueMessage[], nowMs: number): number {
    const lane = this.laneOf(chatId);
    if (lane.busy) return 0;
    const ordered = [...messages].sort((a, b) => rankOf(a) - rankOf(b));
    const next = ordered.find((one) => !this.mustWaitForTarget(one, ordered));
    if (next === undefined) return firstBackoffMs;
    const waitMs = lane.blockedUntilMs - nowMs;
    // A kill does not wait out a back-off of ours; it does wait when Telegram asked for it.
    const mayPass = rankOf(next) === 0 && lane.reason === "network" && next.attempts === 0;
    if (waitMs > 0 && !mayPass) return waitMs;
    lane.busy = true;
    this.inFlight.add(next.messageId);
    const work = this.work(next, lane, ordered);
    this.working.add(work);
    void work.finally(() => {
      this.working.delete(work);
      lane.busy = false;
      this.inFlight.delete(next.messageId);
      this.pump();
    });
    return 0;
  }

  /** An edit of a message that is itself still to be sent waits for it. */
  private mustWaitForTarget(message: DueMessage, others: readonly DueMessage[]): boolean {
    const key = message.editKey;
    if (key === null || this.deps.api.telegramMessageId(key) !== null) return false;
    return this.retrying.has(key) || others.some((other) => other.key === key);
  }

  private targetOf(message: DueMessage): number | null {
    if (message.editMessageId !== null) return message.editMessageId;
    return message.editKey === null ? null : this.deps.api.telegramMessageId(message.editKey);
  }

  private async work(
    message: DueMessage,
    lane: ChatLane,
    ordered: readonly DueMessage[],
  ): Promise<void> {
    const { log } = this.deps;
    try {
      const sentBefore = this.unmarked.get(message.messageId);
      if (sentBefore !== undefined) return await this.markSent(message, sentBefore);
      if (this.deadChats.has(message.chatId)) return await this.giveUp(message, "dead chat");
      const target = this.targetOf(message);
      const isSuperseded =
        target !== null &&
        ordered
          .slice(ordered.indexOf(message) + 1)
          .some((later) => this.targetOf(later) === target);
      if (isSuperseded) {
        // Only the newest text of a message is worth a call.
        return await this.markSent(message, target);
      }
      const result = await sendMessage(this.deps.telegram, message, target);
      if (result.ok) {
        // A block that a kill passed stays, or the messages behind the waiting one would overtake it.
        lane.failures = 0;
        await this.markSent(message, result.telegramMessageId);
      } else {
        await this.failed(message, lane, result.failure);
      }
    } catch (error) {
      lane.blockedUntilMs = this.deps.now() + firstBackoffMs;
      lane.reason = "network";
      log.error("an outbox message could not be worked on", {
        key: message.key,
        error: describeError(error),
      });
    }
  }

  private async failed(
    message: DueMessage,
    lane: ChatLane,
    failure: TelegramFailure,
  ): Promise<void> {
    const { log } = this.deps;
    switch (failure.kind) {
      case "flood":
        lane.reason = "flood";
        lane.blockedUntilMs = this.deps.now() + failure.retryAfterMs;
        log.warn("Telegram asks to wait", {
          chatId: message.chatId,
          retryAfterMs: failure.retryAfterMs,
        });
        // A live edit is not worth its place in the queue of a flooded chat.
        if (message.priority === "live") return this.giveUp(message, "flood");
        return this.retryAt(message, lane.blockedUntilMs, "flood");
      case "network":
      case "unauthorized": {
        if (failure.kind === "unauthorized") this.deps.onUnauthorized();
        lane.failures += 1;
        lane.reason = "network";
        const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** (lane.failures - 1));
        lane.blockedUntilMs = this.deps.now() + backoffMs;
        return this.retryAt(message, lane.blockedUntilMs, failure.kind);
      }
      case "dead_chat":
        this.deadChats.add(message.chatId);
        log.error("a chat takes no messages any more", { chatId: message.chatId });
        await this.giveUp(message, "dead chat");
        return this.deps.onDeadChat(message.chatId);
      case "unchanged":
      case "edit_gone":
      case "too_long":
      case "bad_entities":
      case "bad_keyboard":
      case "other":
        log.error("Telegram refuses a message", {
          key: message.key,
          kind: failure.kind,
          description: failure.kind === "other" ? describeError(failure.description) : "",
        });
        return this.giveUp(message, failure.kind);
    }
  }

  private async retryAt(message: DueMessage, atMs: number, why: string): Promise<void> {
    if (message.attempts + 1 >= maxAttempts) {
      this.deps.log.error("a message was given up", { key: message.key, why });
      return this.giveUp(message, why);
    }
    this.retrying.set(message.key, atMs);
    return this.deps.api.markFailed(message.messageId, why, atMs);
  }

  private async markSent(message: DueMessage, telegramMessageId: number): Promise<void> {
    this.retrying.delete(message.key);
    if (this.unmarked.size < maxUnmarked) this.unmarked.set(message.messageId, telegramMessageId);
    await this.deps.api.markSent(message.messageId, telegramMessageId);
    this.unmarked.delete(message.messageId);
  }

  private async giveUp(message: DueMessage, why: string): Promise<void> {
    this.retrying.delete(message.key);
    await this.deps.api.markFailed(message.messageId, why, null);
  }
}
