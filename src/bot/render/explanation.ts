import { type RichText, TextBuilder } from "../text/rich-text.ts";

/** Every refusal says three things: what happened, where the money is, what to do. */
export type Explanation = {
  readonly what: string;
  readonly money: string;
  readonly todo: string;
};

const nothingSent = "Nothing was sent. Your money is where it was.";

/** A refusal before anything was sent. */
export function because(what: string, todo: string): Explanation {
  return { what, money: nothingSent, todo };
}

/** Three lines, and a reference when somebody may have to look it up in the log. */
export function renderExplanation(
  head: string,
  explanation: Explanation,
  reference: string | null = null,
): RichText {
  const text = new TextBuilder();
  if (head !== "") text.bold(head).line();
  text.line(explanation.what).line(explanation.money).plain(explanation.todo);
  if (reference !== null) text.plain(" · ref ").code(reference);
  return text.build();
}
