import { expect, test } from "vitest";
import { ButtonMaker } from "../../src/bot/actions/buttons.ts";
import { explain } from "../../src/bot/render/explain.ts";
import { explainReducing } from "../../src/bot/render/explain-reducing.ts";
import { renderNotice } from "../../src/bot/render/notice.ts";
import { renderStatus, statusKeyboard } from "../../src/bot/render/status.ts";
import type { NoticeBody } from "../../src/engine/api/notices.ts";
import type { TradingView } from "../../src/engine/api/views.ts";
import type { ReducingReason } from "../../src/engine/domain/reasons.ts";
import { deskView } from "./support/sample-views.ts";

const causes = Object.keys({
  day_loss: true,
  over_cap: true,
  closed_only: true,
  telegram: true,
  geoblock: true,
} satisfies Record<ReducingReason, true>) as ReducingReason[];

function viewOf(state: TradingView["state"], cause?: ReducingReason): TradingView {
  const reason = state === "killed" ? "killed" : null;
  return {
    state,
    reason,
    causes: cause === undefined ? [] : [cause],
    sinceMs: 0,
    byUserId: null,
    note: "",
  };
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

test.each(causes)("%s: why only sales are taken, what ends it, and what still works", (cause) => {
  const { what, end } = explainReducing(cause);
  const begun = told({ causes: [cause], ended: [], trading: viewOf("reducing", cause) });
  expect(begun).toContain(`SALES ONLY`);
  expect(begun).toContain(`Because ${what}: ${end}.`);
  expect(begun).toContain("Sales of what you hold, cancels and /kill work.");
  const ended = told({ causes: [], ended: [cause], trading: viewOf("active") });
  expect(ended).toContain(`No longer: ${what}.`);
  expect(ended).toContain("Trading on.");
  const denied = explain({ code: "reducing", subject: `${cause}, telegram` });
  expect(denied.what).toContain(what);
  expect(denied.todo).toContain(end);
  expect(renderStatus(deskView({ trading: viewOf("reducing", cause) })).text).toContain(what);
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
