// One event as a line for people and as a line for programs.
import type { ChatEvent } from "./emulator-types.ts";

/** One line of text: who, what, buttons in brackets. */
export function describeEvent(event: ChatEvent): string {
  const who = event.dir === "in" ? `${event.userId ?? "?"}` : "bot";
  const kinds: Readonly<Record<ChatEvent["kind"], string>> = {
    message: "",
    edit: " (edit)",
    delete: " (deleted)",
    press: " presses",
    callback_answer: event.alert ? " (alert)" : " (toast)",
  };
  const file = event.file === null ? "" : ` <${event.file.kind}>`;
  const buttons = event.buttons.map((row) => row.map((one) => `[${one.text}]`).join(" "));
  const text = event.kind === "press" ? `[${event.text}]` : event.text.replaceAll("\n", "\n    ");
  return [`${who}${kinds[event.kind]}:${file} ${text}`, ...buttons.map((row) => `    ${row}`)].join(
    "\n",
  );
}

/** The object of one `--json` line; `t` is ISO time, `kind` names what happened to the message. */
export function eventToJson(event: ChatEvent): Readonly<Record<string, unknown>> {
  return {
    t: new Date(event.atMs).toISOString(),
    dir: event.dir,
    chat: event.chatId,
    user: event.userId,
    kind: event.file !== null && event.kind === "message" ? event.file.kind : event.kind,
    message_id: event.messageId,
    text: event.text,
    buttons: event.buttons.map((row) => row.map((button) => button.text)),
    alert: event.alert,
  };
}
