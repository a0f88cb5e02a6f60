import type { Denial } from "../../engine/domain/reasons.ts";
import { duration } from "../text/time-text.ts";
import type { Explanation } from "./explanation.ts";

type ResumeCode =
  | "resume_too_soon"
  | "resume_needs_code"
  | "resume_not_asked"
  | "resume_code_wrong"
  | "resume_code_used"
  | "resume_code_locked"
  | "not_killed";

/** Trading stays as it was: off, unless it was never off. */
function stillOff(what: string, todo: string): Explanation {
  return { what, money: "Trading is still off.", todo };
}

/** Something about turning trading on again. */
export function explainResume(code: ResumeCode, denial: Denial): Explanation {
  switch (code) {
    case "resume_too_soon":
      return tooSoon(denial);
    case "resume_needs_code":
      return stillOff(
        "The button alone is not enough here.",
        "Type the six digits that your authenticator app shows now, or /resume and the digits.",
      );
    case "resume_not_asked":
      return stillOff(
        "Six digits alone are a code, and you have no open /resume: it was not looked at.",
        "For a code: type /resume, read what changed, then send it. For an amount: write $ before it or sh behind it.",
      );
    case "resume_code_wrong":
      return stillOff(`That code is wrong.${triesLeft(denial)}`, clockHint(denial));
    case "resume_code_used":
      return stillOff(
        `That code was used before, or is older than one that was.${triesLeft(denial)}`,
        "Wait until the app shows the next one and send that.",
      );
    case "resume_code_locked":
      return stillOff(
        `Too many codes were refused: none is taken for ${duration(denial.limit ?? 0)}, not even a good one.`,
        "If it was not you who typed them, somebody else has this Telegram account: end its other sessions. /kill works.",
      );
    case "not_killed":
      return {
        what: "Trading is not off.",
        money: "Nothing changed.",
        todo:
          denial.subject === "code"
            ? "Six digits alone are taken for a code. If it was an amount: write $ before it or sh behind it."
            : "/status shows the state.",
      };
  }
}

function tooSoon({ limit, wanted, subject }: Denial): Explanation {
  const waitMs = wanted ?? limit;
  const wait = waitMs === undefined ? "a few seconds" : duration(waitMs);
  return subject === "code"
    ? stillOff(
        `Too soon: codes are taken in ${wait}. This one was not looked at.`,
        "Read what changed, then send the code that the app shows then.",
      )
    : stillOff(`Too soon: the button works in ${wait}.`, "Read what changed, then press it again.");
}

function triesLeft({ limit }: Denial): string {
  if (limit === undefined) return "";
  return limit === 1
    ? " One more like it and none is taken for a while."
    : ` ${limit} more like it and none is taken for a while.`;
}

function clockHint({ subject, wanted = 0 }: Denial): string {
  return subject === "clock"
    ? `This machine's clock is ${duration(wanted)} away from the venue's: set it (NTP) and check the clock of your phone. Then send the next code.`
    : "Send the code that the app shows now, of the right account; check the clock of your phone.";
}
