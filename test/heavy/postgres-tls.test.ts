// Beyond this machine the ledger travels encrypted, to a server that proves its name, or not at all.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectPostgres } from "../../src/adapters/postgres/connection.ts";
import { openPostgresLedger } from "../../src/adapters/postgres/ledger.ts";
import { openPostgresStore } from "../../src/open-store.ts";
import { codeOf, rows } from "../adapters/sqlite/support.ts";
import { postgresWaits } from "../contract/homes.ts";
import { PostgresServer } from "./postgres.ts";

/** The name that the certificate is for. */
const named = "localhost";
/** Reaches loopback and is not among the names that count as this machine. */
const beyond = "127.1";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
if (!hasOpenssl) process.stdout.write("SKIPPED 4 tests: openssl not found\n");

let folder: string;
let server: PostgresServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postgres-tls-"));
  if (!hasOpenssl) return;
  for (const name of ["server", "stranger"]) makeCertificate(name);
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  server = await PostgresServer.open({ cert: read("server.crt"), key: read("server.key") });
}, 300_000);
afterAll(async () => {
  if (hasOpenssl) await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 300_000);

/** Signed by itself, for the one name; of a new key each time. */
function makeCertificate(name: string): void {
  const fixed = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  const files = `-keyout ${name}.key -out ${name}.crt`;
  const names = `-subj /CN=${named} -addext subjectAltName=DNS:${named}`;
  const made = spawnSync("openssl", `${fixed} ${files} ${names}`.split(" "), {
    cwd: folder,
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
}

const at = (host: string, to: PostgresServer = server) => ({
  ...postgresWaits,
  url: `postgres://pitboss@${host}:${to.port}/postgres`,
  password: null,
});
const authority = (name: string) => join(folder, `${name}.crt`);

async function refusal(host: string, caFile: string | null): Promise<string> {
  return connectPostgres({ ...at(host), caFile }).then(
    async (client) => {
      await client.end();
      return "connected";
    },
    (error: unknown) => (error as Error).message,
  );
}

describe.skipIf(!hasOpenssl)("a database beyond this machine", () => {
  test("ledger and store travel encrypted when its certificate is signed by the named authority", async () => {
    const options = { ...at(named), caFile: authority("server") };
    const opened = await openPostgresLedger({
      ...options,
      witnessFile: join(folder, "ledger.seen"),
      info: { pid: process.pid, sinceMs: 0, purpose: "test" },
    });
    if (!opened.ok) expect.fail("the lease is held");
    await opened.log.append(rows(1, 3));
    const store = await openPostgresStore(options);
    await store.db.insertInto("tapes").values({ name: "a" }).execute();
    const watcher = await connectPostgres({ ...options, caFile: authority("server") });
    const { rows: sessions } = await watcher.query<{ ssl: boolean }>(
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'pitboss'",
    );
    expect(sessions.length).toBeGreaterThanOrEqual(3);
    expect(sessions.every(({ ssl }) => ssl)).toBe(true);
    await watcher.end();
    await store.close();
    await opened.log.close();
  });

  test("is refused without a word of ours when nobody vouches for it, or somebody else", async () => {
    expect(await refusal(beyond, null)).toContain("self-signed certificate");
    expect(await refusal(named, authority("stranger"))).toMatch(/certificate/u);
    expect(await codeOf(connectPostgres(at(beyond)))).toBe("ledger_unreachable");
    expect(await refusal(beyond, join(folder, "nothing.crt"))).toContain("nothing.crt");
  });

  test("is refused when its certificate is for another name", async () => {
    expect(await refusal(beyond, authority("server"))).toMatch(/altnames|does not match/u);
  });

  test("is refused when it offers no encryption; on this machine none is needed", {
    timeout: 300_000,
  }, async () => {
    await using plain = await PostgresServer.open();
    await expect(connectPostgres(at(beyond, plain))).rejects.toThrow(/does not support SSL/u);
    const asked = connectPostgres({ ...at(named, plain), caFile: authority("server") });
    await expect(asked).rejects.toThrow(/does not support SSL/u);
    const here = await connectPostgres(at("127.0.0.1", plain));
    await here.end();
  });
});
