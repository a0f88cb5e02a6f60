import type { EngineApi } from "../engine/api/engine-api.ts";
import type { OutMessage, OutPriority } from "../engine/api/outbox.ts";
import type { Actor, PendingCommand, Verdict } from "../engine/api/requests.ts";
import type { ButtonMaker, Keyboard } from "./actions/buttons.ts";
import type { BotDeps } from "./bot-deps.ts";
import type { CardRegistry, MessageTarget, PressOfCard } from "./card-registry.ts";
import type { ChatState } from "./chat-state.ts";
import type { RichText } from "./text/rich-text.ts";

/** One command being worked on, with everything that a feature may use. */
export type Turn = {
  readonly api: EngineApi;
  readonly deps: BotDeps;
  readonly command: PendingCommand;
  readonly actor: Actor;
  readonly chat: ChatState;
  readonly cards: CardRegistry;
  readonly buttons: ButtonMaker;
  /** True when the command is older than a command that raises risk may be. */
  readonly tooOld: boolean;
  /** What was seen of the pressed card when the press came in. */
  readonly cardPress: PressOfCard;
};

/** One message of an answer; `edit` changes the pressed message instead of sending a new one. */
export type ReplyMessage = {
  readonly body: RichText;
  readonly keyboard: Keyboard;
  readonly target: MessageTarget | null;
  readonly priority: OutPriority;
};

/** How a command ended and what is said about it. No message means that a toast has said it. */
export type Reply = {
  readonly verdict: Verdict;
  /** Code or short text for the audit row. */
  readonly reason: string;
  readonly messages: readonly ReplyMessage[];
};

export type Feature = (turn: Turn, args: string) => Promise<Reply> | Reply;

/** Outbox key of the n-th message of an answer; a kill's own is told apart because it leaves first. */
export function answerKey(commandId: string, n: number, isKill = false): string {
  return `${isKill ? "k" : "c"}:${commandId}:${n}`;
}

/** Key of the first message of this turn's answer, to edit it later. */
export function firstMessageTarget(turn: Turn): MessageTarget {
  return { editMessageId: null, editKey: answerKey(turn.command.commandId, 0) };
}

/** The message that carries the pressed button. */
export function pressedMessage(turn: Turn): MessageTarget | null {
  return turn.command.kind === "press"
    ? { editMessageId: turn.command.messageId, editKey: null }
    : null;
}

export function message(
  body: RichText,
  keyboard: Keyboard = [],
  target: MessageTarget | null = null,
): ReplyMessage {
  return { body, keyboard, target, priority: "answer" };
}

export function answered(...messages: readonly ReplyMessage[]): Reply {
  return { verdict: "answered", reason: "", messages };
}

export function refused(reason: string, ...messages: readonly ReplyMessage[]): Reply {
  return { verdict: "refused", reason, messages };
}

export function executed(reason: string, ...messages: readonly ReplyMessage[]): Reply {
  return { verdict: "executed", reason, messages };
}

/**
 * A message in the form that the outbox keeps. All edits share one priority, so that two edits of one message leave in the
 * order in which they were made.
 */
export function toOutMessage(key: string, chatId: number, from: ReplyMessage): OutMessage {
  return {
    key,
    chatId,
    priority: from.target === null ? from.priority : "answer",
    text: from.body.text,
    entities: from.body.entities,
    keyboard: from.keyboard,
    editMessageId: from.target?.editMessageId ?? null,
    editKey: from.target?.editKey ?? null,
    replyToMessageId: null,
    silent: false,
  };
}
