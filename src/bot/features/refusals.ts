import type { Denial } from "../../engine/domain/reasons.ts";
import type { Keyboard } from "../actions/buttons.ts";
import type { MessageTarget } from "../card-registry.ts";
import { explain } from "../render/explain.ts";
import { type Explanation, renderExplanation } from "../render/explanation.ts";
import { modeTag } from "../render/mode.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { message, type Reply, refused, type Turn } from "../turn.ts";

/** The answer to a command that is refused: three lines. `target` puts them in place of the pressed message. */
export function refuse(
  turn: Turn,
  denial: Denial,
  target: MessageTarget | null = null,
  keyboard: Keyboard = [],
): Reply {
  return refused(denial.code, message(refusalText(turn, explain(denial)), keyboard, target));
}

export function refusalText(turn: Turn, explanation: Explanation) {
  return renderExplanation(`${modeTag(turn.deps.mode)} · REFUSED`, explanation);
}

/** A command that came too late to trade. */
export function refuseTooOld(turn: Turn, target: MessageTarget | null = null): Reply {
  const seconds = Math.round((turn.deps.now() - turn.command.sentAtMs) / 1000);
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · REFUSED`)
    .line()
    .line(`Too old, nothing was sent: this came ${seconds} s after you wrote it.`)
    .line("Your money is where it was.")
    .plain("Send it again if you still want it.");
  return refused("command_expired", message(text.build(), [], target));
}
