import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createHttpClient, type HttpClient } from "../../../src/adapters/polymarket/http-client.ts";
import { spareConnections } from "../../../src/adapters/polymarket/spare-connections.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}";
const timeouts = { connectMs: 2_000, headersMs: 2_000, bodyMs: 2_000, totalMs: 5_000 };
const legs = 10;

let server: Server;
let client: HttpClient;
const sockets: Socket[] = [];
/** What came, piece by piece as it was read, with the connection that it came on. */
let pieces: { readonly socket: number; readonly text: string }[] = [];
let answersHeld = false;

beforeEach(async () => {
  sockets.length = 0;
  pieces = [];
  answersHeld = false;
  server = createServer((socket) => {
    const number = sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      pieces.push({ socket: number, text: data.toString("latin1") });
      if (!answersHeld) socket.write(ok);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  client = createHttpClient({ baseUrl: `http://127.0.0.1:${port}`, timeouts, connections: 16 });
});

afterEach(async () => {
  await client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) expect.fail("it never happened");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("ten legs leave at once on connections that are open already, each in one piece", async () => {
  const asked: Promise<unknown>[] = [];
  const spares = spareConnections({
    request: (request) => {
      const answer = client.request(request);
      asked.push(answer);
      return answer;
    },
    close: () => client.close(),
  });
  spares.open();
  await until(() => pieces.length === legs);
  expect(new Set(pieces.map((piece) => piece.text.split(" HTTP")[0]))).toEqual(
    new Set(["GET /time"]),
  );
  expect(sockets).toHaveLength(legs);
  await Promise.all(asked);
  pieces = [];
  answersHeld = true;
  const body = JSON.stringify({ order: "x".repeat(800) });
  const request = { method: "POST", path: "/order", body, maxBytes: 1_000 } as const;
  const answers = Array.from({ length: legs }, () => client.request(request));
  await until(() => pieces.length >= legs);
  // None waits for the answer of another one, and none for a new connection.
  expect(new Set(pieces.map((piece) => piece.socket)).size).toBe(legs);
  expect(sockets).toHaveLength(legs);
  for (const { text } of pieces) {
    expect(text.startsWith("POST /order ")).toBe(true);
    expect(text.endsWith(body)).toBe(true);
  }
  expect(pieces).toHaveLength(legs);
  for (const socket of sockets) socket.write(ok);
  expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual(
    Array.from({ length: legs }, () => 200),
  );
  spares.close();
});

test("a venue that is gone harms nobody", async () => {
  server.close();
  const dead = createHttpClient({ baseUrl: "http://127.0.0.1:1", timeouts, connections: 2 });
  const spares = spareConnections(dead);
  spares.open();
  spares.close();
  await dead.close();
});
