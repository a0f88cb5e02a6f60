// Text as the Bot API takes it: entities checked against the text in UTF-16 units, white space trimmed,
// commands and links found, limits counted in code points after parsing.

import type { Params } from "./emulator-params.ts";
import { parseHtml, parseMarkdown } from "./emulator-parse-mode.ts";
import { badRequest } from "./emulator-refusal.ts";
import type { Entity } from "./emulator-types.ts";
import { isRecord } from "./emulator-types.ts";

const textCodePointsMax = 4096;
const captionCodePointsMax = 1024;
const inputBytesMax = 32_768;
/** More entities than this are silently cut by the real server. */
const entitiesMax = 100;

const entityTypes = new Set(
  (
    "mention hashtag cashtag bot_command url email phone_number bank_card_number bold italic underline " +
    "strikethrough spoiler blockquote expandable_blockquote code pre text_link text_mention custom_emoji date_time"
  ).split(" "),
);
/** Which field each entity type cannot do without. */
const entityFields: Readonly<Record<string, string>> = {
  text_link: "url",
  text_mention: "user",
  custom_emoji: "custom_emoji_id",
  date_time: "unix_time",
};

export interface FormattedText {
  readonly text: string;
  readonly entities: readonly Entity[];
}

/** Text and entities of a call, parsed and checked. `kind` chooses the field names and the limit. */
export function readFormattedText(params: Params, kind: "text" | "caption"): FormattedText {
  const raw = params.text(kind);
  const tooLong = kind === "text" ? "message is too long" : "message caption is too long";
  if (Buffer.byteLength(raw) > inputBytesMax) throw badRequest(tooLong);
  const parsed = parseByMode(params, raw, kind === "text" ? "entities" : "caption_entities");
  const formatted = trimText(parsed);
  if (kind === "text" && formatted.text === "") throw badRequest("message text is empty");
  const max = kind === "text" ? textCodePointsMax : captionCodePointsMax;
  if (codePoints(formatted.text) > max) throw badRequest(tooLong);
  return { text: formatted.text, entities: addFoundEntities(formatted) };
}

/** Entities that the server finds by itself in what a person types. */
export function findEntities(text: string): readonly Entity[] {
  return addFoundEntities({ text, entities: [] });
}

export function codePoints(text: string): number {
  return Array.from(text).length;
}

function parseByMode(params: Params, raw: string, field: string): FormattedText {
  const mode = params.text("parse_mode").toLowerCase();
  if (mode === "html") return parseHtml(raw);
  if (mode === "markdownv2" || mode === "markdown") return parseMarkdown(raw);
  if (mode !== "" && mode !== "none") throw badRequest("unsupported parse_mode");
  const given = params.json(field, "entities");
  const entities = Array.isArray(given) ? given.map((item) => readEntity(item)) : [];
  for (const entity of entities) checkPlace(entity, raw);
  return { text: raw, entities: entities.slice(0, entitiesMax) };
}

function readEntity(item: unknown): Entity {
  if (!isRecord(item)) throw badRequest("can't parse MessageEntity: Object expected");
  const { type, offset, length } = item;
  if (typeof type !== "string" || !entityTypes.has(type)) {
    throw badRequest("can't parse MessageEntity: Unsupported type specified");
  }
  for (const [name, value] of Object.entries({ offset, length })) {
    if (!Number.isSafeInteger(value)) {
      throw badRequest(`can't parse MessageEntity: Can't find field "${name}"`);
    }
  }
  const needed = entityFields[type];
  if (needed !== undefined && item[needed] === undefined) {
    throw badRequest(`can't parse MessageEntity: Can't find field "${needed}"`);
  }
  return { ...item, type, offset: Number(offset), length: Number(length) };
}

/** Whether the code unit at this place is the second half of a character outside the basic plane. */
function isInsideCharacter(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function checkPlace(entity: Entity, text: string): void {
  const end = entity.offset + entity.length;
  // TDLib notices at the next character, so the offset it names is the one behind the symbol.
  const bytes = (at: number): number => Buffer.byteLength(text.slice(0, at + 1));
  if (entity.offset < 0 || entity.length < 0) {
    throw badRequest("can't parse MessageEntity: offset and length must not be negative");
  }
  if (entity.offset > text.length) {
    throw badRequest(`entity begins after the end of the text at UTF-16 offset ${entity.offset}`);
  }
  if (end > text.length) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${entity.offset} ends after the end of the text at UTF-16 offset ${end}`,
    );
  }
  if (isInsideCharacter(text, entity.offset)) {
    throw badRequest(
      `entity begins in a middle of a UTF-16 symbol at byte offset ${bytes(entity.offset)}`,
    );
  }
  if (isInsideCharacter(text, end)) {
    throw badRequest(
      `entity beginning at UTF-16 offset ${entity.offset} ends in a middle of a UTF-16 symbol at byte offset ${bytes(end)}`,
    );
  }
}

/** Cuts outer white space and moves or drops entities accordingly. */
function trimText({ text, entities }: FormattedText): FormattedText {
  const clean = text.replaceAll("\r", "");
  if (clean !== text && entities.length === 0) return trimText({ text: clean, entities });
  const end = text.trimEnd().length;
  const start = text.length - text.trimStart().length;
  if (start >= end) return { text: "", entities: [] };
  const kept: Entity[] = [];
  for (const entity of entities) {
    const from = Math.max(entity.offset, start);
    const to = Math.min(entity.offset + entity.length, end);
    if (to > from) kept.push({ ...entity, offset: from - start, length: to - from });
  }
  return { text: text.slice(start, end), entities: kept };
}

const foundKinds: readonly (readonly [string, RegExp])[] = [
  ["bot_command", /(?<![\w/])\/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])/g],
  ["url", /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)]/g],
  [
    "url",
    /(?<![\w./:@-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|xyz|market)(?:\/[^\s<>"']*[^\s<>"'.,;:!?)])?/gi,
  ],
  ["mention", /(?<!\w)@[A-Za-z]\w{3,31}(?!\w)/g],
  ["cashtag", /(?<![\w$])\$[A-Z]{1,8}(?!\w)/g],
  ["hashtag", /(?<!\w)#(?=\w*[A-Za-z_])\w{1,64}/g],
];

function addFoundEntities({ text, entities }: FormattedText): readonly Entity[] {
  const blocked = entities.filter((one) => one.type !== "blockquote" && !/quote/.test(one.type));
  const found: Entity[] = [];
  const overlaps = (from: number, to: number): boolean =>
    [...blocked, ...found].some((one) => from < one.offset + one.length && one.offset < to);
  for (const [type, pattern] of foundKinds) {
    for (const match of text.matchAll(pattern)) {
      const to = match.index + match[0].length;
      if (!overlaps(match.index, to)) {
        found.push({ type, offset: match.index, length: match[0].length });
      }
    }
  }
  return [...entities, ...found].sort((a, b) => a.offset - b.offset || b.length - a.length);
}
