import type { FillReport } from "../domain/fill.ts";
import type { StepContext } from "./context.ts";
import { raise } from "./notices.ts";

/** Trades of the stream that are remembered until the list was read; older ones are long compared. */
const keptHeard = 4_000;

function idOf(fill: FillReport): string {
  return `${fill.tradeId}:${fill.orderHash}`;
}

/** The private stream told a trade: one of the two copies of what was executed. */
export function heardOnStream(context: StepContext, fill: FillReport): void {
  const { heard } = context.state.live;
  const id = idOf(fill);
  if (heard.has(id)) return;
  heard.set(id, { heardAtMs: context.atMs, tradeAtMs: fill.atMs });
  const [oldest] = heard.keys();
  if (heard.size > keptHeard && oldest !== undefined) heard.delete(oldest);
}

/**
 * The other copy: the venue's list of trades. A trade that only one of them has after a while is counted all the same, and
 * told once, because a copy that loses trades is an early warning (drop-copy reconciliation).
 */
export function compareCopies(context: StepContext, listed: readonly FillReport[]): void {
  const { live, told } = context.state;
  const graceMs = context.settings.waits.feedLostAfterMs;
  const settledMs = live.fillsAskedAtMs - graceMs;
  const upSinceMs = live.links.user.up ? live.userUpSinceMs + graceMs : Number.POSITIVE_INFINITY;
  const there = new Set(listed.map(idOf));
  const isNew = (id: string) => !told.has(`copy:${id}`);
  const notOnStream = listed.filter(
    (fill) =>
      fill.atMs >= upSinceMs &&
      fill.atMs <= settledMs &&
      !live.heard.has(idOf(fill)) &&
      isNew(idOf(fill)),
  );
  const notListed: string[] = [];
  for (const [id, { heardAtMs, tradeAtMs }] of live.heard.entries()) {
    const inWindow = tradeAtMs >= live.fillsWindowMs && heardAtMs <= settledMs;
    if (inWindow && !there.has(id) && isNew(id)) notListed.push(id);
  }
  if (notOnStream.length + notListed.length === 0) return;
  const ids = [...notOnStream.map(idOf), ...notListed];
  raise(
    context,
    null,
    {
      kind: "copies.disagree",
      notOnStream: notOnStream.length,
      notListed: notListed.length,
      tradeId: (ids[0] ?? "").split(":")[0] ?? "",
    },
    ids.map((id) => ({ subject: `copy:${id}`, step: "told" })),
  );
}
