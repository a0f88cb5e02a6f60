// The shapes of the Bot API (10.3) that the emulator stores and sends. Field names are the API's own.

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

export interface Chat {
  readonly id: number;
  readonly type: "private" | "supergroup";
  readonly first_name?: string;
  readonly username?: string;
  readonly title?: string;
}

/** Offset and length count UTF-16 code units. */
export interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly [field: string]: unknown;
}

export interface InlineButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly style?: string;
  readonly [field: string]: unknown;
}

export interface InlineKeyboard {
  readonly inline_keyboard: readonly (readonly InlineButton[])[];
}

export interface PhotoSize {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly width: number;
  readonly height: number;
}

export interface DocumentFile {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly file_name: string;
  readonly mime_type: string;
}

export interface Message {
  readonly message_id: number;
  readonly from: User;
  readonly chat: Chat;
  /** Unix time in seconds. */
  readonly date: number;
  readonly edit_date?: number;
  readonly message_thread_id?: number;
  readonly reply_to_message?: Message;
  readonly text?: string;
  readonly entities?: readonly Entity[];
  readonly caption?: string;
  readonly caption_entities?: readonly Entity[];
  readonly photo?: readonly PhotoSize[];
  readonly document?: DocumentFile;
  readonly rich_message?: unknown;
  readonly reply_markup?: InlineKeyboard;
}

export type ChatType = "private" | "group";

/** What happened in a chat, seen from the bot: "in" comes from a person, "out" from the bot. */
export interface ChatEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly dir: "in" | "out";
  readonly kind: "message" | "edit" | "delete" | "press" | "callback_answer";
  readonly chatId: number;
  /** The person who wrote or pressed, or whose press is answered; null for what the bot sends. */
  readonly userId: number | null;
  readonly messageId: number | null;
  /** Text, caption, label of the pressed button or text of the callback answer. */
  readonly text: string;
  readonly buttons: readonly (readonly InlineButton[])[];
  readonly alert: boolean;
  readonly file: { readonly kind: "photo" | "document"; readonly fileId: string } | null;
}

/** One call that the bot made, for tests; a push of an update by webhook is not a call. */
export interface ApiCall {
  readonly method: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** HTTP status answered; 0 when the connection was dropped instead. */
  readonly code: number;
}

/** The value if it is a text or number, as text; else empty. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** True for a value that is an object with string keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
