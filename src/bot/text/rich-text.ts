import type { MessageEntity } from "grammy/types";
import { utcTime } from "./time-text.ts";

/** A text with its entities, ready for the Bot API: no markup language is involved, so foreign text cannot inject any. */
export type RichText = { readonly text: string; readonly entities: readonly MessageEntity[] };

type SimpleEntity = "bold" | "italic" | "code" | "pre" | "blockquote" | "expandable_blockquote";

/** Builds a RichText piece by piece. Offsets count UTF-16 code units, as Telegram does. */
export class TextBuilder {
  private text = "";
  private readonly entities: MessageEntity[] = [];

  plain(piece: string): this {
    this.text += piece;
    return this;
  }

  line(piece = ""): this {
    return this.plain(`${piece}\n`);
  }

  styled(type: SimpleEntity, piece: string): this {
    if (piece.length > 0) {
      this.entities.push({ type, offset: this.text.length, length: piece.length });
    }
    return this.plain(piece);
  }

  bold(piece: string): this {
    return this.styled("bold", piece);
  }

  code(piece: string): this {
    return this.styled("code", piece);
  }

  /** A moment that the client renders relative to its own clock ("in 45 seconds"); `fallback` is for clients that cannot. */
  relativeTime(atMs: number, fallback = utcTime(atMs)): this {
    return this.moment(atMs, "r", fallback);
  }

  /** A moment that the client renders in the user's own time zone. */
  moment(atMs: number, format: "r" | "t" | "T" | "d" | "dt", fallback: string): this {
    this.entities.push({
      type: "date_time",
      offset: this.text.length,
      length: fallback.length,
      unix_time: Math.floor(atMs / 1000),
      date_time_format: format,
    });
    return this.plain(fallback);
  }

  append(other: RichText): this {
    const start = this.text.length;
    for (const entity of other.entities) {
      this.entities.push({ ...entity, offset: entity.offset + start });
    }
    return this.plain(other.text);
  }

  /** The text without white space at its end (Telegram trims it, which would shift nothing but clip entities). */
  build(): RichText {
    const text = this.text.trimEnd();
    return { text, entities: clipEntities(this.entities, text.length) };
  }
}

/** Drops what lies behind `length` and shortens what crosses it. */
export function clipEntities(
  entities: readonly MessageEntity[],
  length: number,
): readonly MessageEntity[] {
  return entities
    .filter((entity) => entity.offset < length)
    .map((entity) => ({ ...entity, length: Math.min(entity.length, length - entity.offset) }));
}
