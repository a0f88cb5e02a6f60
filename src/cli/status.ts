import type { DataView } from "../engine/api/data-report.ts";
import type { DeskView, FeedView, OrderView } from "../engine/api/views.ts";
import { formatPrice, formatShares, type Usd, usdDecimals } from "../engine/domain/numbers.ts";
import { formatFixed } from "../engine/lib/decimal.ts";
import type { ServiceReport } from "../service-report.ts";
import { exitDone, readArguments } from "./arguments.ts";
import { askService, controlHelp, controlOptions } from "./control.ts";
import { ageText, plainText } from "./plain-text.ts";
import { renderReport } from "./status-report.ts";

const ordersShownMax = 20;
const questionChars = 48;

const help = `usage: pitboss status [--state DIR | --config FILE] [--verbose] [--json]
What a running service holds: trading state, money, exposure, orders, feeds and their integrity.
${controlHelp}
  --verbose      also each order, open and of late, each market's book and what happened to it, connections, stages
exit code: 0 shown, 3 not running
example: pitboss status --state ./var/desk --verbose`;

type StatusAnswer = { readonly view: DeskView; readonly orders: readonly OrderView[] };

/** `pitboss status`: prints the desk as the service sees it. Resolves to the exit code. */
export async function statusCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { ...controlOptions, verbose: { type: "boolean" } }, help);
  if (!read.ok) return read.exitCode;
  const reply = await askService(read.values, { v: 1, do: "status" });
  if (!reply.ok) return reply.exitCode;
  const { json, verbose } = read.values;
  const report = verbose ? await askService(read.values, { v: 1, do: "report" }) : null;
  if (report !== null && !report.ok) return report.exitCode;
  const status = reply.answer as unknown as StatusAnswer;
  const figures = report === null ? null : (report.answer as unknown as ServiceReport);
  const text = json
    ? JSON.stringify(figures === null ? status : { ...status, report: figures })
    : [renderStatus(status, verbose), ...(figures === null ? [] : renderReport(figures))].join(
        "\n",
      );
  process.stdout.write(`${text}\n`);
  return exitDone;
}

/** The screen of `status`; amounts to the cent, ages against the service's own clock. */
export function renderStatus(status: StatusAnswer, verbose: boolean): string {
  const { view, orders } = status;
  const lines = [
    `${view.mode.toUpperCase()} · ${tradingText(view)} · up ${ageText(view.atMs - view.startedAtMs)}`,
    `cash       ${usdText(view.cash)}  (${usdText(view.cashFree)} free, ${usdText(view.locked)} locked by orders)`,
    `positions  ${view.positions} worth ${usdText(view.positionsUsd)} at best bids${view.positionsAgeMs === null ? "" : ` up to ${ageText(view.positionsAgeMs)} old`}${view.unpriced > 0 ? `, ${view.unpriced} without a bid counted as $0.00` : ""}`,
    `exposure   ${usdText(view.exposureUsd)} of ${usdText(view.exposureCapUsd)}`,
    `orders     ${view.openOrders} open, ${view.inFlightOrders} in flight, ${view.unknownOrders} unknown${view.lastOrderAtMs === null ? "" : `, last ${ageText(view.atMs - view.lastOrderAtMs)} ago`}`,
    `books      ${view.booksLive} live, ${view.booksStale} stale`,
    `data       ${dataText(view.data)}`,
    `feeds      ${view.feeds.map(feedText).join(", ")}`,
    `ledger     row ${view.ledgerSeq}, ${view.queue} waiting`,
    `resume     in two steps, ${view.resumeNeedsCode ? "the second with a one-time code" : "without a code"}`,
    ...view.warnings.map((warning) => `WARNING    ${warning}`),
  ];
  if (verbose) lines.push(...ordersText(orders, view.atMs));
  return lines.join("\n");
}

/** One order on one line: side, shares, outcome, limit, status, market, id. */
export function orderText(
  order: OrderView,
  nowMs: number,
  status: string = order.cancelAsked ? `${order.status}, cancel asked` : order.status,
): string {
  const filled = `${formatShares(order.filled)}/${formatShares(order.size)} sh`;
  const question =
    order.question.length > questionChars
      ? `${order.question.slice(0, questionChars - 1)}…`
      : order.question;
  const what = `${order.side.toUpperCase()} ${order.outcomeName} ${filled} @ $${formatPrice(order.limit)} ${order.timeInForce}`;
  return `${order.shortId}  ${what}  ${status}  ${ageText(nowMs - order.createdAtMs)}  ${plainText(question)}`;
}

/** "  sent 2.1 ms, answered 40 ms after the command", as far as it got. */
function timingText({ timing }: OrderView): string {
  const { sentMs, acknowledgedMs } = timing;
  if (sentMs === null || acknowledgedMs === null) return "";
  return `  sent ${sentMs.toFixed(1)} ms, answered ${acknowledgedMs.toFixed(1)} ms after the command`;
}

function ordersText(orders: readonly OrderView[], nowMs: number): string[] {
  if (orders.length === 0) return ["no open orders"];
  const more = orders.length - ordersShownMax;
  return [
    ...orders.slice(0, ordersShownMax).map((order) => orderText(order, nowMs) + timingText(order)),
    ...(more > 0 ? [`… and ${more} more (--json shows all)`] : []),
  ];
}

/** "12,345 frames, 2 invalid, 3 resyncs (0.024 %), oldest live book 1.5 s". */
function dataText({ applied, invalid, resyncs, hashesTrusted, oldestMs }: DataView): string {
  const share = applied === 0 ? "" : ` (${((100 * resyncs) / applied).toFixed(3)} %)`;
  const oldest = oldestMs === null ? "" : `, oldest live book ${ageText(oldestMs)}`;
  const trust = hashesTrusted ? "" : ", HASHES FAIL EVERYWHERE: best prices only, no buys";
  return `${applied.toLocaleString("en-US")} frames, ${invalid} invalid, ${resyncs} resyncs${share}${oldest}${trust}`;
}

function tradingText(view: DeskView): string {
  const { state, reason, causes, sinceMs, byUserId, note } = view.trading;
  if (state === "active") return "trading ACTIVE";
  const who = byUserId === null ? "" : ` by user ${byUserId}`;
  const named = state === "reducing" ? causes.join(", ") : reason;
  const why = [named, note].filter((part) => part !== null && part !== "").join(": ");
  const since = new Date(sinceMs).toISOString().slice(0, 19).replace("T", " ");
  return `${state.toUpperCase()}${who} since ${since} UTC${why === "" ? "" : ` (${plainText(why)})`}`;
}

function feedText(feed: FeedView): string {
  const age = feed.ageMs === null ? "never heard" : `${ageText(feed.ageMs)} ago`;
  return `${feed.name} ${feed.up ? "up" : "DOWN"} (${age})`;
}

function usdText(money: Usd): string {
  const text = formatFixed(money, usdDecimals, 2);
  return text.startsWith("-") ? `-$${text.slice(1)}` : `$${text}`;
}
