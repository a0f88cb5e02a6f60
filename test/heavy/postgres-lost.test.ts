// Connections that end at the worst moment, and servers that forget: S7 and S8.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPostgresLedger } from "../../src/adapters/postgres/ledger.ts";
import { codeOf, rows, scratchFolder } from "../adapters/sqlite/support.ts";
import { meddle, postgresWaits } from "../contract/homes.ts";
import { allRows } from "../contract/ledger-contract.ts";
import { PostgresServer } from "./postgres.ts";

/** What the wire does to the next statement that holds the marked text. */
type Cut =
  /** It never reaches the server, and the connection ends. */
  | "before"
  /** The server commits it, and the connection ends instead of its answer. */
  | "after"
  /** It reaches the server; then nothing is passed on any more, in no direction, and nothing ends. */
  | "silent";

const mark = "cut here";

/** A wire to the server that can be cut at a statement. */
class Wire implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  cut: Cut | null = null;
  cuts = 0;
  #isDown = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isDown) near.destroy();
      else this.#join(near, connect(port, "127.0.0.1"));
    });
  }

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `postgres://pitboss@127.0.0.1:${address.port}/postgres`;
  }

  /** Ends what is connected, and lets nobody through until `up`. */
  down(): void {
    this.#isDown = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  up(): void {
    this.#isDown = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket): void {
    let isCut: Cut | null = null;
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (isCut !== "silent") (socket === near ? far : near).destroy();
      });
    }
    near.on("data", (chunk: Buffer) => {
      if (isCut !== null) return;
      if (this.cut !== null && chunk.includes(mark)) {
        isCut = this.cut;
        this.cut = null;
        this.cuts++;
        if (isCut === "before") near.destroy();
      }
      if (isCut !== "before") far.write(chunk);
    });
    far.on("data", (chunk: Buffer) => {
      if (isCut === null) near.write(chunk);
      // The answer says that it is committed; nobody hears it.
      else if (isCut === "after") near.destroy();
    });
  }
}

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.open();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type Overrides = { readonly statementTimeoutMs?: number; readonly reconnectMaxMs?: number };

type Opened = Awaited<ReturnType<typeof openAt>>;

async function openAt(url: string, witnessFile: string, overrides: Overrides = {}) {
  const links: string[] = [];
  const opened = await openPostgresLedger({
    ...postgresWaits,
    ...overrides,
    url,
    password: null,
    witnessFile,
    info: { pid: process.pid, sinceMs: 0, purpose: "test" },
    onLink: (state) => links.push(state),
  });
  if (!opened.ok) expect.fail("the lease is held");
  return { ...opened, links };
}

/** The server needs a moment to notice that the one before is gone. */
async function soonAt(url: string): Promise<Opened> {
  let opened: Opened | null = null;
  const attempt = async () => {
    opened = await openAt(url, join(scratchFolder(), "seen")).catch(() => null);
    return opened !== null;
  };
  await expect.poll(attempt, { timeout: 30_000 }).toBe(true);
  if (opened === null) expect.fail("unreachable");
  return opened;
}

async function emptied(): Promise<void> {
  await meddle(
    { kind: "postgres", url: server.url(), witnessFile: "" },
    "DROP TABLE IF EXISTS ledger, lease, schema_version",
  );
}

describe("S7: a connection that ends while rows are under way", () => {
  test.each<[Cut, string]>([
    ["before", "the statement never came: the same rows are written once"],
    ["after", "the commit was done and its answer lost: it is found, not repeated"],
    ["silent", "nothing moves any more: the old session is ended first, then its outcome stands"],
  ])("%s: %s", async (cut) => {
    await emptied();
    await using wire = await Wire.to(server.port);
    const witness = join(scratchFolder(), "ledger.seen");
    const { log, lease, links } = await openAt(wire.url, witness, { statementTimeoutMs: 2_000 });
    await log.append(rows(1, 2));
    wire.cut = cut;
    await Promise.all([log.append(rows(3, 2, JSON.stringify(mark))), log.append(rows(5, 1))]);
    await log.append(rows(6, 1));
    expect(wire.cuts).toBe(1);
    expect(links).toEqual(cut === "silent" ? ["back"] : ["lost", "back"]);
    expect(lease.isHeld()).toBe(true);
    expect(await allRows(log)).toEqual([
      ...rows(1, 2),
      ...rows(3, 2, JSON.stringify(mark)),
      ...rows(5, 1),
      ...rows(6, 1),
    ]);
    await log.close();
  });

  test("an idle connection that ends is sought at once, and the lease is not held meanwhile", async () => {
    await emptied();
    const { log, lease, links } = await openAt(server.url(), join(scratchFolder(), "seen"));
    await log.append(rows(1, 1));
    await meddle(
      { kind: "postgres", url: server.url(), witnessFile: "" },
      "SELECT pg_terminate_backend(backend::int) FROM lease",
    );
    await expect.poll(() => links).toEqual(["lost", "back"]);
    expect(lease.isHeld()).toBe(true);
    await log.append(rows(2, 1));
    await log.close();
    expect(lease.isHeld()).toBe(false);
  });

  test("who took the lease meanwhile keeps it: the one before writes nothing any more", async () => {
    await emptied();
    await using wire = await Wire.to(server.port);
    const first = await openAt(wire.url, join(scratchFolder(), "seen"));
    await first.log.append(rows(1, 1));
    wire.down();
    await expect.poll(() => first.lease.isHeld()).toBe(false);
    const second = await soonAt(server.url());
    await second.log.append(rows(2, 1, '{"second":true}'));
    wire.up();
    expect(await codeOf(first.log.append(rows(2, 1)))).toBe("ledger_second_writer");
    expect((await allRows(second.log)).at(-1)?.body).toBe('{"second":true}');
    await second.log.close();
    await first.log.close();
  });

  test("who had the lease in between is noticed although it is free again", async () => {
    await emptied();
    await using wire = await Wire.to(server.port);
    const first = await openAt(wire.url, join(scratchFolder(), "seen"));
    await first.log.append(rows(1, 1));
    wire.down();
    const second = await soonAt(server.url());
    await second.log.close();
    wire.up();
    expect(await codeOf(first.log.append(rows(2, 1)))).toBe("ledger_second_writer");
    expect(first.lease.isHeld()).toBe(false);
    await first.log.close();
  });

  test("a server that does not come back within the bound fails the ledger for good", async () => {
    await using own = await PostgresServer.open();
    const { log, lease } = await openAt(own.url(), join(scratchFolder(), "seen"), {
      reconnectMaxMs: 300,
    });
    await log.append(rows(1, 1));
    await own.kill();
    expect(await codeOf(log.append(rows(2, 1)))).toBe("ledger_unreachable");
    await own.start();
    expect(await codeOf(log.append(rows(2, 1)))).toBe("ledger_unreachable");
    expect(lease.isHeld()).toBe(false);
    await log.close();
  });
});

describe("S8: a server without the last commits", () => {
  test("takes over while the service runs: nothing is written any more; and a start on it is refused", async () => {
    await using own = await PostgresServer.open();
    const witness = join(scratchFolder(), "ledger.seen");
    const { log, lease } = await openAt(own.url(), witness);
    await log.append(rows(1, 3));
    await own.kill();
    own.copyData("replica");
    await own.start();
    await log.append(rows(4, 2));
    await own.kill();
    own.takeOver("replica");
    await own.start();
    expect(await codeOf(log.append(rows(6, 1)))).toBe("ledger_rows_lost");
    expect(await codeOf(log.append(rows(6, 1)))).toBe("ledger_rows_lost");
    expect(lease.isHeld()).toBe(false);
    await log.close();
    expect(await codeOf(openAt(own.url(), witness))).toBe("ledger_rows_lost");
    const client = new Client({ connectionString: own.url() });
    await client.connect();
    expect((await client.query("SELECT max(seq)::int AS last FROM ledger")).rows).toEqual([
      { last: 3 },
    ]);
    await client.end();
  });

  test("with other rows in their place is refused, also when it has more", async () => {
    await emptied();
    const witness = join(scratchFolder(), "ledger.seen");
    const first = await openAt(server.url(), witness);
    await first.log.append(rows(1, 3));
    await first.log.close();
    await emptied();
    const other = await openAt(server.url(), join(scratchFolder(), "other"));
    await other.log.append(rows(1, 9, '{"other":true}'));
    await other.log.close();
    expect(await codeOf(openAt(server.url(), witness))).toBe("ledger_second_writer");
  });
});
