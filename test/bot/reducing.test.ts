import { describe, expect, test } from "vitest";
import { ButtonMaker } from "../../src/bot/actions/buttons.ts";
import { explain } from "../../src/bot/render/explain.ts";
import { explainReducing } from "../../src/bot/render/explain-reducing.ts";
import { renderNotice } from "../../src/bot/render/notice.ts";
import { renderStatus, statusKeyboard } from "../../src/bot/render/status.ts";
import type { NoticeBody } from "../../src/engine/api/notices.ts";
import type { TradingView } from "../../src/engine/api/views.ts";
import type { ReducingReason } from "../../src/engine/domain/reasons.ts";
import { deskView } from "./support/sample-views.ts";

const onlySales = {
  day_loss: true,
  over_cap: true,
  closed_only: true,
  slow_acks: true,
  feed_stale: true,
  venue_restarting: false,
  venue_post_only: false,
  venue_cancel_only: false,
  venue_disabled: false,
  telegram: true,
  geoblock: true,
  account: true,
  outbound: true,
} satisfies Record<ReducingReason, boolean>;
const causes = Object.keys(onlySales) as ReducingReason[];

function viewOf(state: TradingView["state"], cause?: ReducingReason): TradingView {
  const reason = state === "killed" ? "killed" : null;
  const named = cause === undefined ? [] : [cause];
  return { state, reason, causes: named, sinceMs: 0, byUserId: null, note: "" };
}

function told(body: Omit<Extract<NoticeBody, { kind: "reducing" }>, "kind">): string {
  const notice = {
    noticeId: 1,
    atMs: 0,
    chatId: null,
    body: { kind: "reducing", ...body },
  } as const;
  return renderNotice("paper", notice).text;
}

describe.each(causes)("%s", (cause) => {
  const { what, end } = explainReducing(cause);
  const heading = onlySales[cause] ? "SALES ONLY" : "NO NEW ORDERS";
  const works = onlySales[cause] ? /Sales of what you hold/ : /^(?!.*Sales of what you hold)/s;

  test("is told with what ends it and what still works", () => {
    const begun = told({ causes: [cause], ended: [], trading: viewOf("reducing", cause) });
    expect(begun).toContain(heading);
    expect(begun).toContain(`Because ${what}: ${end}.`);
    expect(begun).toMatch(works);
    expect(begun).toMatch(/[Cc]ancels and \/kill work\./);
    expect(renderStatus(deskView({ trading: viewOf("reducing", cause) })).text).toContain(
      `${heading} since`,
    );
  });

  test("is told when it ends", () => {
    const ended = told({ causes: [], ended: [cause], trading: viewOf("active") });
    expect(ended).toContain(`${heading} ENDED`);
    expect(ended).toContain(`No longer: ${what}.`);
    expect(ended).toContain("Trading on.");
  });

  test("explains a refusal", () => {
    const code = onlySales[cause] ? "reducing" : "venue_mode";
    const denied = explain({ code, subject: `${cause}, telegram` });
    expect(denied.what).toContain(what);
    expect(denied.todo).toContain(end);
    expect(denied.todo).toMatch(works);
  });
});

test("the end of a cause does not say that a killed desk trades", () => {
  const text = told({ causes: [], ended: ["telegram"], trading: viewOf("killed") });
  expect(text).toContain("KILLED");
  expect(text).not.toContain("Trading on");
});

test("a desk that only sells still shows Kill, not Resume", () => {
  const view = deskView({ trading: viewOf("reducing", "over_cap") });
  const labels = statusKeyboard(view, new ButtonMaker(() => "n".repeat(32))).flat();
  expect(labels.map((button) => button.label)).toContain("■ Kill");
});

test("a strategy that was stopped is named with what it did and what to do", () => {
  const body = {
    kind: "strategy.locked",
    strategy: "dutch",
    side: "sell",
    question: "Who wins?",
    executions: 40,
    windowMs: 60_000,
  } as const;
  const { text } = renderNotice("live", { noticeId: 1, atMs: 0, chatId: null, body });
  expect(text).toMatch(/^LIVE · STOPPED · dutch sales\n40 orders .* within (?:1 min|60 s)/);
  expect(text).toContain("Who wins?");
  expect(text).toContain("/resume");
});
