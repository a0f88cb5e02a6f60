import type { CodeStep } from "../../engine/api/requests.ts";
import type { BotAction } from "../actions/bot-action.ts";
import type { MessageTarget } from "../card-registry.ts";
import { modeTag, tradingLine } from "../render/mode.ts";
import { killText } from "../render/notice.ts";
import { TextBuilder } from "../text/rich-text.ts";
import { duration, utcTime } from "../text/time-text.ts";
import { answered, executed, message, pressedMessage, type Reply, type Turn } from "../turn.ts";
import { refuse } from "./refusals.ts";

/** `/kill [reason]`: no question, no age limit. The gate was closed when the update was seen. */
export async function kill(turn: Turn, note: string): Promise<Reply> {
  turn.api.closeGate();
  const { openOrders } = await turn.api.kill(turn.actor, turn.command.commandId, note);
  return executed("killed", message(killText(turn.deps.mode, turn.deps.now(), openOrders, note)));
}

/** `/resume`, first step: what changed, and a button that works only after some seconds. */
export async function askResume(turn: Turn): Promise<Reply> {
  const asked = await turn.api.askResume(turn.actor, turn.command.commandId);
  if (!asked.ok) return refuse(turn, asked.error);
  const { nonce, readyAtMs, expiresAtMs } = asked.value;
  const view = turn.api.view();
  const waitMs = Math.max(0, readyAtMs - turn.deps.now());
  const text = new TextBuilder();
  text.bold(`${modeTag(turn.deps.mode)} · RESUME trading?`).line();
  text.line(tradingLine(view.trading));
  text.line(
    `Now: ${view.openOrders} open orders, ${view.unknownOrders} unknown, ${view.positions} positions`,
  );
  const warnings = view.warnings.length === 0 ? "none" : view.warnings.join(" · ");
  text.line(`Warnings: ${warnings}`);
  const down = view.feeds.filter((feed) => !feed.up).map((feed) => feed.name);
  text.line(`Feeds: ${down.length === 0 ? "all up" : `${down.join(", ")} DOWN`}`);
  const needsCode = turn.deps.judgeCode !== undefined;
  const how = needsCode
    ? "Then send the six digits of your authenticator app. Codes are taken"
    : "The button works";
  text.plain(`${how} in ${duration(waitMs)}, until `);
  text.moment(expiresAtMs, "T", utcTime(expiresAtMs));
  const button = turn.buttons.withNonce(
    "Resume trading",
    { do: "resumeNow", readyAtMs, expiresAtMs },
    "danger",
    nonce,
  );
  return answered(message(text.build(), [[button]]));
}

type ResumeNow = Extract<BotAction, { do: "resumeNow" }>;

/** Second step. Too soon, and a button where a code is asked for, keep the button; everything else ends it. */
export async function confirmResume(turn: Turn, action: ResumeNow, nonce: string): Promise<Reply> {
  const done = await turn.api.confirmResume(turn.actor, turn.command.commandId, nonce);
  if (done.ok) return tradingOn(turn, pressedMessage(turn));
  const wanted = Math.max(0, action.readyAtMs - turn.deps.now());
  switch (done.error.code) {
    case "resume_needs_code":
      return refuse(turn, done.error);
    case "resume_too_soon":
      return refuse(turn, { ...done.error, wanted });
    default:
      return refuse(turn, done.error, pressedMessage(turn));
  }
}

/** Second step where a one-time code is asked for: it came as a message, which is deleted. */
export async function resumeByCode(turn: Turn, code: CodeStep): Promise<Reply> {
  const done = await turn.api.resumeWithCode(turn.actor, turn.command.commandId, code);
  return done.ok ? tradingOn(turn, null) : refuse(turn, done.error);
}

function tradingOn(turn: Turn, target: MessageTarget | null): Reply {
  const text = new TextBuilder()
    .bold(`${modeTag(turn.deps.mode)} · TRADING ON since ${utcTime(turn.deps.now())}`)
    .line()
    .plain("The kill switch is off.")
    .build();
  return executed("resumed", message(text, [], target));
}
