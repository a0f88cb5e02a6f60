/** A refusal with the HTTP status and body that the venue answers. Texts are the documented ones. */
export class VenueError extends Error {
  override readonly name = "VenueError";
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, text: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(text);
    this.status = status;
    this.body = { error: text, ...extra };
  }
}

export function badRequest(text: string): VenueError {
  return new VenueError(400, text);
}

export function unauthorized(text = "Unauthorized/Invalid api key"): VenueError {
  return new VenueError(401, text);
}

export function notFound(text: string): VenueError {
  return new VenueError(404, text);
}

/** A refusal of one order by its rules: `order {id} is invalid. {rule}`. */
export function invalidOrder(orderId: string, rule: string): VenueError {
  return new VenueError(400, `order ${orderId} is invalid. ${rule}`, { orderID: orderId });
}

/** A wrong use of the paper venue by the program around it. */
export class PaperVenueError extends Error {
  override readonly name = "PaperVenueError";
}
