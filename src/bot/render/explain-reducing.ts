import type { ReducingReason } from "../../engine/domain/reasons.ts";

type Cause = { readonly what: string; readonly end: string };

const causes: Readonly<Record<ReducingReason, Cause>> = {
  day_loss: {
    what: "the day's loss limit is reached",
    end: "it ends at midnight UTC",
  },
  over_cap: {
    what: "positions and open orders are above a limit",
    end: "it ends when a sale or a cancel brings them under it",
  },
  closed_only: {
    what: "the venue takes only closing orders of this account",
    end: "ask the venue; /resume tries again",
  },
  telegram: {
    what: "the desk has trouble with Telegram",
    end: "it ends when the chat works again",
  },
  geoblock: {
    what: "the venue blocks new orders from this place",
    end: "it ends when the check passes again, or with /resume",
  },
};

/** Why only sales of held shares are taken, in words, and what ends it. */
export function explainReducing(cause: ReducingReason): Cause {
  return causes[cause];
}

export function isReducingReason(text: string): text is ReducingReason {
  return Object.hasOwn(causes, text);
}
