/** An ASCII text prepared for comparison with bytes four at a time: ids and literals are most of a frame. */
export type PackedText = {
  readonly bytes: Uint8Array;
  /** Words from the front; the last one ends with the text and may overlap the one before. */
  readonly words: Int32Array;
};

export const wordBytes = 4;

/** @throws RangeError for a text shorter than one word */
export function packText(bytes: Uint8Array): PackedText {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Int32Array(Math.ceil(bytes.length / wordBytes));
  for (let i = 0; i < words.length; i++) {
    words[i] = view.getInt32(Math.min(i * wordBytes, bytes.length - wordBytes), true);
  }
  return { bytes, words };
}

/** True when the text stands at this place. */
export function standsAt(text: PackedText, view: DataView, at: number, end: number): boolean {
  const { words } = text;
  const last = at + text.bytes.length - wordBytes;
  if (last + wordBytes > end) return false;
  const count = words.length - 1;
  for (let i = 0; i < count; i++, at += wordBytes) {
    if (view.getInt32(at, true) !== words[i]) return false;
  }
  return view.getInt32(last, true) === words[count];
}
