// A market socket in a thread of its own: answers the subscription with the books, then sends frames as fast as they are taken.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { parentPort, workerData } from "node:worker_threads";
import { makeTape, type TapeOptions } from "./frame-tape.ts";

const tape = makeTape(workerData as TapeOptions);
/** RFC 6455 section 1.3. */
const handshakeSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Frames of one write: a burst of a busy second. */
const framesPerWrite = 100;

/** An unmasked text frame as a server sends it. */
function encoded(text: Buffer): Buffer {
  const short = text.length < 126;
  const long = text.length > 0xffff;
  const head = Buffer.alloc(short ? 2 : long ? 10 : 4);
  head[0] = 0x81;
  head[1] = short ? text.length : long ? 127 : 126;
  if (long) head.writeBigUInt64BE(BigInt(text.length), 2);
  else if (!short) head.writeUInt16BE(text.length, 2);
  return Buffer.concat([head, text]);
}

const books = Buffer.concat(tape.opening.map(encoded));
const bursts: Buffer[] = [];
for (let at = 0; at < tape.frames.length; at += framesPerWrite) {
  bursts.push(Buffer.concat(tape.frames.slice(at, at + framesPerWrite).map(encoded)));
}

let open: Duplex | null = null;

async function flood(socket: Duplex): Promise<void> {
  for (const burst of bursts) {
    if (socket.destroyed) return;
    if (!socket.write(burst)) await new Promise((resolve) => socket.once("drain", resolve));
  }
}

const server = createServer();
server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(`${key}${handshakeSuffix}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  // The first thing a client says is its subscription; what else it says does not matter here.
  socket.once("data", () => socket.write(books));
  socket.on("data", () => undefined);
  socket.on("error", () => undefined);
  open = socket;
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  parentPort?.postMessage(typeof address === "object" ? address?.port : null);
});
parentPort?.on("message", (wish: "go" | "close") => {
  if (wish === "go" && open !== null) void flood(open);
  if (wish === "close") {
    open?.destroy();
    server.close();
    parentPort?.close();
  }
});
