import { type Context, GrammyError } from "grammy";
import type { Message } from "grammy/types";
import type { Actor, CodeStep } from "../engine/api/requests.ts";
import type { BotDeps } from "./bot-deps.ts";
import { codeIn } from "./parse/resume-code.ts";
import { describeError } from "./redact.ts";
import { message, toOutMessage } from "./turn.ts";

type CodeParts = {
  readonly deps: BotDeps;
  /** Sends a text past the outbox. Best effort. */
  tellDirectly(chatId: number, text: string): void;
};

const notDeletedText =
  "Your message with the code could not be deleted: delete it yourself. A code works once, but nobody has to see it.";

function textIn(given: Message | undefined): string {
  return given?.text ?? given?.caption ?? "";
}

/**
 * What the code in a message was found to be; null when there is none. The message is deleted at once, and from here on
 * nobody has the digits. An edit is deleted but not taken: only a new message is a command.
 */
export function takeCode(parts: CodeParts, ctx: Context, actor: Actor): CodeStep | null {
  const { judgeCode } = parts.deps;
  const { update } = ctx;
  const given = update.message ?? update.edited_message;
  const digits = codeIn(textIn(given));
  if (judgeCode === undefined || given === undefined || digits === null) return null;
  void deleteMessage(parts.deps, ctx, actor, given.message_id);
  if (update.message !== undefined) return judgeCode(digits);
  const text = "A code in an edited message is not taken: send it as a new one.";
  parts.tellDirectly(actor.chatId, text);
  return null;
}

async function deleteMessage(
  { api, log }: BotDeps,
  ctx: Context,
  { chatId }: Actor,
  messageId: number,
): Promise<void> {
  try {
    await ctx.api.deleteMessage(chatId, messageId);
  } catch (error) {
    // The same update received twice finds its message gone already.
    if (error instanceof GrammyError && /message to delete not found/iu.test(error.description)) {
      return;
    }
    log.warn("a message with a code was not deleted", { chatId, error: describeError(error) });
    const warning = toOutMessage(`u:${chatId}:${messageId}`, chatId, {
      ...message({ text: notDeletedText, entities: [] }),
      priority: "alert",
    });
    await api.enqueue([warning]).catch((failure: unknown) => {
      log.error("a trader was not told of it", { chatId, error: describeError(failure) });
    });
  }
}
