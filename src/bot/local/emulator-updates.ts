// The queue of updates of one bot: increasing ids, confirmation by offset, one waiting poll, expiry.
import { conflict } from "./emulator-refusal.ts";

const pendingMax = 10_000;
const limitMax = 100;
const timeoutSecondsMax = 50;
/** How long the real server keeps what a bot does not fetch (Client.cpp). */
const lifetimeMs = { message: 86_400_000, callback_query: 150_000, inline_query: 30_000 } as const;
/** Kinds that a bot gets only when it asks for them. */
const optInKinds = new Set(["chat_member", "message_reaction", "message_reaction_count"]);

export type UpdateKind = "message" | "callback_query" | "inline_query" | "my_chat_member";

export interface Update {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

interface PendingUpdate {
  readonly id: number;
  readonly body: Update;
  /** Updates of one lane are pushed one after the other. */
  readonly lane: string;
  readonly expiresAtMs: number;
}

export interface PollRequest {
  readonly offset: number;
  readonly limit: number;
  readonly timeoutS: number;
}

interface WaitingPoll {
  readonly answer: () => void;
  readonly refuse: (error: Error) => void;
}

export class UpdateQueue {
  readonly #nowMs: () => number;
  #pending: PendingUpdate[] = [];
  #nextId: number;
  #waiting: WaitingPoll | null = null;
  #allowed: readonly string[] = [];
  /** Called after an update was added; the webhook sender listens here. */
  onAdded: () => void = () => {};

  constructor(nowMs: () => number, firstUpdateId: number) {
    this.#nowMs = nowMs;
    this.#nextId = firstUpdateId;
  }

  get isPolled(): boolean {
    return this.#waiting !== null;
  }

  get allowedUpdates(): readonly string[] {
    return this.#allowed;
  }

  /** Keeps the choice until the next one; an empty list is the default set. */
  allow(kinds: readonly string[] | undefined): void {
    if (kinds !== undefined) this.#allowed = kinds;
  }

  /** Adds an update unless the bot did not ask for its kind; the id, or null when it was left out. */
  add(kind: UpdateKind, content: unknown, lane: string): number | null {
    const asked = this.#allowed.length > 0 ? this.#allowed.includes(kind) : !optInKinds.has(kind);
    if (!asked) return null;
    const id = this.#nextId;
    this.#nextId += 1;
    const life = lifetimeMs[kind === "my_chat_member" ? "message" : kind];
    const body = { update_id: id, [kind]: content };
    this.#pending.push({ id, body, lane, expiresAtMs: this.#nowMs() + life });
    if (this.#pending.length > pendingMax) this.#pending.shift();
    this.#waiting?.answer();
    this.onAdded();
    return id;
  }

  /** What is still to be delivered, oldest first, without what has expired. */
  get pending(): readonly PendingUpdate[] {
    const nowMs = this.#nowMs();
    this.#pending = this.#pending.filter((update) => update.expiresAtMs > nowMs);
    return this.#pending;
  }

  remove(id: number): void {
    this.#pending = this.#pending.filter((update) => update.id !== id);
  }

  clear(): void {
    this.#pending = [];
  }

  /**
   * Answers one getUpdates call. `gone` fires when the client went away: then the poll is dropped at once,
   * so that the next one finds nobody waiting. Throws 409 when a newer poll or a webhook takes over.
   */
  async poll(request: PollRequest, gone: AbortSignal): Promise<readonly Update[]> {
    this.endWaitingPoll(
      "terminated by other getUpdates request; make sure that only one bot instance is running",
    );
    this.#confirm(request.offset);
    const timeoutMs = Math.min(Math.max(request.timeoutS, 0), timeoutSecondsMax) * 1000;
    if (this.pending.length === 0 && timeoutMs > 0 && !gone.aborted) {
      await this.#wait(timeoutMs, gone);
    }
    const limit = Math.min(Math.max(request.limit, 1), limitMax);
    return this.pending.slice(0, limit).map((update) => update.body);
  }

  endWaitingPoll(reason: string): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.refuse(conflict(reason));
  }

  #confirm(offset: number): void {
    if (offset > 0) this.#pending = this.#pending.filter((update) => update.id >= offset);
    else if (offset < 0) this.#pending = this.#pending.slice(offset);
  }

  async #wait(timeoutMs: number, gone: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: WaitingPoll = { answer: resolve, refuse: reject };
    const timer = setTimeout(resolve, timeoutMs);
    const onGone = (): void => resolve();
    gone.addEventListener("abort", onGone, { once: true });
    this.#waiting = waiting;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      gone.removeEventListener("abort", onGone);
      if (this.#waiting === waiting) this.#waiting = null;
    }
  }
}
