import type { Api } from "grammy";
import type { InlineKeyboardButton, MessageEntity } from "grammy/types";
import type { OutButton, OutMessage } from "../../engine/api/outbox.ts";
import { clipEntities } from "../text/rich-text.ts";
import { classifyFailure, type TelegramFailure } from "./telegram-failure.ts";

/** Telegram's limit, counted here in UTF-16 units, which are never fewer than its code points. */
const maxTextLength = 4_096;
const cutNote = "\n… (cut: too long)";

/** What a message became. */
export type SendResult =
  | { readonly ok: true; readonly telegramMessageId: number }
  | { readonly ok: false; readonly failure: TelegramFailure };

type Payload = {
  readonly text: string;
  readonly entities: readonly MessageEntity[];
  readonly keyboard: OutMessage["keyboard"];
};

function toTelegramButton(button: OutButton): InlineKeyboardButton {
  const style = button.style === "plain" ? {} : { style: button.style };
  return button.copyText === undefined
    ? { text: button.label, callback_data: `v1:${button.verb}:${button.nonce}`, ...style }
    : { text: button.label, copy_text: { text: button.copyText }, ...style };
}

/** Cuts a text that Telegram would refuse, with a note; entities behind the cut go. */
export function cutText(
  text: string,
  entities: readonly MessageEntity[],
): Omit<Payload, "keyboard"> {
  if (text.length <= maxTextLength) return { text, entities };
  let end = maxTextLength - cutNote.length;
  // Not through the middle of a character outside the basic plane.
  if (/[\ud800-\udbff]/u.test(text.charAt(end - 1)) || isHighSurrogate(text, end - 1)) end -= 1;
  return { text: text.slice(0, end) + cutNote, entities: clipEntities(entities, end) };
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff;
}

async function callOnce(
  api: Api,
  chatId: number,
  editId: number | null,
  payload: Payload,
  options: { readonly replyTo: number | null; readonly silent: boolean },
): Promise<number> {
  const shared = {
    entities: [...payload.entities],
    link_preview_options: { is_disabled: true },
    reply_markup: {
      inline_keyboard: payload.keyboard.map((row) => row.map(toTelegramButton)),
    },
  };
  if (editId !== null) {
    await api.editMessageText(chatId, editId, payload.text, shared);
    return editId;
  }
  const { reply_markup, ...rest } = shared;
  const sent = await api.sendMessage(chatId, payload.text, {
    ...rest,
    ...(reply_markup.inline_keyboard.length === 0 ? {} : { reply_markup }),
    ...(options.silent ? { disable_notification: true } : {}),
    ...(options.replyTo === null
      ? {}
      : { reply_parameters: { message_id: options.replyTo, allow_sending_without_reply: true } }),
  });
  return sent.message_id;
}

/**
 * Sends or edits one message and gives up formatting step by step rather than the message: an edit whose message is gone
 * becomes a new one, refused entities become plain text, a refused keyboard goes. Each step is taken once.
 */
export async function sendMessage(
  api: Api,
  message: OutMessage,
  editId: number | null,
): Promise<SendResult> {
  const entities = message.entities as readonly MessageEntity[];
  let payload: Payload = { ...cutText(message.text, entities), keyboard: message.keyboard };
  let target = editId;
  const taken = new Set<string>();
  for (;;) {
    try {
      const id = await callOnce(api, message.chatId, target, payload, {
        replyTo: message.replyToMessageId,
        silent: message.silent,
      });
      return { ok: true, telegramMessageId: id };
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.kind === "unchanged" && target !== null) {
        return { ok: true, telegramMessageId: target };
      }
      const step = nextStep(failure, taken);
      if (step === null) return { ok: false, failure };
      taken.add(step);
      if (step === "new") target = null;
      else if (step === "plain") payload = { ...payload, entities: [] };
      else if (step === "bare") payload = { ...payload, entities: [], keyboard: [] };
      else payload = { ...payload, text: payload.text.slice(0, maxTextLength / 4), entities: [] };
    }
  }
}

type Step = "new" | "plain" | "bare" | "short";

/** The next thing to give up for this failure; null when there is none left. */
function nextStep(failure: TelegramFailure, taken: ReadonlySet<string>): Step | null {
  const wanted: readonly Step[] =
    failure.kind === "edit_gone"
      ? ["new"]
      : failure.kind === "bad_entities"
        ? ["plain", "bare"]
        : failure.kind === "bad_keyboard"
          ? ["bare"]
          : failure.kind === "too_long"
            ? ["short"]
            : failure.kind === "other"
              ? ["plain", "bare"]
              : [];
  return wanted.find((step) => !taken.has(step)) ?? null;
}
