/** A finished message for one chat: text with entities, as the Bot API takes it. Made by the bot, kept by the engine. */
export type OutMessage = {
  /** Unique and stable, so that making the same message twice sends it once ("c:tg:17:0", "n:33:42"). */
  readonly key: string;
  readonly chatId: number;
  /** Answers and kills before fills and errors before confirmations before alerts before live edits. */
  readonly priority: OutPriority;
  readonly text: string;
  /** Bot API MessageEntity objects (opaque here). */
  readonly entities: readonly unknown[];
  readonly keyboard: readonly (readonly OutButton[])[];
  /** Edit the Telegram message with this id instead of sending a new one. */
  readonly editMessageId: number | null;
  /** Or edit the message that this outbox key became (sent before this one). */
  readonly editKey: string | null;
  readonly replyToMessageId: number | null;
  readonly silent: boolean;
};

export type OutPriority = "answer" | "fill" | "confirmation" | "alert" | "live";

export type OutButton = {
  readonly label: string;
  readonly style: "danger" | "success" | "primary" | "plain";
  /** At most 9 lower-case letters. */
  readonly verb: string;
  /** 16 to 32 characters, unguessable; a card's own nonce for Confirm. */
  readonly nonce: string;
  /** What a press means, opaque to the engine; at most 1,000 characters. Kept under the nonce. */
  readonly action: string;
  /** Text for a copy button instead of a press. */
  readonly copyText?: string;
};

export type StoredButton = {
  readonly chatId: number;
  readonly verb: string;
  readonly action: string;
};

export type DueMessage = OutMessage & { readonly messageId: string; readonly attempts: number };
