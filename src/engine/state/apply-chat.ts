import { assert, unreachable } from "../lib/assert.ts";
import type { EngineState } from "./engine-state.ts";
import type { Fact } from "./fact.ts";

type ChatFact = Extract<
  Fact,
  {
    readonly kind:
      | "command.received"
      | "command.answered"
      | "message.queued"
      | "message.sent"
      | "message.failed"
      | "notice.raised"
      | "notices.told";
  }
>;

/** Inbox, outbox, buttons and notices. */
export function applyChatFact(state: EngineState, fact: ChatFact, atMs: number): void {
  switch (fact.kind) {
    case "command.received":
      state.commands.set(fact.command.commandId, fact.command);
      return;
    case "command.answered":
      state.commands.delete(fact.commandId);
      state.answered.set(fact.commandId, fact.verdict);
      return;
    case "message.queued": {
      const { message } = fact;
      assert(!state.outbox.has(message.key), "a message key is queued once");
      state.outbox.set(message.key, {
        ...message,
        messageId: message.key,
        attempts: 0,
        notBeforeMs: atMs,
        seq: state.seq,
      });
      for (const row of message.keyboard) {
        for (const button of row) {
          if (button.copyText !== undefined) continue;
          const { verb, action } = button;
          state.buttons.set(button.nonce, { chatId: message.chatId, verb, action });
        }
      }
      return;
    }
    case "message.sent":
      state.outbox.delete(fact.key);
      state.sent.set(fact.key, fact.telegramMessageId);
      return;
    case "message.failed": {
      const message = state.outbox.get(fact.key);
      if (message === undefined) return;
      if (fact.retryAtMs === null) {
        state.outbox.delete(fact.key);
        state.sent.set(fact.key, null);
        return;
      }
      const attempts = message.attempts + 1;
      state.outbox.set(fact.key, { ...message, attempts, notBeforeMs: fact.retryAtMs });
      return;
    }
    case "notice.raised":
      state.notices.set(fact.notice.noticeId, fact.notice);
      state.lastNoticeId = fact.notice.noticeId;
      for (const told of fact.tells) state.told.set(told.subject, told.step);
      return;
    case "notices.told":
      state.toldUpTo = fact.upTo;
      return;
    default:
      unreachable(fact);
  }
}
