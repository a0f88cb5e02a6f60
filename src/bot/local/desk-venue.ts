// The paper venue as a script sees it: reads as the account's owner, control paths, faults.
import { request } from "node:http";
import { ScriptFailure } from "./script-types.ts";

const timeoutMs = 10_000;
const bodyBytesMax = 16 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
}

export class DeskVenue {
  readonly baseUrl: string;
  #owner = "";

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  /** The address whose account is read. */
  setOwner(address: string): void {
    this.#owner = address;
  }

  /** Compact JSON of a GET, whatever its status. Throws `ScriptFailure` when the venue does not answer. */
  async read(path: string): Promise<string> {
    const { body } = await this.#send("GET", path, null);
    return compact(body);
  }

  /** Throws `ScriptFailure` when the venue refuses. */
  async post(path: string, body: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await this.#send("POST", path, JSON.stringify(body));
    if (answer.status >= 300) {
      throw new ScriptFailure(
        `POST ${path} answered ${answer.status}: ${answer.body.slice(0, 500)}`,
      );
    }
  }

  #send(method: "GET" | "POST", path: string, body: string | null): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const failed = (error: Error): void => {
      reject(new ScriptFailure(`${method} ${path} at the paper venue: ${error.message}`));
    };
    const headers = {
      "x-paper-owner": this.#owner,
      ...(body !== null && { "content-type": "application/json" }),
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const call = request(`${this.baseUrl}${path}`, { method, headers, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (text.length < bodyBytesMax) text += chunk;
      });
      response.on("error", failed);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on("error", failed);
    call.end(body ?? undefined);
    return promise;
  }
}

function compact(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    return body;
  }
}
