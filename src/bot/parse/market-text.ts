import type { MarketRef } from "../../engine/api/requests.ts";

/** A market as a person names it: a row of the last list, or something that the catalog knows. */
export type MarketText =
  | { readonly by: "row"; readonly row: number }
  | {
      readonly by: "catalog";
      readonly ref: MarketRef;
      /** A link names one page; it is never taken for one with a similar name. */
      readonly isLink?: true;
    };

const slugPattern = /^[a-z0-9]+(?:-[a-z0-9]+)+$/u;
const slugPiece = /^[a-z0-9][a-z0-9-]{0,199}$/iu;

/** A link to polymarket.com anywhere in a text: event or market page, any language prefix, any query string. */
export function parseMarketLink(text: string): MarketRef | null {
  const match = /(?:^|[\s(<])(?:https?:\/\/)?(?:www\.)?polymarket\.com\/([^\s?#)>]*)/iu.exec(text);
  if (match === null) return null;
  const pieces = (match[1] ?? "").split("/").filter((piece) => piece !== "");
  const at = pieces.findIndex((piece) => /^(event|market|sports)$/iu.test(piece));
  const kind = pieces[at]?.toLowerCase();
  const names = pieces.slice(at + 1);
  const last = names.at(-1)?.toLowerCase();
  if (at < 0 || last === undefined || !slugPiece.test(last)) return null;
  if (kind === "market") return { by: "slug", value: names[0]?.toLowerCase() ?? last };
  if (kind === "event" && names.length > 1)
    return { by: "slug", value: names[1]?.toLowerCase() ?? last };
  return { by: "eventSlug", value: last };
}

/** "4" or "#4" alone: a row of the list shown last. */
export function parseRowNumber(text: string): number | null {
  const row = /^\s*#?(\d{1,3})\s*$/u.exec(text)?.[1];
  return row === undefined ? null : Number(row);
}

/** "#3", "#crypto" or "tag:crypto", a condition id, a link or a slug; null for anything that can only be searched for. */
export function parseMarketName(text: string): MarketText | null {
  const row = /^#(\d{1,3})$/u.exec(text);
  if (row !== null) return { by: "row", row: Number(row[1]) };
  const link = parseMarketLink(text);
  if (link !== null) return { by: "catalog", ref: link, isLink: true };
  const lower = text.toLowerCase();
  const tag = /^(?:tag:|#)([a-z][a-z0-9-]{0,59})$/u.exec(lower)?.[1];
  if (tag !== undefined) return { by: "catalog", ref: { by: "tag", value: tag } };
  if (/^0x[0-9a-f]{64}$/u.test(lower)) {
    return { by: "catalog", ref: { by: "conditionId", value: lower } };
  }
  return slugPattern.test(lower) ? { by: "catalog", ref: { by: "slug", value: lower } } : null;
}

/** Free words, bounded. */
export function marketWords(text: string): MarketText {
  return { by: "catalog", ref: { by: "words", value: text.slice(0, 200) } };
}
