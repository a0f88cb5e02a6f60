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
  slow_acks: {
    what: "the venue answers orders late",
    end: "it ends when no answer was late for a while",
  },
  feed_stale: {
    what: "prices come no more",
    end: "it ends when they are back",
  },
  venue_restarting: {
    what: "the venue restarts",
    end: "it is tried again by itself",
  },
  venue_post_only: {
    what: "the venue takes only post-only orders, as after each of its restarts",
    end: "it ends by itself after about two minutes",
  },
  venue_cancel_only: {
    what: "the venue takes only cancels",
    end: "your next order tries it again after a while",
  },
  venue_disabled: {
    what: "the venue has switched trading off",
    end: "your next order tries it again after a while",
  },
  telegram: {
    what: "somebody else may read this bot's messages, or its token is not accepted",
    end: "stop a second service with this token, else revoke the token in BotFather; it ends when the chat worked for a while",
  },
  geoblock: {
    what: "the venue blocks new orders from this place",
    end: "it ends when the check passes again, or with /resume",
  },
  account: {
    what: "the venue restricts this account",
    end: "ask the venue; it ends when the check passes again",
  },
  outbound: {
    what: "some code on the machine wanted a host that nobody configured; it was not reached",
    end: "look at outbound.refused in the log; if it was not you, the key may be stolen. /resume ends it",
  },
};

/** Why new orders are restricted, in words, and what ends it. */
export function explainReducing(cause: ReducingReason): Cause {
  return causes[cause];
}

/** "SALES ONLY", or "NO NEW ORDERS" when the venue's own mode is a cause: it takes no sales either. */
export function restriction(causes: readonly ReducingReason[]): string {
  return causes.some((cause) => cause.startsWith("venue_")) ? "NO NEW ORDERS" : "SALES ONLY";
}

export function isReducingReason(text: string): text is ReducingReason {
  return Object.hasOwn(causes, text);
}
