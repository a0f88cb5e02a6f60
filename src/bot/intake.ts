import type { Context, NextFunction } from "grammy";
import type { Message, Update } from "grammy/types";
import type { KillReceipt } from "../engine/api/engine-api.ts";
import type { Actor, ReceivedCommand } from "../engine/api/requests.ts";
import { authorise } from "./access.ts";
import { decodeAction, parsePressData } from "./actions/bot-action.ts";
import type { BotDeps } from "./bot-deps.ts";
import type { CardRegistry, PressOfCard } from "./card-registry.ts";
import { isKill } from "./kill-scanner.ts";
import { killReason } from "./parse/command-text.ts";
import { describeError } from "./redact.ts";
import { looksLikeSecret } from "./secret-scanner.ts";
import type { StrangerLog } from "./stranger-log.ts";
import { takeCode } from "./take-code.ts";
import { duration } from "./text/time-text.ts";
import type { TurnHints } from "./turn-hints.ts";
import { withinMs } from "./within.ts";

/** Telegram's own limit for a message; the ledger takes no more. */
const maxTextLength = 4_096;
/** A commit that takes longer counts as failed: the sender is told and the next update is looked at. */
const receiveTimeoutMs = 5_000;
/** How long the venue may take to cancel everything for a kill that could not be kept. */
const unkeptKillMs = 10_000;

export type IntakeParts = {
  readonly deps: BotDeps;
  readonly cards: CardRegistry;
  readonly hints: TurnHints;
  readonly strangers: StrangerLog;
  /** A trader wrote: his chat is alive. */
  onTrader(chatId: number): void;
  /** A command was kept. */
  onReceived(): void;
  /** Sends a text past the outbox. Best effort. */
  tellDirectly(chatId: number, text: string): void;
};

type Toast = { readonly text: string; readonly alert: boolean };

/** What can be said about a press before it is worked on. */
type PressSight = {
  readonly toast: Toast | null;
  readonly card: PressOfCard;
  readonly nonce: string;
};

function alertToast(text: string): Toast {
  return { text, alert: true };
}

const cardToasts: Readonly<Record<PressOfCard, Toast | null>> = {
  fresh: null,
  unknown: null,
  used: alertToast("Already used: the first press counts."),
  expired: alertToast("Expired, nothing was sent."),
};

/** Looks a press up without waiting for anything. Marks the card of a Confirm as pressed. */
function seePress(parts: IntakeParts, data: string, actor: Actor): PressSight {
  const press = parsePressData(data);
  const stored = press === null ? null : parts.deps.api.button(press.nonce);
  const none = { card: "unknown", nonce: press?.nonce ?? "" } as const;
  if (press?.verb === "kill") return { ...none, toast: { text: "KILL", alert: false } };
  if (press === null || stored === null) {
    return { ...none, toast: alertToast("This button is unknown or too old. Ask again.") };
  }
  if (stored.chatId !== actor.chatId) {
    return { ...none, toast: alertToast("This button is not yours.") };
  }
  const action = decodeAction(stored.action);
  const nowMs = parts.deps.now();
  if (action?.do === "confirm" || action?.do === "confirmSet" || action?.do === "confirmCall") {
    const seen = parts.cards.press(press.nonce);
    const card = seen === "unknown" && nowMs >= action.expiresAtMs ? "expired" : seen;
    return { card, nonce: press.nonce, toast: cardToasts[card] };
  }
  if (action?.do === "resumeNow" && parts.deps.judgeCode !== undefined) {
    return { ...none, toast: alertToast("Type the six digits of your authenticator app.") };
  }
  if (action?.do === "resumeNow" && nowMs < action.readyAtMs) {
    return {
      ...none,
      toast: alertToast(`Too soon: works in ${duration(action.readyAtMs - nowMs)}.`),
    };
  }
  return { ...none, toast: null };
}

function textOf(message: Message | undefined): string {
  return (message?.text ?? message?.caption ?? "").slice(0, maxTextLength);
}

/** The command in an update, or null when the update carries none (an edit that is no kill). */
export function commandOf(update: Update, actor: Actor, nowMs: number): ReceivedCommand | null {
  const commandId = `tg:${update.update_id}`;
  const query = update.callback_query;
  if (query !== undefined) {
    const messageId = query.message?.message_id ?? 0;
    const text = (query.data ?? "").slice(0, maxTextLength);
    return { commandId, actor, text, kind: "press", messageId, sentAtMs: nowMs };
  }
  const message = update.message ?? update.edited_message;
  if (message === undefined) return null;
  // An edit of an old message must not trade again; only a kill is taken from one.
  if (update.message === undefined && !isKill(update)) return null;
  const sentAtMs = (message.edit_date ?? message.date) * 1000;
  const messageId = message.message_id;
  return { commandId, actor, text: textOf(message), kind: "message", messageId, sentAtMs };
}

/**
 * The only handler: authorise, answer the press, keep the command, return. Nothing is traded or sent from here, so a slow
 * venue or chat never holds up the next update.
 */
export class Intake {
  private readonly parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.parts = parts;
  }

  async handle(ctx: Context, _next: NextFunction): Promise<void> {
    const { deps, strangers } = this.parts;
    const access = authorise(ctx.update, deps.whitelist);
    if (access.kind === "stranger") {
      strangers.note(access.userId, access.where);
      return;
    }
    const { actor } = access;
    this.parts.onTrader(actor.chatId);
    const sight = this.answerPress(ctx, actor);
    if (this.removeSecret(ctx, actor)) return;
    const code = takeCode(this.parts, ctx, actor);
    const given = commandOf(ctx.update, actor, deps.now());
    if (given === null) return;
    const command = code === null ? given : { ...given, text: "/resume", code };
    if (sight !== null) this.parts.hints.set(command.commandId, sight.card);
    const kept = await this.receive(command);
    if (kept !== "ledger_failed") this.parts.onReceived();
    else if (isKill(ctx.update)) await this.killUnkept(command);
    else this.refuseUnkept(command, sight);
  }

  /** Ends the spinner on the button, with a text when one is known. Never awaited: a late answer is worth nothing. */
  private answerPress(ctx: Context, actor: Actor): PressSight | null {
    const query = ctx.callbackQuery;
    if (query === undefined) return null;
    const sight = seePress(this.parts, query.data ?? "", actor);
    const toast =
      sight.toast === null ? {} : { text: sight.toast.text, show_alert: sight.toast.alert };
    ctx.answerCallbackQuery(toast).catch((error: unknown) => {
      this.parts.deps.log.warn("a press was not answered", { error: describeError(error) });
    });
    return sight;
  }

  /** Deletes a message that looks like a key or a seed phrase; it is kept nowhere. True when it was one. */
  private removeSecret(ctx: Context, actor: Actor): boolean {
    const message = ctx.update.message ?? ctx.update.edited_message;
    if (message === undefined || !looksLikeSecret(textOf(message))) return false;
    const { log } = this.parts.deps;
    log.warn("a message that looks like a key was deleted", { chatId: actor.chatId });
    ctx.api.deleteMessage(actor.chatId, message.message_id).catch((error: unknown) => {
      log.warn("it could not be deleted", { error: describeError(error) });
    });
    this.parts.tellDirectly(
      actor.chatId,
      "That looked like a private key, a seed phrase or the secret of an authenticator app. I deleted it and kept nothing.\nNo command here ever takes one. This chat has seen it: if it was a real key, move the funds now; if it was a code's secret, make a new one.",
    );
    return true;
  }

  private async receive(command: ReceivedCommand): Promise<"new" | "duplicate" | "ledger_failed"> {
    try {
      const kept = await withinMs(this.parts.deps.api.receive(command), receiveTimeoutMs);
      return kept ?? "ledger_failed";
    } catch (error) {
      this.parts.deps.log.error("a command could not be kept", {
        commandId: command.commandId,
        error: describeError(error),
      });
      return "ledger_failed";
    }
  }

  private refuseUnkept(command: ReceivedCommand, sight: PressSight | null): void {
    const { deps, cards } = this.parts;
    if (sight?.card === "fresh") cards.reopen(sight.nonce);
    deps.log.error("a command was refused because the ledger does not answer", {
      commandId: command.commandId,
    });
    this.parts.tellDirectly(
      command.actor.chatId,
      "Your message could not be kept: the desk cannot write its records.\nNothing was sent because of it so far; if the records come back it may still be worked on.\nCheck the disk of the machine, then restart the service. /kill works all the same: it closes the gate and cancels.",
    );
  }

  /** A kill needs no record to close the gate and to cancel; what it cannot do without one is said to every trader. */
  private async killUnkept(command: ReceivedCommand): Promise<void> {
    const { deps } = this.parts;
    deps.log.error("a kill could not be kept", { commandId: command.commandId });
    const { unkept, survivesRestart } = await this.cancelAll(command);
    if (unkept === undefined) {
      // Kept after all: a notice tells everybody but the one who killed.
      const kept =
        "KILL: the gate is closed and every open order is being canceled; a report follows.";
      this.parts.tellDirectly(command.actor.chatId, kept);
      return;
    }
    const orders =
      unkept === "canceled"
        ? "The venue canceled every open order."
        : "Open orders may still be at the venue: send /kill again, or cancel them on its website.";
    const after =
      survivesRestart === true
        ? "The desk cannot write its records; the kill is kept in the file KILL of its state folder, so the next start is killed, too.\nCheck the disk of the machine, then restart the service."
        : "The desk cannot write its records, so this kill does not survive a restart.\nCheck the disk of the machine, restart the service, then send /kill again.";
    const text = `KILL: the gate is closed, nothing new is sent. ${orders} Positions are kept.\n${after}`;
    for (const chatId of deps.whitelist) this.parts.tellDirectly(chatId, text);
  }

  /** Without `unkept` when the ledger took the kill after all. */
  private async cancelAll(command: ReceivedCommand): Promise<Partial<KillReceipt>> {
    const { api, log } = this.parts.deps;
    try {
      const note = killReason(command.text) ?? "";
      const killed = await withinMs(api.kill(command.actor, command.commandId, note), unkeptKillMs);
      return killed ?? { unkept: "unconfirmed" };
    } catch (error) {
      log.error("a kill could not cancel", { error: describeError(error) });
      return { unkept: "unconfirmed" };
    }
  }
}
