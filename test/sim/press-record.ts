import { killReason } from "../../src/bot/parse/command-text.ts";
import { whitelist } from "./chat/person.ts";
import type { SimTelegram } from "./chat/telegram.ts";
import type { ChatUpdate } from "./chat/updates.ts";

/** What people did in the chat, by the chat's own records. */
export class PressRecord {
  readonly #telegram: () => SimTelegram;

  constructor(telegram: () => SimTelegram) {
    this.#telegram = telegram;
  }

  #updateOf(commandId: string): ChatUpdate | undefined {
    return this.#telegram().updates.get(Number(/^tg:(\d+)$/u.exec(commandId)?.[1] ?? "0"));
  }

  /** True when the command is that user's press of that card's Confirm. */
  isPress(commandId: string, userId: number, nonce: string): boolean {
    const update = this.#updateOf(commandId);
    return update?.userId === userId && /^v1:ok(?:set)?:/u.test(update.press?.data ?? "")
      ? update.press?.data.endsWith(`:${nonce}`) === true
      : false;
  }

  isKill(commandId: string): boolean {
    const update = this.#updateOf(commandId);
    return update !== undefined && isKill(update);
  }
}

/** True for a kill by somebody who may. */
export function isKill(update: ChatUpdate): boolean {
  if (!whitelist.includes(update.userId)) return false;
  if (update.press !== null) return update.press.data.startsWith("v1:kill:");
  return killReason(update.text) !== null;
}
