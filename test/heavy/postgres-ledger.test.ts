// The ledger on a real PostgreSQL server: the contract of both homes, and what only a server can do to us.
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closedLater, codeOf, rows, scratchFolder } from "../adapters/sqlite/support.ts";
import { type LedgerPlace, meddle, openPlace } from "../contract/homes.ts";
import { describeLease } from "../contract/lease-contract.ts";
import {
  allRows,
  describeLedger,
  durableSeq,
  expectWholeBatches,
  startLoop,
} from "../contract/ledger-contract.ts";
import { PostgresServer } from "./postgres.ts";

let server: PostgresServer;
let databases = 0;

beforeAll(async () => {
  server = await PostgresServer.open();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function freshDatabase(): Promise<Extract<LedgerPlace, { kind: "postgres" }>> {
  const name = `desk${databases++}`;
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return {
    kind: "postgres",
    url: server.url(name),
    witnessFile: join(scratchFolder(), "ledger.seen"),
  };
}

describeLedger("a PostgreSQL database", freshDatabase);
describeLease("a PostgreSQL database", async () => ({
  kind: "postgres",
  url: (await freshDatabase()).url,
  name: "service",
}));

describe("the ledger's database", () => {
  test("batches that wait share one commit", async () => {
    const place = await freshDatabase();
    const ledger = closedLater(await openPlace(place));
    await Promise.all(Array.from({ length: 200 }, (_, i) => ledger.append(rows(i + 1, 1))));
    const client = new Client({ connectionString: place.url });
    await client.connect();
    const { rows: found } = await client.query<{ commits: string }>(
      "SELECT count(DISTINCT xmin::text) AS commits FROM ledger",
    );
    await client.end();
    expect(Number(found[0]?.commits)).toBeLessThan(60);
  });

  test("of a newer program is refused and left alone", async () => {
    const place = await freshDatabase();
    await (await openPlace(place)).close();
    await meddle(place, "UPDATE schema_version SET version = 99 WHERE part = 'ledger'");
    expect(await codeOf(openPlace(place))).toBe("ledger_newer_schema");
  });

  test("of a server that would lose what it acknowledged is refused", async () => {
    const place = await freshDatabase();
    await meddle(place, "ALTER SYSTEM SET fsync = off");
    await meddle(place, "SELECT pg_reload_conf()");
    await expect.poll(() => codeOf(openPlace(place))).toBe("ledger_not_durable");
    await meddle(place, "ALTER SYSTEM RESET fsync");
    await meddle(place, "SELECT pg_reload_conf()");
    await expect
      .poll(async () => codeOf(openPlace(place).then((log) => log.close())))
      .toBe("no error");
  });

  test("whose own default does not wait for the disk is told to, for this session", async () => {
    const place = await freshDatabase();
    await meddle(
      place,
      "ALTER DATABASE " + new URL(place.url).pathname.slice(1) + " SET synchronous_commit = off",
    );
    const ledger = closedLater(await openPlace(place));
    await meddle(place, "CREATE TABLE seen (level text)");
    await meddle(
      place,
      `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
       CREATE TRIGGER note AFTER INSERT ON ledger FOR EACH STATEMENT EXECUTE FUNCTION note()`,
    );
    await ledger.append(rows(1, 1));
    const client = new Client({ connectionString: place.url });
    await client.connect();
    expect((await client.query("SELECT level FROM seen")).rows).toEqual([{ level: "on" }]);
    await client.end();
  });

  test("a server that is not there is a typed error", async () => {
    const place = { ...(await freshDatabase()), url: "postgres://pitboss@127.0.0.1:9/desk" };
    expect(await codeOf(openPlace(place))).toBe("ledger_unreachable");
  });

  test("kill -9 of the server mid-write: what was acknowledged is there, and the writer goes on by itself", async () => {
    // A server of its own: a crashed one syncs every file of every database before it starts.
    await using own = await PostgresServer.open();
    const place: LedgerPlace = {
      kind: "postgres",
      url: own.url(),
      witnessFile: join(scratchFolder(), "ledger.seen"),
    };
    const loop = startLoop(place, 2_000);
    for (let crash = 0; crash < 3; crash++) {
      const before = loop.lines.length;
      await expect.poll(() => loop.lines.length - before, { timeout: 60_000 }).toBeGreaterThan(30);
      await own.kill();
      const acknowledged = durableSeq(loop.lines);
      await own.start();
      const client = new Client({ connectionString: place.url });
      await client.connect();
      const { rows: found } = await client.query<{ last: string }>(
        "SELECT max(seq) AS last FROM ledger",
      );
      await client.end();
      expect(Number(found[0]?.last)).toBeGreaterThanOrEqual(acknowledged);
    }
    const before = loop.lines.length;
    await expect.poll(() => loop.lines.length - before, { timeout: 60_000 }).toBeGreaterThan(5);
    loop.child.kill("SIGKILL");
    await loop.ended;
    expect(loop.lines.filter((line) => line.startsWith("failed"))).toEqual([]);
    let found: Awaited<ReturnType<typeof allRows>> = [];
    await expect
      .poll(
        async () => {
          const ledger = await openPlace(place).catch(() => null);
          if (ledger === null) return false;
          found = await allRows(ledger);
          await ledger.close();
          return true;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    expect(found.length).toBeGreaterThanOrEqual(durableSeq(loop.lines));
    expectWholeBatches(found);
  }, 180_000);
});
