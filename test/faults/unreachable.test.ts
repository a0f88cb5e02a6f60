// A venue that cannot be reached or is not who it says (N1, N3): nothing is sent, and nothing is tried in a weaker way.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPolymarket } from "../../src/adapters/polymarket/create-polymarket.ts";
import { createHttpClient, HttpError } from "../../src/adapters/polymarket/http-client.ts";
import { collectingLog } from "../adapters/polymarket/paper-desk.ts";
import { selfSigned } from "./self-signed.ts";

const timeouts = { connectMs: 2_000, headersMs: 2_000, bodyMs: 2_000, totalMs: 3_000 };
const order = { method: "POST", path: "/order", body: '{"a":1}', maxBytes: 1_000 } as const;
/** Hardhat's published account 1: it guards nothing. */
const privateKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/** Posts once; how it ended and how often the gate was asked. */
async function postTo(
  baseUrl: string,
): Promise<{ readonly outcome: string; readonly asked: number }> {
  const client = createHttpClient({ baseUrl, timeouts, connections: 1 });
  let asked = 0;
  const gate = (): null => {
    asked += 1;
    return null;
  };
  const failure: unknown = await client
    .request({ ...order, gate })
    .catch((error: unknown) => error);
  await client.close();
  return { outcome: failure instanceof HttpError ? failure.outcome : String(failure), asked };
}

/** Connects as the service does at its start, over HTTPS and secure sockets. */
async function connectTo(host: string): Promise<boolean> {
  const polymarket = createPolymarket({
    urls: { clob: `https://${host}`, gamma: `https://${host}`, ws: `wss://${host}/ws` },
    chainId: 137,
    privateKey,
    signatureType: 0,
    funder: null,
    timeouts,
    log: collectingLog().log,
  });
  const { ok } = await polymarket.venue.connect();
  await polymarket.close();
  return ok;
}

describe("N1: a name that does not resolve", () => {
  test("nothing was sent, and the venue counts as not connected", async () => {
    expect(await postTo("http://venue.invalid")).toEqual({ outcome: "not_sent", asked: 0 });
    expect(await connectTo("venue.invalid")).toBe(false);
  });
});

describe("N3: a certificate that nobody vouches for", () => {
  let server: Server;
  let host: string;
  let secured = 0;
  let requests = 0;
  let plain = 0;

  beforeEach(async () => {
    secured = requests = plain = 0;
    server = createServer(selfSigned("127.0.0.1"), (socket) => {
      secured += 1;
      socket.on("error", () => undefined);
      socket.on("data", () => (requests += 1));
    });
    // A client that fell back to plain HTTP would send a request line where a handshake is expected.
    server.on("tlsClientError", (error) => {
      if ("code" in error && error.code === "ERR_SSL_HTTP_REQUEST") plain += 1;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.close();
  });

  test("no byte of a request is written, and nothing falls back to plain HTTP", async () => {
    expect(await postTo(`https://${host}`)).toEqual({ outcome: "not_sent", asked: 0 });
    expect(await connectTo(host)).toBe(false);
    expect({ requests, plain }).toEqual({ requests: 0, plain: 0 });
  });

  test("a plain request to it is not taken for an answer either", async () => {
    const { outcome } = await postTo(`http://${host}`);
    expect(outcome).toBe("unknown");
    expect(secured).toBe(0);
  });
});
