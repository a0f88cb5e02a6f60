// A market channel in a thread of its own for many connections: answers each subscription with the books of its tokens, and
// on a word sends every frame of the tape, in order, to whoever holds its market.
import { parentPort, workerData } from "node:worker_threads";
import { type WebSocket, WebSocketServer } from "ws";
import type { FrameTape } from "./frame-tape.ts";

const tape = workerData as FrameTape;
/** Bytes that may wait in one socket before the others get their turn. */
const bufferedMax = 4 * 1024 * 1024;
/** Frames of one turn of the loop. */
const framesPerTurn = 200;

const indexOf = new Map(tape.markets.map(({ tokenIds }, i) => [tokenIds[0], i]));
const holders: (WebSocket | undefined)[] = [];
/** The whole book first, then the changes that made it what it is. */
const openingOf = tape.markets.map((_, i) => {
  const changes = (tape.opening.length - tape.markets.length) / tape.markets.length;
  const from = tape.markets.length + i * changes;
  return [tape.opening[i] ?? "", ...tape.opening.slice(from, from + changes)];
});

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    if (text === "PING") {
      socket.send("PONG");
      return;
    }
    const frame = JSON.parse(text) as { operation?: string; assets_ids: readonly string[] };
    if (frame.operation === "unsubscribe") return;
    for (const id of frame.assets_ids) {
      const market = indexOf.get(id);
      if (market === undefined) continue;
      holders[market] = socket;
      for (const opening of openingOf[market] ?? []) socket.send(opening, { binary: false });
    }
  });
  socket.on("error", () => undefined);
});
server.on("listening", () => {
  const address = server.address();
  parentPort?.postMessage(typeof address === "object" ? address?.port : null);
});

async function flood(): Promise<void> {
  for (const [i, frame] of tape.frames.entries()) {
    const socket = holders[tape.marketOf[i] ?? 0];
    socket?.send(frame, { binary: false });
    while (isFull(socket)) await turn();
    if (i % framesPerTurn === framesPerTurn - 1) await turn();
  }
}

function isFull(socket: WebSocket | undefined): boolean {
  return socket !== undefined && socket.bufferedAmount > bufferedMax;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

parentPort?.on("message", (wish: "go" | "close") => {
  if (wish === "go") void flood();
  if (wish === "close") {
    for (const client of server.clients) client.terminate();
    server.close();
    parentPort?.close();
  }
});
