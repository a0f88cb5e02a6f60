// Hostile input at the edges (H1 to H10) that the parsers' own tests do not show: through real sockets, files and chats.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHttpClient, HttpError } from "../../src/adapters/polymarket/http-client.ts";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import { parseTradeText } from "../../src/bot/parse/trade-text.ts";
import { rows, scratchFolder } from "../adapters/sqlite/support.ts";
import { until as botUntil, startRig, trader } from "../bot/support/bot-rig.ts";
import { desk as configFile, faultsOf } from "../config/support.ts";
import { until } from "../engine/support/live-desk.ts";
import { standing } from "../engine/support/standing-world.ts";
import { ProxiedDesk } from "./proxied-desk.ts";

const { conditionId } = standing;

describe("H4 and H9: frames that no honest server sends", () => {
  const frames: readonly (readonly [string, Buffer, number])[] = [
    ["a binary frame", Buffer.from([0xff, 0xfe, 0x00, 0x01]), 2],
    ["text that is not UTF-8", Buffer.from([0xc3, 0x28, 0xa0, 0xa1]), 1],
    ["a lone surrogate, escaped", Buffer.from('[{"event_type":"book","market":"\\ud800"}]'), 1],
    ["brackets 30,000 deep", Buffer.from("[".repeat(30_000)), 1],
    ["numbers beyond any float", Buffer.from('[{"event_type":"book","timestamp":1e400}]'), 1],
    ["a harmful key", Buffer.from('{"__proto__":{"polluted":1},"event_type":"book"}'), 1],
    ["a reserved opcode", Buffer.from("x"), 3],
  ];

  test.each(frames)(
    "%s on both streams: the desk lives, and trades on a fresh book",
    async (_name, bytes, opcode) => {
      await using world = await ProxiedDesk.open();
      await world.desk.card({ conditionId });
      world.sockets.inject(bytes, opcode);
      await until("both streams are up and the book is live", () => {
        const { links, books } = world.desk.engine.state.live;
        return links.market.up && links.user.up && books.get(conditionId)?.status === "live";
      });
      const { clientOid } = await world.desk.place({ conditionId });
      await until("filled", () => world.desk.order(clientOid).status === "filled");
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect("polluted" in {}).toBe(false);
    },
  );
});

describe("H4: an answer of 50 MiB", () => {
  test("is cut off at its limit, and the client goes on", async () => {
    let sent = 0;
    const mebibyte = Buffer.alloc(1024 * 1024, "[");
    const server: Server = createServer((request, response) => {
      if (request.url === "/small") {
        response.end("{}");
        return;
      }
      const more = (): void => {
        while (sent < 50 && !response.destroyed) {
          sent += 1;
          if (!response.write(mebibyte)) {
            response.once("drain", more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const timeouts = { connectMs: 2_000, headersMs: 5_000, bodyMs: 5_000, totalMs: 10_000 };
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createHttpClient({ baseUrl, timeouts, connections: 1 });
    const maxBytes = 1024 * 1024;
    const failure: unknown = await client
      .request({ method: "GET", path: "/huge", maxBytes })
      .catch((error: unknown) => error);
    expect(failure instanceof HttpError && failure.code).toBe("TOO_LARGE");
    expect(sent).toBeLessThan(50);
    expect((await client.request({ method: "GET", path: "/small", maxBytes })).body).toBe("{}");
    await client.close();
    server.closeAllConnections();
    server.close();
  });
});

describe("H7: arguments that make careless patterns explode", () => {
  const bombs = [
    "a".repeat(4_000),
    `${"a".repeat(2_000)}!`,
    `${"1".repeat(2_000)}.${"1".repeat(2_000)}sh`,
    `$${"9".repeat(4_000)}`,
    " ".repeat(4_000),
    `"${"\\".repeat(3_999)}`,
    `https://polymarket.com/${"event/".repeat(600)}`,
    "@".repeat(4_000),
    "slip=".repeat(800),
    "0x".repeat(2_000),
  ];

  test("each is read or refused a hundred times over; a pattern that backtracks would never end", () => {
    for (const bomb of bombs) {
      for (let round = 0; round < 100; round++) {
        expect(() => parseTradeText(`x yes ${bomb}`)).not.toThrow();
        expect(() => parseTradeText(bomb)).not.toThrow();
      }
    }
  });
});

describe("H8: names that are code elsewhere", () => {
  const names = [
    "'; DROP TABLE ledger; --",
    "../../etc/passwd",
    '"}],"a":[{"',
    "%00",
    "$(id)",
    "\\",
  ];

  test("are kept as they are in the ledger", async () => {
    const ledger = await openLedger(join(scratchFolder(), "ledger.db"));
    for (const [i, name] of names.entries()) {
      const [row] = rows(i + 1, 1, JSON.stringify({ name }));
      if (row !== undefined) await ledger.append([{ ...row, kind: name, correlationId: name }]);
    }
    const found = await ledger.read(1, 100);
    expect(found.map((row) => row.correlationId)).toEqual(names);
    expect(found.map((row) => row.kind)).toEqual(names);
    await ledger.close();
  });

  test("are text in the chat: answered, and the desk goes on", async () => {
    const rig = await startRig();
    try {
      const before = rig.emulator.events.length;
      for (const name of names) rig.emulator.send(trader, `/buy ${name} yes $5`);
      await botUntil(() => {
        const said = rig.emulator.events.slice(before).filter((event) => event.dir === "out");
        return said.length >= names.length;
      });
    } finally {
      await rig.stop();
    }
  });
});

describe("H10: the same key twice in a settings file", () => {
  test("is refused, not read as the last one", () => {
    const twice = "[risk]\nmax_daily_loss_usd = 10\nmax_daily_loss_usd = 1000000\n";
    expect(faultsOf(configFile(twice)).join("\n")).toMatch(/redefin|duplicate|already|twice/iu);
    const tables = "[risk]\nmax_daily_loss_usd = 10\n[risk]\nmax_open_orders = 5\n";
    expect(faultsOf(configFile(tables)).length).toBeGreaterThan(0);
  });
});
