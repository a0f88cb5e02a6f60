import type { BookHasher } from "../domain/book-hash.ts";

/** Hash functions come in from outside: the engine has no npm package and no `node:`. Pure: same text, same hex. */
export type Hasher = BookHasher & {
  /** Lower-case hex of the SHA-256 of UTF-8 text. */
  readonly sha256Hex: (text: string) => string;
};
