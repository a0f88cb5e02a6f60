/**
 * How long each stage of an order took, in milliseconds after its command was received; null for a stage that was not
 * reached. Taken from one monotonic clock of the run that sent it; the fill by the engine's own time.
 */
export type OrderTiming = {
  /** Names the plan's requests in the log, the leg behind the dash. */
  readonly requestId: string;
  readonly decidedMs: number;
  readonly committedMs: number | null;
  readonly sentMs: number | null;
  readonly acknowledgedMs: number | null;
  /** First fill. */
  readonly filledMs: number | null;
};

/** Stages of one request as the runtime measured them, in milliseconds after the decision. */
export type RequestTiming = {
  readonly committedMs: number;
  /** Null when the gate let no byte out. */
  readonly sentMs: number | null;
  readonly acknowledgedMs: number;
};

/** "3f2a9c01d4e5-0": the same for every request of one order. */
export function requestIdOf(planId: string, leg: number): string {
  return `${planId.slice(0, 12)}-${leg}`;
}

/** Of an order that was decided so many milliseconds after its command was received. */
export function decidedAfter(planId: string, leg: number, decidedMs: number): OrderTiming {
  return {
    requestId: requestIdOf(planId, leg),
    decidedMs,
    committedMs: null,
    sentMs: null,
    acknowledgedMs: null,
    filledMs: null,
  };
}
