import type { PendingCommand } from "../engine/api/requests.ts";
import { parsePressData } from "./actions/bot-action.ts";
import type { ButtonMaker } from "./actions/buttons.ts";
import type { BotDeps } from "./bot-deps.ts";
import type { CardRegistry } from "./card-registry.ts";
import type { ChatStates } from "./chat-state.ts";
import { refuse } from "./features/refusals.ts";
import { route } from "./features/router.ts";
import { killReason } from "./parse/command-text.ts";
import { describeError } from "./redact.ts";
import { type Explanation, renderExplanation } from "./render/explanation.ts";
import { modeTag } from "./render/mode.ts";
import { answerKey, message, type Reply, type Turn, toOutMessage } from "./turn.ts";
import type { TurnHints } from "./turn-hints.ts";
import { withinMs } from "./within.ts";

/** Commands that wait at one time; more are refused at once, kills never. */
export const maxPendingCommands = 200;
export const defaultMessageMaxAgeMs = 60_000;
/** An answer that cannot be kept is offered this often before it is left to the next start. */
const maxAnswerAttempts = 3;

const commandFailed: Explanation = {
  what: "Something went wrong inside the desk; this is a bug, not your mistake.",
  money: "If an order was sent, its fate is told by a message of its own.",
  todo: "Look at /orders and /status before you try again",
};

const killFailed: Explanation = {
  what: "KILL: the gate is closed, nothing new is sent, but the kill could not be written down.",
  money: "Open orders may still be at the venue; positions are kept.",
  todo: "Send /kill again, then look at /orders; stop the service if it does not help",
};

/** A feature that has not answered by then is answered for; what it started goes on and is told by notices. */
const commandTimeoutMs = 30_000;
const stopTimeoutMs = 5_000;

class CommandTimeoutError extends Error {
  override readonly name = "CommandTimeoutError";
}

async function inTime(reply: Promise<Reply>): Promise<Reply> {
  const inside = await withinMs(reply, commandTimeoutMs);
  if (inside === null) throw new CommandTimeoutError(`no answer within ${commandTimeoutMs} ms`);
  return inside;
}

export type DispatcherParts = {
  readonly cards: CardRegistry;
  readonly chats: ChatStates;
  readonly buttons: ButtonMaker;
  readonly hints: TurnHints;
  /** Sends a text past the outbox, for when the ledger cannot keep an answer. Best effort. */
  tellDirectly(chatId: number, text: string): void;
};

/** True for a command that kills; it waits for nobody and has no age. */
export function isKillCommand(command: PendingCommand): boolean {
  return command.kind === "press"
    ? parsePressData(command.text)?.verb === "kill"
    : killReason(command.text) !== null;
}

/**
 * Works through the commands that wait in the ledger: those of a chat in order, chats side by side, a kill ahead of
 * everything. Each one ends with an answer, also when its feature throws, and is worked on once a run.
 */
export class Dispatcher {
  private readonly deps: BotDeps;
  private readonly parts: DispatcherParts;
  private readonly taken = new Set<string>();
  private readonly chains = new Map<number, Promise<void>>();
  private readonly working = new Set<Promise<void>>();
  private stopped = false;

  constructor(deps: BotDeps, parts: DispatcherParts) {
    this.deps = deps;
    this.parts = parts;
  }

  /** Takes up every command that waits and is not yet being worked on. Call it after a command was received. */
  pump(): void {
    if (this.stopped) return;
    try {
      this.takeUp(this.deps.api.pendingCommands());
    } catch (error) {
      this.deps.log.error("waiting commands could not be read", { error: describeError(error) });
    }
  }

  private takeUp(pending: readonly PendingCommand[]): void {
    this.forgetAnswered(pending);
    const fresh = pending.filter((command) => !this.taken.has(command.commandId));
    for (const command of fresh.filter(isKillCommand)) this.start(command, null);
    for (const command of fresh) {
      if (this.taken.has(command.commandId)) continue;
      if (this.taken.size >= maxPendingCommands) this.start(command, "busy");
      else this.enqueue(command);
    }
  }

  /** Takes nothing new and waits for what is being worked on, but not for ever: it is found again at the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    await withinMs(Promise.allSettled(this.working), stopTimeoutMs);
  }

  private enqueue(command: PendingCommand): void {
    const { chatId } = command.actor;
    this.taken.add(command.commandId);
    const before = this.chains.get(chatId) ?? Promise.resolve();
    const work = before.then(() => (this.stopped ? undefined : this.work(command, null)));
    this.chains.set(chatId, work);
    this.track(work);
  }

  private start(command: PendingCommand, refusal: "busy" | null): void {
    this.taken.add(command.commandId);
    this.track(this.work(command, refusal));
  }

  private track(work: Promise<void>): void {
    this.working.add(work);
    void work.finally(() => this.working.delete(work));
  }

  private forgetAnswered(pending: readonly PendingCommand[]): void {
    const waiting = new Set(pending.map((command) => command.commandId));
    for (const id of this.taken) if (!waiting.has(id)) this.taken.delete(id);
  }

  private turnOf(command: PendingCommand): Turn {
    const { deps, parts } = this;
    const ageMs = deps.now() - command.sentAtMs;
    return {
      api: deps.api,
      deps,
      command,
      actor: command.actor,
      chat: parts.chats.of(command.actor.chatId),
      cards: parts.cards,
      buttons: parts.buttons,
      tooOld: ageMs > (deps.messageMaxAgeMs ?? defaultMessageMaxAgeMs),
      cardPress: parts.hints.get(command.commandId),
    };
  }

  private async work(command: PendingCommand, refusal: "busy" | null): Promise<void> {
    const turn = this.turnOf(command);
    let reply: Reply;
    try {
      // Between reading a command and working on it, its author may have been taken off the list.
      if (!this.deps.whitelist.includes(command.actor.userId)) {
        reply = { verdict: "refused", reason: "not_whitelisted", messages: [] };
      } else {
        reply = refusal === null ? await inTime(route(turn)) : refuse(turn, { code: refusal });
      }
    } catch (error) {
      reply = this.failed(command, error);
    }
    await this.answer(command, reply);
    this.parts.hints.delete(command.commandId);
  }

  private failed(command: PendingCommand, error: unknown): Reply {
    const reference = this.deps.randomHex(2);
    this.deps.log.error("a command failed", {
      reference,
      commandId: command.commandId,
      error: describeError(error),
    });
    const head = `${modeTag(this.deps.mode)} · FAILED`;
    const text = renderExplanation(
      head,
      isKillCommand(command) ? killFailed : commandFailed,
      reference,
    );
    return { verdict: "failed", reason: `internal ${reference}`, messages: [message(text)] };
  }

  private async answer(command: PendingCommand, reply: Reply): Promise<void> {
    const isKill = isKillCommand(command);
    const messages = reply.messages.map((one, n) =>
      toOutMessage(answerKey(command.commandId, n, isKill), command.actor.chatId, one),
    );
    for (let attempt = 1; attempt <= maxAnswerAttempts; attempt++) {
      try {
        await this.deps.api.answer(command.commandId, reply.verdict, reply.reason, messages);
        return;
      } catch (error) {
        this.deps.log.error("an answer was not kept", {
          commandId: command.commandId,
          attempt,
          error: describeError(error),
        });
      }
    }
    this.parts.tellDirectly(
      command.actor.chatId,
      `The desk cannot write its records, so this answer will not be repeated:\n${messages
        .map((one) => one.text)
        .join("\n")}`,
    );
    // The command stays taken, so that it is not worked on twice; the next start will find it unanswered.
  }
}
