// Just enough HTTP/1.1 and WebSocket framing for a proxy that breaks messages at chosen bytes.

/** The first message of a stream of bytes, once all of it is there. */
export type HttpMessage = {
  /** Request line or status line. */
  readonly startLine: string;
  readonly head: Buffer;
  readonly body: Buffer;
  /** Bytes of the stream that the message takes, its chunk framing included. */
  readonly length: number;
};

const headEnd = "\r\n\r\n";

/**
 * Reads the first message of a stream; null while a part of it is missing. Knows lengths and chunks; a message with
 * neither has no body, as an answer to HEAD or an upgrade has none.
 */
export function readMessage(stream: Buffer): HttpMessage | null {
  const end = stream.indexOf(headEnd);
  if (end < 0) return null;
  const head = stream.subarray(0, end + headEnd.length);
  const text = head.toString("latin1");
  const startLine = text.slice(0, text.indexOf("\r\n"));
  const rest = stream.subarray(head.length);
  if (/^transfer-encoding:\s*chunked/imu.test(text)) {
    const chunks = readChunks(rest);
    if (chunks === null) return null;
    return { startLine, head, body: chunks.body, length: head.length + chunks.length };
  }
  const size = Number(/^content-length:\s*(\d+)/imu.exec(text)?.[1] ?? 0);
  if (rest.length < size) return null;
  return { startLine, head, body: rest.subarray(0, size), length: head.length + size };
}

function readChunks(stream: Buffer): { readonly body: Buffer; readonly length: number } | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = stream.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(stream.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (!(next <= stream.length)) return null;
    if (size === 0) return { body: Buffer.concat(parts), length: next };
    parts.push(stream.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}

/** An answer with a body of a known length, or with the length that it claims. */
export function answerBytes(status: number, body: string | Buffer, claimedLength?: number): Buffer {
  const bytes = Buffer.from(body);
  const head = [
    `HTTP/1.1 ${status} Scripted`,
    "content-type: application/json",
    `content-length: ${claimedLength ?? bytes.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}${headEnd}`), bytes]);
}

/** One frame of a WebSocket: its opcode and all of its bytes. */
export type SocketFrame = {
  readonly opcode: number;
  readonly bytes: Buffer;
  readonly text: string;
};

/** The frames that are whole, and the bytes behind them. Frames of a server are never masked. */
export function readFrames(stream: Buffer): {
  readonly frames: readonly SocketFrame[];
  readonly rest: Buffer;
} {
  const frames: SocketFrame[] = [];
  let at = 0;
  for (;;) {
    if (stream.length < at + 2) break;
    const short = (stream[at + 1] ?? 0) & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = at + 2 + lengthBytes;
    if (stream.length < start) break;
    const size =
      lengthBytes === 0
        ? short
        : lengthBytes === 2
          ? stream.readUInt16BE(at + 2)
          : Number(stream.readBigUInt64BE(at + 2));
    if (stream.length < start + size) break;
    const text = stream.toString("utf8", start, start + size);
    const bytes = stream.subarray(at, start + size);
    frames.push({ opcode: (stream[at] ?? 0) & 0x0f, bytes, text });
    at = start + size;
  }
  return { frames, rest: stream.subarray(at) };
}

/** A text frame as a server sends it, for up to 65,535 bytes. */
export function textFrame(payload: Buffer | string, opcode = 1): Buffer {
  const bytes = Buffer.from(payload);
  const head =
    bytes.length < 126
      ? Buffer.from([0x80 | opcode, bytes.length])
      : Buffer.from([0x80 | opcode, 126, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([head, bytes]);
}
