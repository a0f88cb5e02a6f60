import type { DeskMode, SetCard, SetKind, SetScanView, SetView } from "../../engine/api/views.ts";
import type { Usd } from "../../engine/domain/numbers.ts";
import type { ButtonMaker, Keyboard } from "../actions/buttons.ts";
import { averageCents, cents, moneyExact, profit, sharesExact } from "../text/amounts.ts";
import { cleanText } from "../text/clean-text.ts";
import { type RichText, TextBuilder } from "../text/rich-text.ts";
import { duration, utcTime } from "../text/time-text.ts";
import { explain } from "./explain.ts";
import { isSetRefusal, setRefusal } from "./explain-set.ts";
import { modeTag } from "./mode.ts";
import { riskLine } from "./trade-card.ts";

export const setsAPage = 6;
/** Legs listed one by one; a set with more says how many are left out. */
const legsShown = 20;

const verdictRank: Readonly<Record<SetView["verdict"], number>> = {
  profitable: 0,
  needs_convert: 1,
  refused: 2,
};

/** Profitable sets first, then those that need a convert, then the refused ones; by profit inside each. */
export function rankSets(sets: readonly SetView[]): readonly SetView[] {
  const least = Number.NEGATIVE_INFINITY;
  return [...sets].sort(
    (a, b) =>
      verdictRank[a.verdict] - verdictRank[b.verdict] || (b.profit ?? least) - (a.profit ?? least),
  );
}

function kindText(kind: SetKind, outcomes: number): string {
  switch (kind) {
    case "binary":
      return "YES+NO";
    case "neg-risk-long":
      return `every YES of ${outcomes}`;
    case "neg-risk-convert":
      return `NOs of ${outcomes}, converted`;
  }
}

function figures(set: SetView): string {
  if (set.shares === null || set.cost === null || set.profit === null) return "no liquidity";
  const fee = set.fee === null ? "" : ` · fee ${moneyExact(set.fee)}`;
  const age = set.oldestBookMs === null ? "" : ` · oldest book ${duration(set.oldestBookMs)} old`;
  return `${sharesExact(set.shares)} sets cost ${moneyExact(set.cost)}${fee} · profit ${profit(set.profit)}${age}`;
}

/** Why a set is not on offer, or that it is. */
export function setVerdictText(set: SetView): string {
  if (set.verdict === "profitable") return "can be bought now";
  if (set.verdict === "needs_convert") {
    return "needs_convert: it ends with a contract call, which a set does not make by itself (see /convert)";
  }
  if (set.refusal === null) return "refused";
  return isSetRefusal(set.refusal.code)
    ? `refused: ${setRefusal(set.refusal.code, cleanText(set.refusal.subject ?? "", 60))}`
    : `refused: ${explain(set.refusal).what}`;
}

export function renderScan(mode: DeskMode, scan: SetScanView, page: number): RichText {
  const ranked = rankSets(scan.sets);
  const good = ranked.filter((set) => set.verdict === "profitable").length;
  const text = new TextBuilder();
  text.bold(`${modeTag(mode)} · ARB · ${good} profitable after fees`).line();
  text.plain(`Scanned ${scan.scannedSets} sets in ${scan.scannedMarkets} markets at `);
  text.relativeTime(scan.atMs, utcTime(scan.atMs)).line();
  const shown = ranked.slice(page * setsAPage, (page + 1) * setsAPage);
  shown.forEach((set, i) => {
    text.bold(`${page * setsAPage + i + 1}. ${cleanText(set.title, 90)}`).line();
    text.line(`    ${kindText(set.kind, set.outcomes)} · ${figures(set)}`);
    text.line(`    ${setVerdictText(set)}`);
  });
  if (ranked.length === 0) text.plain("No sets are known yet. Try again in a moment.");
  return text.build();
}

export function scanKeyboard(scan: SetScanView, page: number, buttons: ButtonMaker): Keyboard {
  const ranked = rankSets(scan.sets);
  const start = page * setsAPage;
  const details = ranked
    .slice(start, start + setsAPage)
    .map((set, i) => buttons.make(`${start + i + 1} Details`, { do: "arbSet", setId: set.setId }));
  const turn = [buttons.make("Refresh", { do: "arb", page })];
  if (page > 0) turn.unshift(buttons.make("◀", { do: "arb", page: page - 1 }));
  if (start + setsAPage < ranked.length)
    turn.push(buttons.make("▶", { do: "arb", page: page + 1 }));
  return [details.slice(0, 3), details.slice(3), turn].filter((row) => row.length > 0);
}

export function renderSetDetails(mode: DeskMode, set: SetView): RichText {
  const text = new TextBuilder().bold(`${modeTag(mode)} · SET · ${cleanText(set.title)}`).line();
  text.line(kindText(set.kind, set.outcomes));
  text.line(figures(set));
  text.plain(`This set: ${setVerdictText(set)}.`);
  return text.build();
}

export function setDetailsKeyboard(set: SetView, buttons: ButtonMaker): Keyboard {
  const back = buttons.make("Back", { do: "arb", page: 0 });
  if (set.verdict !== "profitable") return [[back]];
  const edge = set.profit === null ? "" : ` · edge ${profit(set.profit)}`;
  const quote = buttons.make(
    `Execute${edge}`,
    { do: "arbQuote", setId: set.setId, replaces: null },
    "primary",
  );
  return [[back, quote]];
}

/** The confirmation card of a set: every leg buys the same number of shares. */
export function renderSetCard(card: SetCard, lead: string | null = null): RichText {
  const text = new TextBuilder();
  if (lead !== null) text.bold(lead).line();
  text.bold(`${modeTag(card.mode)} · CONFIRM SET`).line();
  text.line(`${cleanText(card.title)} · ${kindText(card.kind, card.legs.length)}`);
  text.line(`Buy ${sharesExact(card.shares)} shares of each of ${card.legs.length} legs`);
  card.legs.slice(0, legsShown).forEach((leg, i) => {
    text.line(
      `${i + 1}. ${cleanText(leg.outcomeName, 30)} · ${cleanText(leg.question, 60)}: ${moneyExact(leg.money)}, average ${averageCents(leg.money, card.shares)}, worst ${cents(leg.worst)}, limit ${cents(leg.limit)}, fee ${moneyExact(leg.fee)}`,
    );
  });
  if (card.legs.length > legsShown) text.line(`and ${card.legs.length - legsShown} more legs`);
  text.line(`Oldest book ${duration(card.oldestBookMs)} old`);
  text.line(
    `Cost ${moneyExact(card.cost)} · fee ${moneyExact(card.fee)} · at most ${moneyExact(card.maxSpend)} leaves the account`,
  );
  text.line(
    `Pays ${moneyExact(card.shares as number as Usd)} whatever wins · profit ${profit(card.profit)}`,
  );
  text.line(`Max loss ${moneyExact(card.maxLoss)} if a leg fails: legs are separate orders`);
  text.line(riskLine(card.riskAfter));
  text.plain("Quote valid until ").moment(card.expiresAtMs, "T", utcTime(card.expiresAtMs));
  const seconds = Math.round((card.expiresAtMs - card.createdAtMs) / 1000);
  text.plain(" (").relativeTime(card.expiresAtMs, `in ${seconds} seconds`).plain(")");
  return text.build();
}

export function setCardKeyboard(card: SetCard, buttons: ButtonMaker): Keyboard {
  const confirm = buttons.withNonce(
    `Confirm ${moneyExact(card.cost)}`,
    { do: "confirmSet", expiresAtMs: card.expiresAtMs, setId: card.setId },
    "success",
    card.nonce,
  );
  return [
    [buttons.make("Cancel", { do: "discard", nonce: card.nonce }), confirm],
    [buttons.make("Re-quote", { do: "arbQuote", setId: card.setId, replaces: card.nonce })],
  ];
}

export function setCardTitle(card: SetCard): string {
  return `${modeTag(card.mode)} · SET · ${cleanText(card.title)}`;
}
