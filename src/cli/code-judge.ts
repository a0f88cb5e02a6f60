import type { Secret } from "../../config/secrets.ts";
import { matchTotp } from "../bot/totp.ts";
import type { CodeStep } from "../engine/api/requests.ts";

type JudgeClock = {
  readonly nowMs: () => number;
  /** The venue's clock less ours; null before it was measured. */
  readonly venueAheadMs: () => number | null;
};

/** Compares codes at the venue's time where it is known, else at our own: phones keep the right time, machines drift. */
export function codeJudge(secret: Secret, clock: JudgeClock): (digits: string) => CodeStep {
  return (digits) =>
    matchTotp(secret.reveal(), digits, clock.nowMs() + (clock.venueAheadMs() ?? 0));
}
