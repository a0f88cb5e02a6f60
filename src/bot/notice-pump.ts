import type { Notice } from "../engine/api/notices.ts";
import type { OutMessage } from "../engine/api/outbox.ts";
import type { ButtonMaker } from "./actions/buttons.ts";
import type { BotDeps } from "./bot-deps.ts";
import type { CardRegistry } from "./card-registry.ts";
import { describeError } from "./redact.ts";
import { noticeKeyboard, renderCardEnd, renderNotice } from "./render/notice.ts";
import { noticePriority } from "./render/notice-priority.ts";
import { toOutMessage } from "./turn.ts";

/** Notices turned into messages in one commit. */
const maxNoticesAPass = 50;

/** Chats that a notice is told to: its own, or every trader's. The one who killed has the answer to the kill already. */
function chatsOf(notice: Notice, whitelist: readonly number[]): readonly number[] {
  if (notice.chatId !== null) return whitelist.includes(notice.chatId) ? [notice.chatId] : [];
  const { body } = notice;
  if (body.kind !== "killed") return whitelist;
  return whitelist.filter((chatId) => chatId !== body.trading.byUserId);
}

/** Turns the engine's notices into messages, in order; the engine keeps how far it got. */
export class NoticePump {
  private readonly deps: BotDeps;
  private readonly cards: CardRegistry;
  private readonly buttons: ButtonMaker;
  private running = false;
  private again = false;

  constructor(deps: BotDeps, cards: CardRegistry, buttons: ButtonMaker) {
    this.deps = deps;
    this.cards = cards;
    this.buttons = buttons;
  }

  /** Call it whenever something may have changed; it works through what is there and returns. */
  async pump(): Promise<void> {
    this.again = true;
    if (this.running) return;
    this.running = true;
    try {
      while (this.again) {
        this.again = false;
        await this.tellAll();
      }
    } catch (error) {
      this.deps.log.error("notices could not be told", { error: describeError(error) });
    } finally {
      this.running = false;
    }
  }

  private async tellAll(): Promise<void> {
    const { api } = this.deps;
    for (;;) {
      const notices = api.noticesAfter(api.noticeCursor()).slice(0, maxNoticesAPass);
      const last = notices.at(-1);
      if (last === undefined) return;
      await api.noticesTold(
        last.noticeId,
        notices.flatMap((notice) => this.messagesOf(notice)),
      );
      // A cursor that does not move would make this loop for ever.
      if (api.noticeCursor() < last.noticeId) return;
    }
  }

  private messagesOf(notice: Notice): readonly OutMessage[] {
    const body = renderNotice(this.deps.mode, notice);
    const told = chatsOf(notice, this.deps.whitelist).map((chatId) =>
      toOutMessage(`n:${notice.noticeId}:${chatId}`, chatId, {
        body,
        keyboard: noticeKeyboard(notice.body, this.buttons),
        target: null,
        priority: noticePriority(notice.body),
      }),
    );
    return [...told, ...this.cardEdits(notice)];
  }

  /** The card that led to the order shows its end too, beside the receipt that is never edited away. */
  private cardEdits(notice: Notice): readonly OutMessage[] {
    const { body } = notice;
    const orders =
      body.kind === "order.outcome" && body.order.strategy === "manual"
        ? [body.order]
        : body.kind === "set.outcome"
          ? body.legs
          : [];
    const planId = orders[0]?.planId;
    const shown = planId === undefined ? null : this.cards.planMessage(planId);
    if (shown === null) return [];
    return [
      toOutMessage(`n:${notice.noticeId}:${shown.chatId}:e`, shown.chatId, {
        body: renderCardEnd(this.deps.mode, orders),
        keyboard: [],
        target: shown.target,
        priority: "fill",
      }),
    ];
  }
}
