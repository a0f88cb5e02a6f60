/** What a person did in the chat: wrote, edited, or pressed a button of a message. */
export type ChatUpdate = {
  readonly updateId: number;
  readonly userId: number;
  readonly atMs: number;
  readonly messageId: number;
  readonly text: string;
  readonly isEdit: boolean;
  readonly press: { readonly messageId: number; readonly data: string } | null;
};

/** The same before it reached the server. */
export type Deed = Pick<ChatUpdate, "userId" | "text" | "isEdit" | "press">;

/** A message as it stands in a chat. */
export type ShownMessage = {
  readonly messageId: number;
  readonly chatId: number;
  readonly text: string;
  /** callback_data of its buttons. */
  readonly buttons: readonly string[];
};

/** The Bot API's form of an update. */
export function toUpdate(update: ChatUpdate): Readonly<Record<string, unknown>> {
  const { updateId, userId, press } = update;
  const from = { id: userId, is_bot: false, first_name: `User ${userId}` };
  const chat = { id: userId, type: "private", first_name: from.first_name };
  const date = Math.floor(update.atMs / 1000);
  const message = { message_id: update.messageId, date, chat };
  if (press !== null) {
    const { data } = press;
    const query = { id: `q${updateId}`, from, message, data, chat_instance: "1" };
    return { update_id: updateId, callback_query: query };
  }
  const written = { ...message, from, text: update.text };
  return update.isEdit
    ? { update_id: updateId, edited_message: { ...written, edit_date: date } }
    : { update_id: updateId, message: written };
}
