// The usual way to record a market: one JSON line a frame, appended through a buffer; read back line by line.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const bufferChars = 64 * 1024;

export class UsualRecorder {
  readonly #handle: number;
  #buffer = "";

  constructor(file: string) {
    this.#handle = openSync(file, "w");
  }

  frame(atMs: number, bytes: Buffer): void {
    this.#buffer += `${JSON.stringify({ t: atMs, frame: bytes.toString("utf8") })}\n`;
    if (this.#buffer.length >= bufferChars) this.#write();
  }

  close(): void {
    this.#write();
    closeSync(this.#handle);
  }

  #write(): void {
    writeSync(this.#handle, this.#buffer);
    this.#buffer = "";
  }
}

/** Calls `read` with the text of every frame of such a file. */
export function readUsual(file: string, read: (text: string) => void): void {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line !== "") read((JSON.parse(line) as { readonly frame: string }).frame);
  }
}
