// A proxy between one of our clients and a real server of the desk, which does to chosen requests what networks do.
import {
  type AddressInfo,
  createConnection,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { answerBytes, type HttpMessage, readFrames, readMessage, textFrame } from "./http-bytes.ts";

/** What happens to a request that a fault matches. */
export type Harm =
  /** Its bytes go nowhere and the connection is reset. */
  | { readonly do: "reset-before" }
  /** The head (part 0) or the head and that part of the body reach the server, then both sides are reset. */
  | { readonly do: "cut-request"; readonly part: number }
  /** It reaches the server; the answer is swallowed and the connection stays open. */
  | { readonly do: "black-hole" }
  /** It reaches the server this late, as an edge that queues what is over its limit. */
  | { readonly do: "queue"; readonly ms: number }
  | { readonly do: "delay-answer"; readonly ms: number }
  /** It is answered; the answer ends after that part of its body, while its head promised all of it. */
  | { readonly do: "cut-answer"; readonly part: number }
  /** The whole answer under a head that promises so many bytes more. */
  | { readonly do: "claim-more"; readonly bytes: number }
  /** The answer's body comes byte by byte. */
  | { readonly do: "trickle"; readonly everyMs: number }
  /** The server does it or never hears of it; these bytes are the answer. */
  | {
      readonly do: "answer";
      readonly status: number;
      readonly body: string | Buffer;
      readonly isForwarded: boolean;
    };

export type ProxyFault = Harm & {
  readonly method?: string;
  readonly path: RegExp;
  /** How many requests it hits; 1 if absent. */
  readonly times?: number;
  /** Called when it strikes: for `cut-request` once the server has its part. */
  readonly onHit?: () => void;
};

export type ProxyRequest = {
  readonly method: string;
  readonly path: string;
  readonly atMs: number;
  readonly body: string;
};

type Armed = { readonly fault: ProxyFault; left: number };

/** Answers of more than this are not held back to be changed. */
const heldBytesMax = 16 * 1024 * 1024;

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #targetPort: () => number;
  readonly #links = new Set<Link>();
  #armed: Armed[] = [];
  #accepted = 0;
  readonly #requests: ProxyRequest[] = [];
  /** Nothing that the server says gets through: requests arrive, answers are lost. */
  answersLost = false;
  /** Sockets of the server answer pings and bring no data. */
  socketsMute = false;
  /** New connections are reset at once. */
  isDown = false;

  private constructor(targetPort: () => number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#accept(client));
  }

  /**
   * A proxy that listens on loopback in front of a port of this machine; port 0 takes a free one. A server that does not
   * listen yet is named by a function, which each connection asks.
   */
  static async open(target: number | (() => number), port = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(typeof target === "number" ? () => target : target);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    proxy.#server.once("error", reject);
    proxy.#server.listen(port, "127.0.0.1", resolve);
    await promise;
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections accepted so far, those included that are gone. */
  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#links.size;
  }

  /** Every request that arrived, in order. */
  get requests(): readonly ProxyRequest[] {
    return this.#requests;
  }

  add(fault: ProxyFault): void {
    this.#armed.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed = [];
    this.answersLost = false;
    this.socketsMute = false;
    this.isDown = false;
  }

  /** Resets every connection, or only the sockets. */
  resetAll(which: "all" | "sockets" = "all"): void {
    for (const link of this.#links) if (which === "all" || link.isSocket) link.reset();
  }

  /** Puts one text or binary frame into every socket, as if the server had sent it. */
  inject(payload: Buffer | string, opcode = 1): void {
    for (const link of this.#links) if (link.isSocket) link.toClient(textFrame(payload, opcode));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.resetAll();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.isDown) {
      client.resetAndDestroy();
      return;
    }
    const link: Link = new Link(client, this.#targetPort(), {
      take: (request) => this.#take(request),
      loses: (isSocket) => this.answersLost && !isSocket,
      isMute: () => this.socketsMute,
      ended: () => this.#links.delete(link),
    });
    this.#links.add(link);
  }

  #take(request: HttpMessage): ProxyFault | null {
    const [method = "", path = ""] = request.startLine.split(" ");
    this.#requests.push({ method, path, atMs: Date.now(), body: request.body.toString("utf8") });
    const armed = this.#armed.find(
      ({ fault }) => (fault.method ?? method) === method && fault.path.test(path),
    );
    if (armed === undefined) return null;
    armed.left -= 1;
    this.#armed = this.#armed.filter((one) => one.left > 0);
    return armed.fault;
  }
}

type LinkOwner = {
  readonly take: (request: HttpMessage) => ProxyFault | null;
  readonly loses: (isSocket: boolean) => boolean;
  readonly isMute: () => boolean;
  readonly ended: () => void;
};

/** One connection of the client and its own connection to the server. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #owner: LinkOwner;
  #asked: Buffer = Buffer.alloc(0);
  #answered: Buffer = Buffer.alloc(0);
  /** What happens to the answer under way; null lets it through as it comes. */
  #harm: ProxyFault | null = null;
  #timers = new Set<NodeJS.Timeout>();
  isSocket = false;
  /** Requests that wait at the edge: they go on their way even when their sender has given up. */
  #queued = 0;
  /** The upgrade was answered: from here on there are frames. */
  #hasFrames = false;

  constructor(client: Socket, port: number, owner: LinkOwner) {
    this.#client = client;
    this.#owner = owner;
    this.#server = createConnection({ port, host: "127.0.0.1" });
    client.setNoDelay(true);
    this.#server.setNoDelay(true);
    client.on("data", (bytes: Buffer) => this.#onAsked(bytes));
    this.#server.on("data", (bytes: Buffer) => this.#onAnswered(bytes));
    client.on("error", () => this.#clientGone());
    client.on("close", () => this.#clientGone());
    this.#server.on("error", () => this.reset());
    this.#server.on("close", () => this.#close());
  }

  #clientGone(): void {
    if (this.#queued === 0) this.#close();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  toClient(bytes: Buffer): void {
    if (!this.#client.destroyed) this.#client.write(bytes);
  }

  #close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#client.destroy();
    this.#server.destroy();
    this.#owner.ended();
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }

  #onAsked(bytes: Buffer): void {
    if (this.isSocket) {
      this.#server.write(bytes);
      return;
    }
    this.#asked = Buffer.concat([this.#asked, bytes]);
    const request = readMessage(this.#asked);
    if (request === null) return;
    this.#asked = this.#asked.subarray(request.length);
    this.isSocket = /^upgrade:\s*websocket/imu.test(request.head.toString("latin1"));
    const fault = this.#owner.take(request);
    if (fault === null) this.#forward(request);
    else this.#harmRequest(fault, request);
  }

  #forward(request: HttpMessage): void {
    this.#server.write(Buffer.concat([request.head, request.body]));
  }

  #harmRequest(fault: ProxyFault, request: HttpMessage): void {
    switch (fault.do) {
      case "reset-before":
        fault.onHit?.();
        return this.reset();
      case "cut-request": {
        const part = request.body.subarray(0, Math.floor(request.body.length * fault.part));
        // The server's side ends only after the part is on its way, as when the sender dies between two writes.
        this.#server.end(Buffer.concat([request.head, part]), () => {
          fault.onHit?.();
          this.#client.resetAndDestroy();
        });
        return;
      }
      case "queue":
        fault.onHit?.();
        this.#queued += 1;
        return this.#later(fault.ms, () => {
          this.#queued -= 1;
          this.#forward(request);
          // Nobody waits for the answer any more: the server reads the request to its end and is left alone.
          if (this.#client.destroyed) this.#server.end();
        });
      case "answer":
        if (!fault.isForwarded) {
          fault.onHit?.();
          return this.toClient(answerBytes(fault.status, fault.body));
        }
        break;
      default:
        break;
    }
    this.#harm = fault;
    this.#forward(request);
  }

  #onAnswered(bytes: Buffer): void {
    if (this.#owner.loses(this.isSocket)) return;
    if (this.#hasFrames && this.#owner.isMute()) {
      this.#passPongs(bytes);
      return;
    }
    this.#hasFrames = this.isSocket;
    if (this.#harm === null) {
      this.toClient(bytes);
      return;
    }
    this.#answered = Buffer.concat([this.#answered, bytes]);
    const answer = readMessage(this.#answered);
    if (answer === null) {
      if (this.#answered.length > heldBytesMax) this.reset();
      return;
    }
    const fault = this.#harm;
    this.#harm = null;
    this.#answered = this.#answered.subarray(answer.length);
    fault.onHit?.();
    this.#harmAnswer(fault, answer);
  }

  #harmAnswer(fault: ProxyFault, answer: HttpMessage): void {
    const status = Number(answer.startLine.split(" ")[1]);
    const { body } = answer;
    switch (fault.do) {
      case "answer":
        return this.toClient(answerBytes(fault.status, fault.body));
      case "delay-answer":
        return this.#later(fault.ms, () => this.toClient(answerBytes(status, body)));
      case "cut-answer": {
        const part = body.subarray(0, Math.floor(body.length * fault.part));
        this.#client.end(answerBytes(status, part, body.length));
        return;
      }
      case "claim-more":
        this.#client.end(answerBytes(status, body, body.length + fault.bytes));
        return;
      case "trickle": {
        this.toClient(answerBytes(status, "", body.length));
        for (let at = 0; at < body.length; at += 1) {
          this.#later(fault.everyMs * (at + 1), () => this.toClient(body.subarray(at, at + 1)));
        }
        return;
      }
      default:
        // A black hole: nothing comes back, ever.
        return;
    }
  }

  /** The server's pings and pongs, and its text "PONG", and nothing else. */
  #passPongs(bytes: Buffer): void {
    this.#answered = Buffer.concat([this.#answered, bytes]);
    const { frames, rest } = readFrames(this.#answered);
    this.#answered = Buffer.from(rest);
    for (const frame of frames) {
      if (frame.opcode > 8 || frame.text === "PONG") this.toClient(frame.bytes);
    }
  }
}
