// parse_mode HTML and MarkdownV2. The project's bot sends entities only, so this covers the common tags and the
// refusals that a careless message meets, not every corner of the real parser.

import { badRequest } from "./emulator-refusal.ts";
import type { Entity } from "./emulator-types.ts";

interface Parsed {
  readonly text: string;
  readonly entities: readonly Entity[];
}

interface OpenTag {
  readonly tag: string;
  readonly type: string;
  readonly offset: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const htmlTypes: Readonly<Record<string, string>> = {
  b: "bold",
  strong: "bold",
  i: "italic",
  em: "italic",
  u: "underline",
  ins: "underline",
  s: "strikethrough",
  strike: "strikethrough",
  del: "strikethrough",
  "tg-spoiler": "spoiler",
  blockquote: "blockquote",
  code: "code",
  pre: "pre",
  a: "text_link",
  "tg-time": "date_time",
};
const htmlCharacters: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

/** Telegram's HTML. Throws the refusals for unknown, unclosed and wrongly closed tags. */
export function parseHtml(input: string): Parsed {
  const entities: Entity[] = [];
  const open: OpenTag[] = [];
  const token = /<(\/?)([a-zA-Z-]+)([^>]*)>|&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);|</g;
  let text = "";
  let last = 0;
  for (const match of input.matchAll(token)) {
    text += input.slice(last, match.index);
    last = match.index + match[0].length;
    const at = Buffer.byteLength(input.slice(0, match.index));
    const tag = match[2]?.toLowerCase();
    if (match[4] !== undefined) text += decodeCharacter(match[4]);
    else if (tag === undefined) {
      throw badRequest(`can't parse entities: Unsupported start tag "" at byte offset ${at}`);
    } else if (match[1] === "/") entities.push(...closeTag(open, tag, text.length, at));
    else open.push(openTag(tag, match[3] ?? "", text.length, at));
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    throw badRequest(
      `can't parse entities: Can't find end tag corresponding to start tag "${unclosed.tag}"`,
    );
  }
  return { text: text + input.slice(last), entities: inOrder(entities) };
}

function decodeCharacter(name: string): string {
  if (name.startsWith("#x")) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
  if (name.startsWith("#")) return String.fromCodePoint(Number(name.slice(1)));
  return htmlCharacters[name] ?? "";
}

function openTag(tag: string, attributes: string, offset: number, at: number): OpenTag {
  const spoiler = tag === "span" && /class="?tg-spoiler"?/.test(attributes);
  const known = spoiler ? "spoiler" : htmlTypes[tag];
  if (known === undefined) {
    throw badRequest(`can't parse entities: Unsupported start tag "${tag}" at byte offset ${at}`);
  }
  const url = /href="([^"]*)"/.exec(attributes)?.[1];
  const unix = /unix="?(\d+)"?/.exec(attributes)?.[1];
  const format = /format="([^"]*)"/.exec(attributes)?.[1];
  const expandable = tag === "blockquote" && /\bexpandable\b/.test(attributes);
  const fields = {
    ...(tag === "a" && { url: url ?? "" }),
    ...(tag === "tg-time" && { unix_time: Number(unix ?? 0) }),
    ...(tag === "tg-time" && format !== undefined && { date_time_format: format }),
  };
  return { tag, type: expandable ? "expandable_blockquote" : known, offset, fields };
}

function closeTag(open: OpenTag[], tag: string, end: number, at: number): Entity[] {
  const start = open.pop();
  if (start === undefined) {
    throw badRequest(`can't parse entities: Unexpected end tag at byte offset ${at}`);
  }
  if (start.tag !== tag) {
    throw badRequest(
      `can't parse entities: Unmatched end tag at byte offset ${at}, expected "</${start.tag}>", found "</${tag}>"`,
    );
  }
  return entityOf(start, end);
}

function entityOf(start: OpenTag, end: number): Entity[] {
  const length = end - start.offset;
  if (length === 0) return [];
  return [{ ...start.fields, type: start.type, offset: start.offset, length }];
}

function inOrder(entities: readonly Entity[]): Entity[] {
  return [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
}

const markdownTypes: Readonly<Record<string, string>> = {
  "*": "bold",
  _: "italic",
  __: "underline",
  "~": "strikethrough",
  "||": "spoiler",
  "`": "code",
  "```": "pre",
};

/** MarkdownV2: paired marks, links and the rule that reserved characters are escaped. */
export function parseMarkdown(input: string): Parsed {
  const entities: Entity[] = [];
  const open: OpenTag[] = [];
  const token = /\\([\s\S])|```|`|\*|__|_|~|\|\||\[|\]\(([^)]*)\)|[>#+\-=|{}.!()\]]/g;
  let text = "";
  let last = 0;
  for (const match of input.matchAll(token)) {
    text += input.slice(last, match.index);
    last = match.index + match[0].length;
    const mark = match[0];
    const type = markdownTypes[mark];
    const inCode = open.at(-1)?.type === "code" || open.at(-1)?.type === "pre";
    if (match[1] !== undefined) text += match[1];
    else if (type !== undefined && (!inCode || open.at(-1)?.tag === mark)) {
      if (open.at(-1)?.tag === mark) entities.push(...entityOf(open.pop() as OpenTag, text.length));
      else open.push({ tag: mark, type, offset: text.length, fields: {} });
    } else if (inCode) text += mark;
    else if (mark === "[")
      open.push({ tag: "[", type: "text_link", offset: text.length, fields: {} });
    else if (match[2] !== undefined && open.at(-1)?.tag === "[") {
      const start = open.pop() as OpenTag;
      entities.push(...entityOf({ ...start, fields: { url: match[2] } }, text.length));
    } else {
      throw badRequest(
        `can't parse entities: Character '${mark[0]}' is reserved and must be escaped with the preceding '\\'`,
      );
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) {
    const at = Buffer.byteLength(text.slice(0, unclosed.offset));
    throw badRequest(
      `can't parse entities: Can't find end of ${markName(unclosed.type)} entity at byte offset ${at}`,
    );
  }
  return { text: text + input.slice(last), entities: inOrder(entities) };
}

function markName(type: string): string {
  const names: Readonly<Record<string, string>> = { bold: "Bold", italic: "Italic", code: "Code" };
  return names[type] ?? type;
}
