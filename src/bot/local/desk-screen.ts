// Shows the chat on a terminal: who, text, numbered buttons; pictures are saved and their path is shown.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BotApiEmulator } from "./emulator.ts";
import type { ChatEvent, InlineButton } from "./emulator-types.ts";

const photosKeptMax = 200;
const colours: Readonly<Record<string, string>> = { success: "32", danger: "31", primary: "34" };

export interface ScreenOptions {
  readonly emulator: BotApiEmulator;
  readonly photosDir: string;
  readonly isColoured: boolean;
  readonly writeLine: (line: string) => void;
  /** The chat of the person at the keyboard, until another one speaks. */
  readonly homeChatId: number;
}

export class Screen {
  readonly #options: ScreenOptions;

  #chatId: number;

  constructor(options: ScreenOptions) {
    this.#options = options;
    this.#chatId = options.homeChatId;
  }

  /** Shows one event; presses and typed lines of the person at the keyboard included. */
  show(event: ChatEvent): void {
    const { writeLine } = this.#options;
    if (event.dir === "in") this.#chatId = event.chatId;
    if (event.kind === "press")
      return writeLine(`${this.#person(event)} presses [${clean(event.text)}]`);
    if (event.kind === "delete")
      return writeLine(this.#dim(`bot deletes message ${event.messageId}`));
    if (event.kind === "callback_answer") {
      const kind = event.alert ? this.#paint("ALERT", "31") : this.#dim("note");
      if (event.text !== "") writeLine(`bot ${kind}: ${clean(event.text)}`);
      return;
    }
    const head = event.dir === "in" ? this.#person(event) : this.#paint("bot", "36");
    const edited = event.kind === "edit" ? this.#dim(` (edits ${event.messageId})`) : "";
    const place = this.#dim(this.#placeOf(event));
    writeLine(`${head}${place}${edited}: ${clean(event.text).replaceAll("\n", "\n  ")}`);
    const saved = this.#saveFile(event);
    if (saved !== null) writeLine(this.#dim(`  picture: ${saved}`));
    for (const row of numberButtons(event.buttons)) {
      writeLine(`  ${row.map((button) => this.#button(button)).join(" ")}`);
    }
  }

  /** Alerts go to every trader: what another one is told must not look like a repetition. */
  #placeOf(event: ChatEvent): string {
    if (event.chatId < 0) return " (group)";
    if (event.dir === "in" || event.chatId === this.#chatId) return "";
    return ` (to ${this.#options.emulator.chats.user(event.chatId).first_name})`;
  }

  #person(event: ChatEvent): string {
    const user = this.#options.emulator.chats.user(event.userId ?? 0);
    return this.#paint(`${user.first_name} (${user.id})`, "33");
  }

  #button({ button, number }: NumberedButton): string {
    const label = clean(button.text);
    const colour = colours[button.style ?? ""];
    if (number === null)
      return this.#dim(button["disabled"] === undefined ? `[${label} ↗]` : `[${label}]`);
    const text = `[${number} ${label}]`;
    return colour === undefined ? text : this.#paint(text, colour);
  }

  #paint(text: string, colour: string): string {
    return this.#options.isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
  }

  #dim(text: string): string {
    return this.#paint(text, "2");
  }

  #saveFile(event: ChatEvent): string | null {
    if (event.file === null || event.dir === "in") return null;
    const stored = this.#options.emulator.file(event.file.fileId);
    if (stored === undefined) return null;
    const { photosDir } = this.#options;
    mkdirSync(photosDir, { recursive: true });
    const name = `${event.atMs}-${stored.path.replaceAll("/", "-")}`;
    writeFileSync(join(photosDir, name), stored.upload.bytes);
    const kept = readdirSync(photosDir).sort();
    for (const old of kept.slice(0, Math.max(0, kept.length - photosKeptMax))) {
      rmSync(join(photosDir, old), { force: true });
    }
    return join(photosDir, name);
  }
}

export interface NumberedButton {
  readonly button: InlineButton;
  /** As typed after `!`; null for a button that sends nothing to the bot. */
  readonly number: number | null;
}

/** Numbers the buttons that can be pressed, row by row from 1. */
export function numberButtons(
  rows: readonly (readonly InlineButton[])[],
): readonly (readonly NumberedButton[])[] {
  let next = 1;
  return rows.map((row) =>
    row.map((button) => {
      const number = button.callback_data === undefined ? null : next;
      if (number !== null) next += 1;
      return { button, number };
    }),
  );
}

/** Market titles are data: control characters must not reach the terminal. */
function clean(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "�");
}
