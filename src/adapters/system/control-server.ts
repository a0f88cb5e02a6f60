// The local second channel: status, health and kill when the chat cannot be reached.
import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { ControlError } from "./control-error.ts";
import {
  type ControlAnswer,
  type ControlRequest,
  type ControlVerb,
  parseControlRequest,
  requestCharsMax,
} from "./control-protocol.ts";

const connectionsMax = 16;
const idleMs = 30_000;
const probeMs = 1000;
const ownerOnly = 0o600;
const ownerOnlyFolder = 0o700;
/** sockaddr_un.sun_path has 108 bytes on Linux and 104 on macOS, the temporary name's suffix and a zero included. */
const pathBytesMax = 99;

/** One handler for each verb; what it resolves to is sent with `ok: true`. A throw becomes an answer with `ok: false`. */
export type ControlHandlers = {
  readonly [Verb in ControlVerb]: (
    request: ControlRequest,
  ) => Promise<Readonly<Record<string, unknown>>>;
};

export type ControlServer = { readonly path: string; readonly close: () => Promise<void> };

/** Listens on `path`, mode 0600. A socket file that nobody answers on is replaced; rejects with ControlError else. */
export async function startControlServer(
  path: string,
  handlers: ControlHandlers,
): Promise<ControlServer> {
  const bytes = Buffer.byteLength(path);
  if (bytes > pathBytesMax) {
    throw new ControlError(
      "control_path_too_long",
      `${path} is ${bytes} bytes long and a socket's path holds ${pathBytesMax}: choose a shorter state folder`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: ownerOnlyFolder });
  if (await isAnswering(path)) {
    throw new ControlError(
      "control_in_use",
      `somebody answers on ${path}: a service already runs on this state folder`,
    );
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, handlers);
  });
  server.maxConnections = connectionsMax;
  // Bound under another name first: under its own name the socket is never open to others, and never half there.
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  try {
    await listen(server, fresh);
    chmodSync(fresh, ownerOnly);
    renameSync(fresh, path);
  } catch (error) {
    server.close();
    throw new ControlError("control_failed", `cannot listen on ${path}`, error);
  }
  const inode = lstatSync(path).ino;
  const close = () =>
    new Promise<void>((resolve) => {
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) rmSync(path, { force: true });
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { path, close };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve();
    });
  });
}

/** True when a living process accepts connections there. */
function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    const end = (answers: boolean) => {
      probe.destroy();
      resolve(answers);
    };
    probe.setTimeout(probeMs, () => end(true));
    probe.on("connect", () => end(true));
    probe.on("error", () => end(false));
  });
}

/** Requests of one connection are answered in their order; nothing more is read while some are worked on. */
function serve(socket: Socket, handlers: ControlHandlers): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > requestCharsMax || lines.some((line) => line.length > requestCharsMax)) {
      const tooLong = `a request has at most ${requestCharsMax} characters`;
      socket.end(lineOf(refused("too_long", tooLong)));
      return;
    }
    socket.pause();
    void answerAll(socket, lines, handlers);
  });
}

async function answerAll(
  socket: Socket,
  lines: readonly string[],
  handlers: ControlHandlers,
): Promise<void> {
  for (const line of lines) {
    if (line.trim() === "") continue;
    const answer = await answerTo(line, handlers);
    if (socket.destroyed) return;
    socket.write(lineOf(answer));
  }
  socket.resume();
}

async function answerTo(line: string, handlers: ControlHandlers): Promise<ControlAnswer> {
  const request = parseControlRequest(line);
  if (typeof request === "string") return refused("bad_request", request);
  try {
    return { ...(await handlers[request.do](request)), ok: true };
  } catch (error) {
    return refused("failed", error instanceof Error ? error.message : "the handler failed");
  }
}

function refused(error: string, message: string): ControlAnswer {
  return { ok: false, error, message };
}

function lineOf(answer: ControlAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}
