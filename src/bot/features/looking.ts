import { renderHelp } from "../render/help.ts";
import { homeKeyboard, renderHome, renderStatus, statusKeyboard } from "../render/status.ts";
import { answered, message, pressedMessage, type Reply, type Turn } from "../turn.ts";

/** `/start`, and the home button. */
export function home(turn: Turn): Reply {
  return answered(message(renderHome(turn.api.view()), homeKeyboard(turn.buttons)));
}

/** `/help [command]`. */
export function help(turn: Turn, topic: string): Reply {
  return answered(message(renderHelp(turn.deps, topic)));
}

/** `/status`, refreshed in place by its button. */
export function status(turn: Turn): Reply {
  const view = turn.api.view();
  const target =
    turn.command.kind === "press" && turn.command.text.startsWith("v1:status:")
      ? pressedMessage(turn)
      : null;
  return answered(message(renderStatus(view), statusKeyboard(view, turn.buttons), target));
}
