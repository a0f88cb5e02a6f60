// A child process of the desk: started with its log in a file, ready when it prints its JSON line, ended for sure.
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { DeskError } from "./desk-errors.ts";
import { isRecord } from "./emulator-types.ts";

const logBytesMax = 10 * 1024 * 1024;
/** After SIGTERM a child has this long to end by itself. */
const stopMs = 5_000;

export interface ChildSpec {
  /** What it is called in messages, e.g. "service". */
  readonly title: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly readyMs: number;
  /** With a channel the child gets messages and notices when we are gone; else its stdin stays open for that. */
  readonly hasChannel: boolean;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class DeskChild {
  readonly title: string;
  readonly logFile: string;
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #ready: Promise<Readonly<Record<string, unknown>>>;
  #exit: ChildExit | null = null;

  constructor(spec: ChildSpec) {
    this.title = spec.title;
    this.logFile = spec.logFile;
    rotate(spec.logFile);
    const log = openSync(spec.logFile, "a", 0o600);
    this.#process = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=4", ...spec.args],
      {
        stdio: spec.hasChannel ? ["ignore", "pipe", log, "ipc"] : ["pipe", "pipe", log],
        // A group of its own: Ctrl-C reaches us alone, and we end the children in order.
        detached: true,
      },
    );
    closeSync(log);
    const { promise, resolve } = Promise.withResolvers<ChildExit>();
    this.exited = promise;
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      this.#exit ??= { code, signal };
      resolve(this.#exit);
    };
    this.#process.once("exit", ended);
    this.#process.once("error", () => ended(1, null));
    this.#process.stdin?.on("error", () => {});
    this.#ready = this.#readReadyLine(spec.readyMs);
    // The owner awaits it later; a failure before that must not count as unhandled.
    this.#ready.catch(() => {});
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** How it ended, or null while it runs. */
  get exit(): ChildExit | null {
    return this.#exit;
  }

  /** Its JSON ready line. Throws `DeskError` when it ends before that or takes too long. */
  ready(): Promise<Readonly<Record<string, unknown>>> {
    return this.#ready;
  }

  /** Sends a message over the channel and waits until it is written or the child is gone. */
  async tell(message: Readonly<Record<string, unknown>>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!this.#process.connected) return;
    this.#process.send(message, () => resolve());
    await promise;
  }

  /** Waits for a message that `check` accepts; false after `timeoutMs` or when the child ends. */
  async hears(check: (message: unknown) => boolean, timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const listener = (message: unknown): void => {
      if (check(message)) resolve(true);
    };
    this.#process.on("message", listener);
    const timer = setTimeout(() => resolve(false), timeoutMs);
    void this.exited.then(() => resolve(false));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#process.off("message", listener);
    }
  }

  /** SIGKILL at once. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  /** SIGTERM, then SIGKILL after a while. */
  async stop(): Promise<void> {
    if (this.#exit !== null) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), stopMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** The message of its last log line, for people. */
  lastLogMessage(): string {
    const lines = existsSync(this.logFile)
      ? readFileSync(this.logFile, "utf8").trimEnd().split("\n")
      : [];
    const last = lines.at(-1) ?? "";
    try {
      const entry = JSON.parse(last) as unknown;
      const said = isRecord(entry) ? (entry["msg"] ?? entry["event"]) : undefined;
      if (typeof said === "string") return said;
    } catch {
      // Not every line is JSON: a usage error is plain text.
    }
    return last === "" ? "(no log)" : last;
  }

  async #readReadyLine(readyMs: number): Promise<Readonly<Record<string, unknown>>> {
    const { promise, resolve } = Promise.withResolvers<Readonly<Record<string, unknown>> | null>();
    const timer = setTimeout(() => resolve(null), readyMs);
    const { stdout } = this.#process;
    if (stdout !== null) {
      createInterface({ input: stdout }).on("line", (line) => {
        const parsed = parseReady(line);
        if (parsed !== null) resolve(parsed);
      });
    }
    void this.exited.then(() => resolve(null));
    const line = await promise;
    clearTimeout(timer);
    if (line !== null) return line;
    const how = this.#exit === null ? `was not ready after ${readyMs / 1000} s` : "ended at start";
    throw new DeskError(
      `the ${this.title} ${how}: ${this.lastLogMessage()} (log: ${this.logFile})`,
      this.#exit?.code === 2 ? 2 : 1,
    );
  }
}

function parseReady(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = JSON.parse(line) as unknown;
    return isRecord(value) && value["ready"] === true ? value : null;
  } catch {
    return null;
  }
}

function rotate(path: string): void {
  if (existsSync(path) && statSync(path).size > logBytesMax) renameSync(path, `${path}.1`);
}
