import type { Update } from "grammy/types";
import type { Actor } from "../engine/api/requests.ts";

/** Who sent an update, as far as it is somebody we listen to. */
export type Access =
  | { readonly kind: "trader"; readonly actor: Actor }
  /** Not on the list, or not in a private chat of his own: silence. */
  | { readonly kind: "stranger"; readonly userId: number | null; readonly where: string };

type Sender = {
  readonly from: { readonly id: number; readonly is_bot?: boolean } | undefined;
  readonly chat: { readonly id: number; readonly type?: string } | undefined;
};

function senderOf(update: Update): Sender {
  const query = update.callback_query;
  if (query !== undefined) return { from: query.from, chat: query.message?.chat };
  const message = update.message ?? update.edited_message;
  return { from: message?.from, chat: message?.chat };
}

/**
 * Deny by default: the numeric user id is on the list, the chat is private and is that user's own. Names do not count
 * (they can be taken over), nor does membership of a group, nor an anonymous administrator or a channel.
 */
export function authorise(update: Update, whitelist: readonly number[]): Access {
  const { from, chat } = senderOf(update);
  const isTrader =
    from !== undefined &&
    chat !== undefined &&
    from.is_bot !== true &&
    whitelist.includes(from.id) &&
    chat.type === "private" &&
    chat.id === from.id;
  if (isTrader) return { kind: "trader", actor: { userId: from.id, chatId: chat.id } };
  return { kind: "stranger", userId: from?.id ?? null, where: chat?.type ?? "nowhere" };
}
