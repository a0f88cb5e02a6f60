// A door in front of the venue, in a thread of its own: notes each request when its last byte was read, then passes it on.
import { connect, createServer, type Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import type { RecorderMessage, RecorderReply, RecorderWorkerData } from "./request-recorder.ts";

const { venuePort, stamps } = workerData as RecorderWorkerData;
const headEnd = Buffer.from("\r\n\r\n");

/** Requests of the current measurement, in the order in which their last bytes were read. */
let requests: string[] = [];
/** Orders that are kept back until all of the measurement have come, so that the venue's own work is in nobody's way. */
let expected = 0;
let held: (() => void)[] = [];

/** Splits what one connection sends into whole requests. */
class Reader {
  #bytes: Buffer = Buffer.alloc(0);
  readonly #onRequest: (line: string, bytes: Buffer) => void;

  constructor(onRequest: (line: string, bytes: Buffer) => void) {
    this.#onRequest = onRequest;
  }

  take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const head = this.#bytes.indexOf(headEnd);
      if (head < 0) return;
      const text = this.#bytes.toString("latin1", 0, head);
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? "0";
      const end = head + headEnd.length + Number(length);
      if (this.#bytes.length < end) return;
      const request = this.#bytes.subarray(0, end);
      this.#bytes = this.#bytes.subarray(end);
      this.#onRequest(text.slice(0, text.indexOf(" HTTP/")), request);
    }
  }
}

/** "GET /data/order/0x12..?a=1" as "GET /data/order": what was asked, not about which one. */
function withoutIds(line: string): string {
  return line.replace(/\?.*$/, "").replace(/\/0x[0-9a-f]+$/, "");
}

function serve(client: Socket): void {
  const venue = connect(venuePort, "127.0.0.1");
  client.setNoDelay(true);
  venue.setNoDelay(true);
  const reader = new Reader((line, bytes) => {
    const readAtNs = process.hrtime.bigint();
    Atomics.add(stamps, 2, 1n);
    requests.push(withoutIds(line));
    const pass = (): void => void venue.write(bytes);
    if (!line.startsWith("POST /order")) {
      pass();
      return;
    }
    Atomics.store(stamps, 1, readAtNs);
    Atomics.add(stamps, 0, 1n);
    held.push(pass);
    if (held.length < expected) return;
    for (const one of held.splice(0)) one();
  });
  client.on("data", (chunk) => reader.take(chunk));
  venue.on("data", (chunk) => {
    Atomics.add(stamps, 2, 1n);
    client.write(chunk);
  });
  for (const [one, other] of [
    [client, venue],
    [venue, client],
  ] as const) {
    one.on("error", () => undefined);
    one.on("close", () => other.destroy());
  }
}

const server = createServer(serve).listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) parentPort?.postMessage(address.port);
});

parentPort?.on("message", (message: RecorderMessage) => {
  if (message.do === "close") {
    parentPort?.close();
    process.exit(0);
  }
  const reply: RecorderReply = { requests };
  requests = [];
  held = [];
  expected = message.orders;
  parentPort?.postMessage(reply);
});
