// The last door out of the process: whatever code wants to connect, a host that nobody configured is not reached.
import { Socket } from "node:net";

/** Host and port as a connection names them: "clob.polymarket.com:443". */
export type Destination = string;

/** A connection that was stopped before a packet left. */
export class OutboundRefusedError extends Error {
  override readonly name = "OutboundRefusedError";
  readonly code = "OUTBOUND_REFUSED";

  constructor(destination: Destination) {
    super(
      `connections to ${destination} are not allowed: no address of the configuration names it`,
    );
  }
}

const shownCharsMax = 120;

type Connect = (this: Socket, ...args: readonly unknown[]) => Socket;

/**
 * From now on TCP connections of this process, from whatever package and with or without TLS, reach the given hosts
 * alone; local sockets are free. `onRefused` is told of every other attempt. Returns what takes the guard away again.
 */
export function guardOutbound(
  allowed: readonly Destination[],
  onRefused: (destination: Destination) => void,
): () => void {
  const known = new Set(allowed.map((one) => one.toLowerCase()));
  const prototype = Socket.prototype as { connect: Connect };
  const { connect } = prototype;
  const guarded: Connect = function (...args) {
    const destination = destinationOf(args);
    if (destination === null || known.has(destination)) return Reflect.apply(connect, this, args);
    onRefused(destination);
    // As a connection that fails; and where nobody listens for that, it must not end the service.
    this.on("error", () => undefined);
    return this.destroy(new OutboundRefusedError(destination));
  };
  prototype.connect = guarded;
  return () => {
    prototype.connect = connect;
  };
}

const impliedPorts: Readonly<Record<string, string>> = {
  "http:": "80",
  "ws:": "80",
  "https:": "443",
  "wss:": "443",
  "postgres:": "5432",
  "postgresql:": "5432",
};

/** "host:port" of a URL, with the port that its scheme implies. */
export function destinationOfUrl(text: string): Destination {
  const url = new URL(text);
  const port = url.port === "" ? impliedPorts[url.protocol] : url.port;
  return `${bare(url.hostname)}:${port}`.toLowerCase();
}

/** Where a call of Socket.connect leads; null for a local socket. Node passes its own calls on as one array. */
function destinationOf(args: readonly unknown[]): Destination | null {
  const [first, second] = args;
  if (Array.isArray(first)) return destinationOf(first);
  if (typeof first === "object" && first !== null) {
    const { path, host, port } = first as Readonly<Record<string, unknown>>;
    if (typeof path === "string") return null;
    return named(typeof host === "string" ? host : "localhost", port);
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return null;
  return named(typeof second === "string" ? second : "localhost", first);
}

function named(host: string, port: unknown): Destination {
  return `${bare(host)}:${String(port)}`.toLowerCase().slice(0, shownCharsMax);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
