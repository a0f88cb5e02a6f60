import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import {
  createHttpClient,
  GateClosedError,
  type HttpClient,
  HttpError,
} from "../../../src/adapters/polymarket/http-client.ts";

/** A server that only counts bytes, and answers when told to. */
class RawServer {
  readonly server: Server = createServer((socket) => this.#accept(socket));
  readonly sockets: Socket[] = [];
  received = "";
  answer: ((socket: Socket, text: string) => void) | null = null;

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  #accept(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      this.received += data.toString("latin1");
      this.answer?.(socket, data.toString("latin1"));
    });
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}

const timeouts = { connectMs: 500, headersMs: 2_000, bodyMs: 2_000, totalMs: 400 };
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}";

let raw: RawServer;
let client: HttpClient;
afterEach(async () => {
  await client.close();
  await raw.close();
});

async function open(connections = 2): Promise<void> {
  raw = new RawServer();
  client = createHttpClient({ baseUrl: await raw.listen(), timeouts, connections });
}

const order = { method: "POST", path: "/order", body: '{"a":1}', maxBytes: 1_000 } as const;

function outcomeOf(error: unknown): string {
  return error instanceof HttpError ? error.outcome : String(error);
}

describe("the gate in front of the first byte", () => {
  test("is asked once the connection is up; a denial writes no byte", async () => {
    await open();
    let asked = 0;
    const denied = client.request({
      ...order,
      gate: () => {
        asked++;
        return new TypeError("killed");
      },
    });
    await expect(denied).rejects.toBeInstanceOf(GateClosedError);
    // A later request on the same client reaches the server: had the denied one written, it would stand before it.
    raw.answer = (socket) => socket.write(ok);
    await client.request({ ...order, path: "/later" });
    expect(asked).toBe(1);
    expect(raw.received.startsWith("POST /later ")).toBe(true);
    expect(raw.received).not.toContain("POST /order ");
  });

  test("is asked again for every request on a kept connection, in the same turn as the write", async () => {
    await open(1);
    raw.answer = (socket) => socket.write(ok);
    let closed = false;
    const gate = () => (closed ? new TypeError("killed") : null);
    await client.request({ ...order, gate });
    closed = true;
    await expect(client.request({ ...order, gate })).rejects.toBeInstanceOf(GateClosedError);
    expect(raw.received.match(/POST \/order /g)).toHaveLength(1);
  });

  test("a request that waited too long for its turn is given up and never written", async () => {
    await open(1);
    // Both give up after the same time. When the first one does so a moment earlier, the second still gets its turn and
    // is rightly called unknown; such an attempt shows nothing and is made again.
    for (let attempt = 0; attempt < 10; attempt++) {
      const path = `/second${attempt}`;
      const waiting = [client.request(order), client.request({ ...order, path })];
      const results = await Promise.allSettled(waiting);
      const outcomes = results.map((one) => outcomeOf(one.status === "rejected" && one.reason));
      expect(outcomes[0]).toBe("unknown");
      if (outcomes[1] !== "not_sent") continue;
      raw.answer = (socket) => socket.write(ok);
      await client.request({ ...order, path: "/third" });
      expect(raw.received).not.toContain(path);
      return;
    }
    expect.fail("no request was given up while it waited");
  });
});

describe("what is known after a failure", () => {
  test("connection refused: not sent", async () => {
    await open();
    const dead = createHttpClient({ baseUrl: "http://127.0.0.1:1", timeouts, connections: 1 });
    const error: unknown = await dead.request(order).catch((reason: unknown) => reason);
    expect(outcomeOf(error)).toBe("not_sent");
    await dead.close();
  });

  test.each([
    ["reset after the request", (socket: Socket) => void socket.resetAndDestroy()],
    ["closed without an answer", (socket: Socket) => void socket.end()],
    ["an answer cut in its headers", (socket: Socket) => void socket.end("HTTP/1.1 200")],
    [
      "an answer cut in its body",
      (socket: Socket) => void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
    ],
    [
      "a body beyond the limit",
      (socket: Socket) =>
        void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n${"x".repeat(2_000)}`),
    ],
    ["no answer at all", () => {}],
    [
      "one byte now and then",
      (socket: Socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1"),
    ],
    [
      "a compressed body",
      (socket: Socket) =>
        void socket.write(
          "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        ),
    ],
  ])("%s: unknown, and sent once", async (_name, answer) => {
    await open();
    raw.answer = answer;
    const error: unknown = await client.request(order).catch((reason: unknown) => reason);
    expect(outcomeOf(error)).toBe("unknown");
    expect(raw.received.match(/POST \/order /g)).toHaveLength(1);
  });

  test("a kept connection that the peer closes is not used to replay a request", async () => {
    await open(1);
    raw.answer = (socket, text) =>
      text.includes("/first") ? socket.write(ok) : socket.resetAndDestroy();
    await client.request({ ...order, path: "/first" });
    const error: unknown = await client.request(order).catch((reason: unknown) => reason);
    expect(outcomeOf(error)).toBe("unknown");
    expect(raw.received.match(/POST \/order /g)).toHaveLength(1);
  });
});
