/** One request as it was received. `status` is 0 when the socket was dropped instead of answered. */
export type LoggedRequest = {
  readonly seq: number;
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  bodyBytes: number;
  status: number;
};

const MAX_LOGGED = 2000;

/** The last 2,000 requests, so that tests can count what was really sent. */
export class RequestLog {
  readonly #entries: LoggedRequest[] = [];
  #seq = 0;

  received(method: string, path: string, atMs: number): LoggedRequest {
    this.#seq += 1;
    const entry = { seq: this.#seq, atMs, method, path, bodyBytes: 0, status: 0 };
    this.#entries.push(entry);
    if (this.#entries.length > MAX_LOGGED) this.#entries.shift();
    return entry;
  }

  matching(path: RegExp): LoggedRequest[] {
    return this.#entries.filter((entry) => path.test(entry.path));
  }
}
