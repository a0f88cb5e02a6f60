// Lines typed or piped into the desk: messages, `!1` for buttons, the directives of the script language.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { BotApiEmulator } from "./emulator.ts";
import { callbackButtons } from "./emulator-chats.ts";
import { EmulatorUseError } from "./emulator-refusal.ts";
import { parseScriptLine } from "./script-parse.ts";
import type { ScriptRunner } from "./script-run.ts";
import { ScriptFailure, ScriptSyntaxError } from "./script-types.ts";

/** At the end of piped input the desk waits for answers until nothing happened for this long, … */
const quietMs = 1_000;
/** … but not longer than this. */
const drainMs = 5_000;
/** Typed lines that wait for an earlier one; more are refused. */
const waitingLinesMax = 1_000;

export const promptHelp = `A line without ! is a message to the bot. Lines with !:
  !1 !2 …                       press a button of the message shown last, by its number
  !press REGEX | !again         press a visible button by its label; the same press once more
  !stale REGEX                  press a button that is gone
  !as ID [private|group]        write as another person (1001 and 1002 are the traders)
  !age SECONDS                  back-date the next line
  !expect REGEX | !refute REGEX | !count N REGEX   check what came since the last line that sent something
  !market SLUG hold | release | move TICKS | rules TEXT   freeze, free or move a paper market, or edit its rules
  !venue GET /path [REGEX]      read the paper venue as the account's owner: show the answer, or check it
  !fault venue|chat NAME k=v…   script a fault
  !code now | next | last [/resume]  say a one-time code (a desk with --codes)
  !crash K0…K17 | now, !restart kill -9 the service at a point; start it again
  !quit                         end (also Ctrl-D, Ctrl-C)`;

export interface PromptOptions {
  readonly emulator: BotApiEmulator;
  readonly runner: ScriptRunner;
  readonly input: Readable;
  readonly writeLine: (line: string) => void;
  /** Ends the conversation. */
  readonly signal: AbortSignal;
}

/** Runs one line; "quit" when the conversation must end. Problems are shown and end nothing. */
export async function runPromptLine(
  options: PromptOptions,
  raw: string,
): Promise<"ok" | "failed" | "quit"> {
  const line = raw.trim();
  if (line === "!quit" || line === "!exit") return "quit";
  if (line === "!help") {
    options.writeLine(promptHelp);
    return "ok";
  }
  try {
    const number = /^!(\d{1,3})$/.exec(line)?.[1];
    const path = /^!venue\s+GET\s+(\S+)$/.exec(line)?.[1];
    if (number !== undefined) pressByNumber(options, Number(number));
    else if (path !== undefined) options.writeLine(await options.runner.readVenue(path));
    else {
      const action = parseScriptLine(line, 1);
      if (action !== null) await options.runner.run(action);
    }
    return "ok";
  } catch (error) {
    if (error instanceof ScriptSyntaxError)
      options.writeLine(`${error.message.replace(/^line 1: /, "")} (!help)`);
    else if (error instanceof ScriptFailure || error instanceof EmulatorUseError) {
      options.writeLine(`${line}: ${error.message}`);
    } else throw error;
    return "failed";
  }
}

/** Presses a button of the message that was shown last and still has buttons. */
function pressByNumber({ emulator, runner }: PromptOptions, number: number): void {
  const { chatId } = runner;
  const messages = emulator.chats.find(chatId)?.messages;
  const shown = emulator.events.findLast((event) => {
    if (event.chatId !== chatId || (event.kind !== "message" && event.kind !== "edit"))
      return false;
    const message = messages?.get(event.messageId ?? -1);
    return message !== undefined && callbackButtons(message).length > 0;
  });
  const message = messages?.get(shown?.messageId ?? -1);
  const button = message === undefined ? undefined : callbackButtons(message)[number - 1];
  if (message === undefined || button === undefined)
    throw new ScriptFailure("there is no such button");
  runner.pressButton(message.message_id, button.data);
}

/** A conversation at a terminal, with a prompt; returns when the person ends it or the signal fires. */
export async function runTerminal(
  options: PromptOptions,
  output: NodeJS.WritableStream,
): Promise<void> {
  const { input, signal } = options;
  const prompt = createInterface({ input, output, prompt: "> ", historySize: 200 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const toPrompt: PromptOptions = {
    ...options,
    writeLine: (line) => {
      options.writeLine(line);
      prompt.prompt(true);
    },
  };
  const stopEvents = options.emulator.onEvent(() => prompt.prompt(true));
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  prompt.on("line", (line) => {
    if (waiting >= waitingLinesMax) return;
    waiting += 1;
    last = last.then(async () => {
      const result = await runPromptLine(toPrompt, line);
      waiting -= 1;
      if (result === "quit") resolve();
      else prompt.prompt();
    });
    last.catch((error: unknown) => {
      options.writeLine(String(error));
      resolve();
    });
  });
  prompt.on("SIGINT", () => resolve());
  prompt.on("close", () => resolve());
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (signal.aborted) resolve();
  prompt.prompt();
  await promise;
  stopEvents();
  prompt.close();
}

/** Lines from a pipe, one after the other; true when every expectation among them held. */
export async function runPipe(options: PromptOptions): Promise<boolean> {
  const { emulator, input, signal } = options;
  const lines = createInterface({ input });
  const stop = (): void => lines.close();
  signal.addEventListener("abort", stop, { once: true });
  let sent = 0;
  let held = true;
  for await (const line of lines) {
    if (signal.aborted) break;
    const result = await runPromptLine(options, line);
    if (result === "quit") break;
    if (result === "failed") held = false;
    if (line.trim() !== "") sent += 1;
  }
  if (sent > 0 && !signal.aborted) await drain(emulator, signal);
  return held;
}

/** Waits until the chat was quiet for a while, so that the last answers are shown. */
async function drain(emulator: BotApiEmulator, signal: AbortSignal): Promise<void> {
  const endMs = Date.now() + drainMs;
  while (Date.now() < endMs && !signal.aborted) {
    const seq = emulator.chats.lastSeq;
    const more = (): true | undefined => (emulator.chats.lastSeq > seq ? true : undefined);
    if ((await emulator.until(more, quietMs, signal)) === undefined) return;
  }
}
