import type { Update } from "grammy/types";
import type { Actor } from "../engine/api/requests.ts";
import { authorise } from "./access.ts";
import { parsePressData } from "./actions/bot-action.ts";
import { killReason } from "./parse/command-text.ts";

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The trader who kills by this update, or null. Total: an update of any shape gives an answer, never an exception. */
export function killerOf(update: unknown, whitelist: readonly number[]): Actor | null {
  if (!isObject(update)) return null;
  try {
    const known = update as unknown as Update;
    if (!isKill(known)) return null;
    const access = authorise(known, whitelist);
    return access.kind === "trader" ? access.actor : null;
  } catch {
    // Telegram does not send such shapes; a handler will refuse it.
    return null;
  }
}

/** True for `/kill` as a message, an edit or a caption, for the bare word, and for a kill button. */
export function isKill(update: Update): boolean {
  const data = update.callback_query?.data;
  if (data !== undefined) return parsePressData(data)?.verb === "kill";
  const message = update.message ?? update.edited_message;
  const text = message?.text ?? message?.caption;
  return text !== undefined && killReason(text) !== null;
}

/** Calls `onKill` for the first kill in a batch, before anything of the batch is handled. True when there was one. */
export function scanForKill(
  updates: unknown,
  whitelist: readonly number[],
  onKill: (actor: Actor) => void,
): boolean {
  if (!Array.isArray(updates)) return false;
  for (const update of updates) {
    const actor = killerOf(update, whitelist);
    if (actor !== null) {
      onKill(actor);
      return true;
    }
  }
  return false;
}
