import { claimsKeyboard, renderClaims } from "../render/actions.ts";
import { bySizeOfResult, positionsKeyboard, renderPositions } from "../render/positions.ts";
import { answered, message, pressedMessage, type Reply, type Turn } from "../turn.ts";

/** `/positions`, refreshed in place by its button. */
export function positions(turn: Turn): Reply {
  const held = [...turn.api.holdings()]
    .filter((holding) => holding.confirmed + holding.provisional + holding.unexplained > 0)
    .sort(bySizeOfResult);
  const claims = turn.api.claims();
  const isRefresh = turn.command.text.startsWith("v1:positions:");
  const list = message(
    renderPositions(turn.deps.mode, held),
    positionsKeyboard(held, turn.buttons),
    isRefresh ? pressedMessage(turn) : null,
  );
  if (claims.length === 0 || isRefresh) return answered(list);
  const waiting = renderClaims(turn.deps.mode, claims);
  return answered(list, message(waiting, claimsKeyboard(claims, turn.buttons)));
}
