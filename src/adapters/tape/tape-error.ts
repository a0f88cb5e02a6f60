/** A tape that cannot be read or written: which file, and what is wrong with it. */
export class TapeError extends Error {
  override readonly name = "TapeError";
}
