import {
  renderScan,
  renderSetCard,
  renderSetDetails,
  scanKeyboard,
  setCardKeyboard,
  setCardTitle,
  setDetailsKeyboard,
} from "../render/sets.ts";
import { answered, message, pressedMessage, type Reply, type Turn } from "../turn.ts";
import { openCard, takeOver } from "./open-card.ts";
import { refuse } from "./refusals.ts";

/** `/arb`: all sets, ranked. */
export async function arb(turn: Turn, page: number): Promise<Reply> {
  const scan = await turn.api.scanSets();
  const isPaging = turn.command.text.startsWith("v1:arb:");
  return answered(
    message(
      renderScan(turn.deps.mode, scan, page),
      scanKeyboard(scan, page, turn.buttons),
      isPaging ? pressedMessage(turn) : null,
    ),
  );
}

/** One set: figures, and whether it can be bought. */
export async function arbDetails(turn: Turn, setId: string): Promise<Reply> {
  const scan = await turn.api.scanSets();
  const set = scan.sets.find((one) => one.setId === setId);
  if (set === undefined) return refuse(turn, { code: "market_unknown", subject: "set" });
  return answered(
    message(renderSetDetails(turn.deps.mode, set), setDetailsKeyboard(set, turn.buttons)),
  );
}

/** The confirmation card of a set; `replaces` is the card whose message it takes over. */
export async function quoteSet(turn: Turn, setId: string, replaces: string | null): Promise<Reply> {
  const target = await takeOver(turn, replaces);
  const quoted = await turn.api.quoteSet(turn.actor, turn.command.commandId, setId, null);
  if (!quoted.ok) return refuse(turn, quoted.error, target);
  const card = quoted.value;
  return answered(
    openCard(turn, card, target, {
      title: setCardTitle(card),
      again: { do: "arbQuote", setId, replaces: card.nonce },
      body: renderSetCard(card),
      keyboard: setCardKeyboard(card, turn.buttons),
    }),
  );
}
