/** What is known about the outside effect of a failed call. */
export type AdapterOutcome = "not_sent" | "rejected" | "unknown";

/** Every failure of something outside, as adapters report it. The message carries no secret. */
export class AdapterError extends Error {
  override readonly name: string = "AdapterError";
  readonly code: string;
  readonly outcome: AdapterOutcome;
  readonly retryable: boolean;

  constructor(
    code: string,
    message: string,
    options: {
      readonly outcome: AdapterOutcome;
      readonly retryable: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options.outcome;
    this.retryable = options.retryable;
  }
}
