import type { NoticeBody } from "../../engine/api/notices.ts";
import type { OutPriority } from "../../engine/api/outbox.ts";

/** In which order notices leave when Telegram takes them slowly. */
export function noticePriority(body: NoticeBody): OutPriority {
  switch (body.kind) {
    case "killed":
    case "kill.report":
      return "answer";
    case "order.outcome":
    case "order.filled":
    case "order.unknown":
    case "fill.reversed":
    case "market.settled":
    case "rules.edited":
    case "set.outcome":
    case "replace.failed":
    case "action.outcome":
      return "fill";
    case "card.outdated":
      return "confirmation";
    case "resumed":
    case "resume.locked":
    case "halted":
    case "reducing":
    case "strategy.locked":
    case "degraded":
    case "degraded.over":
    case "feed.lost":
    case "feed.back":
    case "started":
    case "external.order":
    case "external.fill":
    case "position.corrected":
    case "copies.disagree":
      return "alert";
  }
}
