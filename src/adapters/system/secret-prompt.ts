// Reads one line from a terminal without showing it.

import type { Writable } from "node:stream";
import type { ReadStream } from "node:tty";

const charsMax = 4096;
const enter = /[\r\n]/;
const interrupt = "\u0003";
const endOfInput = "\u0004";
const erase = /[\u007f\b]/;

export type Terminal = {
  readonly input: Pick<ReadStream, "isTTY" | "setRawMode" | "on" | "off" | "resume" | "pause">;
  readonly output: Pick<Writable, "write">;
};

/** The line that was typed; null when there is no terminal, or the person gave up (Ctrl-C, Ctrl-D). Nothing is echoed. */
export async function askSecret(
  question: string,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<string | null> {
  const { input, output } = terminal;
  if (!input.isTTY) return null;
  output.write(question);
  input.setRawMode(true);
  input.resume();
  try {
    return await lineOf(input);
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write("\n");
  }
}

function lineOf(input: Terminal["input"]): Promise<string | null> {
  return new Promise((resolve) => {
    let typed = "";
    const end = (line: string | null) => {
      input.off("data", onData);
      resolve(line);
    };
    const onData = (chunk: Buffer | string) => {
      for (const char of chunk.toString()) {
        if (enter.test(char)) return end(typed);
        if (char === interrupt || char === endOfInput) return end(null);
        if (erase.test(char)) typed = typed.slice(0, -1);
        else if (typed.length < charsMax) typed += char;
      }
      return undefined;
    };
    input.on("data", onData);
  });
}
