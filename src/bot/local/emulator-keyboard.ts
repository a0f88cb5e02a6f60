// Inline keyboards as the server takes them; other markups are accepted and not shown.

import type { Params } from "./emulator-params.ts";
import { badRequest } from "./emulator-refusal.ts";
import type { InlineButton, InlineKeyboard } from "./emulator-types.ts";
import { isRecord } from "./emulator-types.ts";

const buttonsMax = 100;
const callbackDataBytesMax = 64;
const copyTextMax = 256;
const styles = new Set(["danger", "success", "primary"]);
/** A button does exactly one of these. */
const actions = [
  "callback_data",
  "url",
  "copy_text",
  "disabled",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "callback_game",
  "pay",
];

/** The inline keyboard of a call, or undefined when it has none. Throws `ApiRefusal` 400. */
export function readKeyboard(params: Params): InlineKeyboard | undefined {
  const markup = params.json("reply_markup", "reply keyboard markup");
  if (!isRecord(markup) || markup["inline_keyboard"] === undefined) return undefined;
  const given = markup["inline_keyboard"];
  if (!Array.isArray(given)) {
    throw badRequest(
      'can\'t parse inline keyboard markup: Field "inline_keyboard" must be of type Array',
    );
  }
  const rows = given
    .map((row: unknown) => (Array.isArray(row) ? row.map((one) => readButton(one)) : []))
    .filter((row) => row.length > 0);
  if (rows.flat().length > buttonsMax) throw badRequest("reply markup is too long");
  return rows.length === 0 ? undefined : { inline_keyboard: rows };
}

function readButton(given: unknown): InlineButton {
  if (!isRecord(given) || typeof given["text"] !== "string") {
    throw badRequest("can't parse inline keyboard button: Can't find field \"text\"");
  }
  const text = given["text"];
  if (text.trim() === "") throw badRequest("BUTTON_TEXT_INVALID");
  if (!actions.some((action) => given[action] !== undefined)) {
    throw badRequest(
      "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    );
  }
  const data = given["callback_data"];
  if (data !== undefined) {
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : 0;
    if (bytes < 1 || bytes > callbackDataBytesMax) throw badRequest("BUTTON_DATA_INVALID");
  }
  const style = given["style"];
  if (style !== undefined && !(typeof style === "string" && styles.has(style))) {
    throw badRequest("BUTTON_STYLE_INVALID");
  }
  const copy = given["copy_text"];
  if (copy !== undefined) {
    const copied = isRecord(copy) && typeof copy["text"] === "string" ? copy["text"] : "";
    if (copied.length < 1 || copied.length > copyTextMax)
      throw badRequest("BUTTON_COPY_TEXT_INVALID");
  }
  return { ...given, text };
}
