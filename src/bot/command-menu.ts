import type { Api } from "grammy";
import type { BotLog } from "./bot-deps.ts";
import { describeError } from "./redact.ts";
import { menuCommands } from "./render/help.ts";

/** Telegram's command menu: the traders' own chats get the list, everybody else gets none. */
export class CommandMenu {
  private readonly telegram: Api;
  private readonly log: BotLog;
  private readonly shown = new Set<number>();

  constructor(telegram: Api, log: BotLog) {
    this.telegram = telegram;
    this.log = log;
  }

  /** Takes the menu from everybody. */
  async hideFromStrangers(): Promise<void> {
    try {
      await this.telegram.deleteMyCommands({ scope: { type: "default" } });
    } catch (error) {
      this.log.warn("the default command menu was not removed", { error: describeError(error) });
    }
  }

  /** Gives a chat the menu, once; a chat that does not exist yet gets it with its first message. */
  async showTo(chatId: number): Promise<void> {
    if (this.shown.has(chatId)) return;
    this.shown.add(chatId);
    try {
      await this.telegram.setMyCommands(menuCommands, {
        scope: { type: "chat", chat_id: chatId },
      });
    } catch (error) {
      this.shown.delete(chatId);
      this.log.warn("the command menu was not set", { chatId, error: describeError(error) });
    }
  }
}
