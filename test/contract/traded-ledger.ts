import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import { openCoreDesk, trader } from "../engine/support/core-desk.ts";
import { priceOf, sharesOf } from "../engine/support/levels.ts";
import { fillOf, foreign } from "../engine/support/venue-reports.ts";

/**
 * The rows of a desk that bought, had a fill reversed, left an order resting, answered and left unanswered, met somebody
 * else's trade and was killed.
 */
export function tradedLedger(): readonly LogRecord[] {
  const desk = openCoreDesk();
  const receive = (commandId: string) => {
    const command = {
      commandId,
      actor: trader,
      text: "/buy 'x'; --",
      kind: "message" as const,
      messageId: 1,
      sentAtMs: desk.nowMs,
    };
    desk.request("receive", { do: "receive", command });
  };
  receive("tg:1");
  receive("tg:2");
  desk.run({
    kind: "request",
    request: { do: "answer", commandId: "tg:1", verdict: "executed", reason: "", messages: [] },
  });
  const amount = { unit: "shares", value: sharesOf("20") } as const;
  const [bought, reversed, resting] = ["0.60", "0.61", "0.40"].map((at) =>
    desk.place({ limit: priceOf(at), amount }),
  );
  if (bought === undefined || reversed === undefined || resting === undefined) return [];
  for (const { clientOid } of [bought, reversed, resting]) {
    const outcome = { kind: "accepted", state: "live" } as const;
    desk.run({ kind: "post.finished", clientOid, outcome });
  }
  const report = (fill: ReturnType<typeof fillOf>) => {
    desk.nowMs += 1_000;
    desk.run({ kind: "account", event: { kind: "fill.reported", fill } });
  };
  report(fillOf(bought, "t1", sharesOf("7.5")));
  report(fillOf(bought, "t1", sharesOf("7.5"), { status: "confirmed" }));
  report(fillOf(reversed, "t2", sharesOf("3")));
  report(fillOf(reversed, "t2", sharesOf("3"), { status: "failed" }));
  report(foreign(1, "buy", sharesOf("2")).fill);
  desk.kill("enough");
  desk.pass(10_000, 1_000);
  return desk.facts.map(({ fact, atMs }, i) => ({
    seq: i + 1,
    atMs,
    kind: fact.kind,
    stepId: i + 1,
    correlationId: "test",
    body: JSON.stringify(fact),
  }));
}
