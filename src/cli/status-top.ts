import type { MarketHealthView } from "../engine/api/data-report.ts";
import type { ServiceReport } from "../service-report.ts";
import { exitDone, exitWrongUse, readArguments } from "./arguments.ts";
import { askService, controlHelp, controlOptions } from "./control.ts";
import { ageText, plainText } from "./plain-text.ts";
import { reasonsText } from "./status-report.ts";

const help = `usage: pitboss status-top [--limit N] [--state DIR | --config FILE] [--json]
The markets with the most trouble: most resyncs, longest without news, and what rate limits held back.
  --limit N      lines of each list, 1 to 100 (default 10)
${controlHelp}
exit code: 0 shown, 3 not running
example: pitboss status-top --limit 5`;

const limitDefault = 10;
const limitMax = 100;

/** `pitboss status-top`: worst offenders first. Resolves to the exit code. */
export async function statusTopCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { ...controlOptions, limit: { type: "string" } }, help);
  if (!read.ok) return read.exitCode;
  const { limit: wanted = String(limitDefault), json } = read.values;
  const limit = /^\d{1,3}$/u.test(wanted) ? Number(wanted) : 0;
  if (limit < 1 || limit > limitMax) {
    process.stderr.write(`status-top: --limit is a whole number from 1 to ${limitMax}\n`);
    return exitWrongUse;
  }
  const reply = await askService(read.values, { v: 1, do: "report" });
  if (!reply.ok) return reply.exitCode;
  const top = topOf(reply.answer as unknown as ServiceReport, limit);
  process.stdout.write(`${json ? JSON.stringify(top) : renderTop(top)}\n`);
  return exitDone;
}

export type StatusTop = {
  readonly resyncs: readonly MarketHealthView[];
  readonly staleness: readonly MarketHealthView[];
  readonly rates: ServiceReport["rates"];
};

/** The worst of each kind; a market without trouble is in no list. */
export function topOf({ markets, rates }: ServiceReport, limit: number): StatusTop {
  const age = ({ ageMs }: MarketHealthView) => ageMs ?? Number.POSITIVE_INFINITY;
  return {
    resyncs: markets
      .filter((market) => market.resyncsTotal > 0)
      .sort((a, b) => b.resyncsTotal - a.resyncsTotal || b.resyncRatio - a.resyncRatio)
      .slice(0, limit),
    staleness: [...markets]
      // Not live at all is worse than old; two of them differ by nothing.
      .sort((a, b) => (age(a) === age(b) ? 0 : age(b) - age(a)))
      .slice(0, limit),
    rates,
  };
}

function renderTop({ resyncs, staleness, rates }: StatusTop): string {
  const name = (market: MarketHealthView) => plainText(market.slug);
  return [
    "most resyncs",
    ...linesOr(
      "none",
      resyncs.map(
        (market) =>
          `  ${String(market.resyncsTotal).padStart(6)}  ${market.resyncRatio.toFixed(4)} of frames  ${name(market)}  (${reasonsText(market.resyncs)})`,
      ),
    ),
    "longest without news",
    ...linesOr(
      "no market is followed",
      staleness.map(({ ageMs, status, reason, ...market }) => {
        const age =
          ageMs === null ? `${status}${reason === null ? "" : ` (${reason})`}` : ageText(ageMs);
        return `  ${age.padStart(8)}  ${plainText(market.slug)}`;
      }),
    ),
    "rate limits",
    ...Object.entries(rates).map(
      ([kind, { heldBack, refused }]) =>
        `  ${kind.padEnd(12)} ${heldBack} held back by our limit, ${refused} answered 429`,
    ),
  ].join("\n");
}

function linesOr(none: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`  ${none}`] : lines;
}
