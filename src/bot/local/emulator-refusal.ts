/** A refusal in the words of the Bot API; `code` is both HTTP status and `error_code`. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly code: number;
  readonly parameters: Readonly<Record<string, number>> | null;

  constructor(code: number, description: string, parameters?: Readonly<Record<string, number>>) {
    super(description);
    this.code = code;
    this.parameters = parameters ?? null;
  }
}

/** 400 with the prefix that every such answer carries. */
export function badRequest(reason: string): ApiRefusal {
  return new ApiRefusal(400, `Bad Request: ${reason}`);
}

/** 403 with its prefix. */
export function forbidden(reason: string): ApiRefusal {
  return new ApiRefusal(403, `Forbidden: ${reason}`);
}

/** 409 with its prefix. */
export function conflict(reason: string): ApiRefusal {
  return new ApiRefusal(409, `Conflict: ${reason}`);
}

/** 429 with the wait in seconds, in the text and in the parameters. */
export function tooManyRequests(retryAfterS: number): ApiRefusal {
  return new ApiRefusal(429, `Too Many Requests: retry after ${retryAfterS}`, {
    retry_after: retryAfterS,
  });
}

/** Wrong use of the emulator by a test or script, e.g. a button that is not there. */
export class EmulatorUseError extends Error {
  override readonly name = "EmulatorUseError";
}
