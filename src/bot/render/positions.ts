import type { DeskMode, HoldingView } from "../../engine/api/views.ts";
import type { Usd } from "../../engine/domain/numbers.ts";
import { emptyDraft } from "../actions/bot-action.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import {
  averageCents,
  centsOrDash,
  money,
  profit,
  sharesShort,
  smallestSale,
} from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration } from "../text/time-text.ts";
import { modeTag } from "./mode.ts";

/** Positions on one screen; more are counted, not hidden. */
export const positionsShown = 6;
const sellParts = [250_000, 500_000, 1_000_000];

/** " (0.4 s old)" behind a bid; nothing where there is none. */
function ageText({ bidAgeMs }: HoldingView): string {
  return bidAgeMs === null ? "" : ` (${duration(bidAgeMs)} old)`;
}

/** What is held, biggest result first, with what it cost and would bring at the best bid. */
export function renderPositions(mode: DeskMode, holdings: readonly HoldingView[]): RichText {
  const text = new TextBuilder().bold(`${modeTag(mode)} · POSITIONS · ${holdings.length}`).line();
  if (holdings.length === 0) {
    return text.plain("You hold nothing. /markets shows what can be bought.").build();
  }
  holdings.slice(0, positionsShown).forEach((holding, i) => {
    const held = (holding.confirmed + holding.provisional) as typeof holding.confirmed;
    const average = averageCents(Math.max(0, holding.cost) as Usd, held);
    text.bold(`${i + 1}. ${cleanText(holding.outcomeName, 30)} `);
    text.plain(
      `${sharesShort(held)} shares @ ${average} · bid ${centsOrDash(holding.bid)}${ageText(holding)} · cost ${money(holding.cost)}`,
    );
    if (holding.unrealizedUsd !== null)
      text.plain(` · unrealised ${profit(holding.unrealizedUsd)}`);
    if (holding.realizedUsd !== 0) text.plain(` · realised ${profit(holding.realizedUsd)}`);
    text.line().line(`    ${cleanText(holding.question, 100)}`);
    if (held < smallestSale) {
      text.line("    too small to sell; it is paid out when the market resolves");
    } else if (holding.dust) {
      text.line("    dust: below the venue's smallest resting order; counted, never re-ordered");
    }
    if (holding.unexplained > 0) {
      const more = sharesShort(holding.unexplained);
      text.line(`    ${more} more at the venue, not bought here: this desk does not sell them`);
    }
    if (holding.sellable < holding.confirmed) {
      text.line(`    ${sharesShort(holding.sellable)} can be sold now`);
    }
    if (holding.external !== 0) {
      const outside = sharesShort(Math.abs(holding.external) as typeof held);
      const verb = holding.external > 0 ? "bought" : "sold";
      text.line(`    ${outside} ${verb} outside this desk (external), counted here`);
    }
    if (holding.provisional > 0) {
      text.line(`    ${sharesShort(holding.provisional)} not yet confirmed, cannot be sold yet`);
    }
  });
  if (holdings.length > positionsShown) text.plain(`and ${holdings.length - positionsShown} more`);
  return text.build();
}

export function positionsKeyboard(
  holdings: readonly HoldingView[],
  buttons: ButtonMaker,
): Keyboard {
  const rows = holdings.slice(0, positionsShown).flatMap((holding, i) =>
    holding.confirmed < smallestSale
      ? []
      : [
          sellParts.map((part) =>
            buttons.make(`${i + 1}: Sell ${part / 10_000}%`, {
              do: "quote",
              replaces: null,
              request: {
                ...emptyDraft("sell"),
                conditionId: holding.conditionId,
                outcome: holding.outcome,
                amount: { unit: "part", value: part },
              },
            }),
          ),
        ],
  );
  return [...rows, [buttons.make("Refresh", { do: "positions" })]];
}

/** Largest result first, whichever its sign; positions without a price last. */
export function bySizeOfResult(a: HoldingView, b: HoldingView): number {
  return Math.abs(b.unrealizedUsd ?? 0) - Math.abs(a.unrealizedUsd ?? 0);
}
