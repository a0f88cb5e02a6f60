/** Longest foreign title that is shown whole. */
const maxTitleLength = 160;

// Control characters, and the invisible marks that turn or hide text (zero width, bidirectional overrides and isolates).
const unwanted =
  // oxlint-disable-next-line no-control-regex -- removing control characters is the purpose
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

/** A market title, outcome name or user text made safe to show: one line, no invisible marks, bounded length. */
export function cleanText(text: string, maxLength = maxTitleLength): string {
  const flat = text.replace(/\s+/gu, " ").replace(unwanted, "").trim();
  const glyphs = Array.from(flat);
  return glyphs.length <= maxLength ? flat : `${glyphs.slice(0, maxLength - 1).join("")}…`;
}
