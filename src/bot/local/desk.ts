// The offline desk: chat emulator in this process, paper venue and real service as children of it.

import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { totpCode, totpStep } from "../totp.ts";
import type { VenueUrls } from "./desk-config.ts";
import { writeDeskConfig } from "./desk-config.ts";
import { DeskError } from "./desk-errors.ts";
import { DeskChild } from "./desk-process.ts";
import type { DeskState } from "./desk-state.ts";
import { DeskVenue } from "./desk-venue.ts";
import { BotApiEmulator } from "./emulator.ts";
import { isRecord, textOf } from "./emulator-types.ts";
import type { ScriptDesk } from "./script-run.ts";
import type { FaultParams } from "./script-types.ts";
import { ScriptFailure } from "./script-types.ts";

const venueReadyMs = 60_000;
const serviceReadyMs = 60_000;
const armedDeathMsDefault = 15_000;
/** A service that confirms an arming does so within this; one that does not is not waited for longer. */
const armedAnswerMs = 500;
/** Webhook retries after 0, 0.2, 0.4 … s: people at a desk wait for them. */
const webhookRetryScale = 0.1;

/** The whitelisted traders of the desk; the first is the sender at start. */
export const traders = [
  { id: 1001, name: "Trader" },
  { id: 1002, name: "Second" },
] as const;

export interface DeskOptions {
  readonly state: DeskState;
  readonly transport: "poll" | "webhook";
  /** The program's entry file, run for both children. */
  readonly mainFile: string;
  /** Further arguments of the paper venue, e.g. `--data DIR`. */
  readonly venueArgs: readonly string[];
  /** Further keys of the service's configuration, as `section.key=value`. */
  readonly overrides?: readonly string[];
  /** How long an armed service may take to reach its crash point; 15 s if absent. */
  readonly armedDeathMs?: number;
}

/** What the service found in its state when it started. */
export interface CarriedOver {
  readonly killedSinceMs: number | null;
  readonly openOrders: number;
  readonly positions: number;
}

export class Desk implements ScriptDesk {
  readonly emulator: BotApiEmulator;
  readonly #options: DeskOptions;
  readonly #broken = new AbortController();
  #venueChild: DeskChild | null = null;
  #venue: DeskVenue | null = null;
  #service: DeskChild | null = null;
  #configFile = "";
  #armedPoint: string | null = null;
  #isStopping = false;
  venueSummary = "";
  carriedOver: CarriedOver = { killedSinceMs: null, openOrders: 0, positions: 0 };

  constructor(options: DeskOptions) {
    this.#options = options;
    // Ids start at the clock's second, so that a returning desk never repeats those its service has seen.
    const firstId = Math.floor(Date.now() / 1000);
    const { botToken } = options.state.secrets;
    this.emulator = new BotApiEmulator({ token: botToken, firstId, webhookRetryScale });
    for (const { id, name } of traders) this.emulator.addUser(id, name);
  }

  /** Fires when a child died that should live; the reason is a `DeskError`. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** Starts everything; returns when the service answers the chat. Throws `DeskError`. */
  async start(): Promise<void> {
    const { state, mainFile, venueArgs, transport } = this.#options;
    const own = ["--port", "0", "--state", join(state.dir, "venue"), "--json"];
    const parent = ["--parent-pid", String(process.pid)];
    this.#venueChild = new DeskChild({
      title: "paper venue",
      args: [mainFile, "paper-venue", ...own, ...parent, ...venueArgs],
      logFile: join(state.dir, "venue.log"),
      readyMs: venueReadyMs,
      hasChannel: false,
    });
    this.#watch(this.#venueChild);
    const webhookPort = transport === "webhook" ? await takeFreePort() : null;
    await this.emulator.listen();
    const ready = await this.#venueChild.ready();
    const venue = readVenueUrls(ready);
    this.venueSummary = textOf(ready["summary"]);
    this.#venue = new DeskVenue(venue.baseUrl);
    this.#configFile = writeDeskConfig({
      stateDir: state.dir,
      venue,
      apiRoot: this.emulator.apiRoot,
      whitelist: traders.map((trader) => trader.id),
      webhookPort,
      overrides: this.#options.overrides ?? [],
    });
    await this.#startService();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    // The service first, so that it can still cancel at the venue and answer the chat.
    await this.#service?.stop();
    await this.#venueChild?.stop();
    await this.emulator.close();
  }

  /** Base URL of the paper venue. Throws `ScriptFailure` before it listens. */
  get venueUrl(): string {
    return this.#needVenue().baseUrl;
  }

  /** Process id of the service, null before its first start; for tests that signal it. */
  get servicePid(): number | null {
    return this.#service?.pid ?? null;
  }

  /** The last lines of the service's log. */
  serviceLogTail(lines: number): readonly string[] {
    const path = join(this.#options.state.dir, "service.log");
    return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines) : [];
  }

  async holdMarket(slug: string, hold: boolean): Promise<void> {
    await this.#needVenue().post(`/paper/market/${encodeURIComponent(slug)}/hold`, { hold });
  }

  async moveMarket(slug: string, ticks: number): Promise<void> {
    await this.#needVenue().post(`/paper/market/${encodeURIComponent(slug)}/move`, { ticks });
  }

  async editRules(slug: string, description: string): Promise<void> {
    await this.#needVenue().post(`/paper/market/${encodeURIComponent(slug)}/rules`, {
      description,
    });
  }

  readVenue(path: string): Promise<string> {
    return this.#needVenue().read(path);
  }

  async faultVenue(name: string, params: FaultParams): Promise<void> {
    await this.#needVenue().post("/paper/fault", { ...params, name });
  }

  /** With `afterMs` the service runs on for so long after it passed the point. */
  async crash(point: string, afterMs = 0): Promise<void> {
    const service = this.#service;
    if (service === null || service.exit !== null)
      throw new ScriptFailure("the service is not running");
    this.#armedPoint = point;
    if (point === "now") return service.kill();
    const confirmed = service.hears(
      (message) => isRecord(message) && message["armed"] === point,
      armedAnswerMs,
    );
    await service.tell({ arm: point, afterMs });
    await confirmed;
  }

  async restart(): Promise<void> {
    const service = this.#service;
    const point = this.#armedPoint;
    if (service !== null && point !== null) {
      await waitForDeath(service, point, this.#options.armedDeathMs ?? armedDeathMsDefault);
    } else if (service !== null) {
      this.#service = null;
      await service.stop();
    }
    this.#armedPoint = null;
    await this.#startService().catch((error: unknown) => {
      throw error instanceof DeskError ? new ScriptFailure(error.message) : error;
    });
  }

  resumeCode(stepsAhead: 0 | 1): string {
    const { totpSecret } = this.#options.state.secrets;
    if (totpSecret === null) {
      throw new ScriptFailure("this desk resumes without codes: start it with --codes");
    }
    return totpCode(totpSecret, totpStep(Date.now()) + stepsAhead);
  }

  async #startService(): Promise<void> {
    const { state, mainFile } = this.#options;
    const service = new DeskChild({
      title: "service",
      args: [
        mainFile,
        "run-service",
        "--config",
        this.#configFile,
        "--ready-json",
        "--fault-points",
      ],
      logFile: join(state.dir, "service.log"),
      readyMs: serviceReadyMs,
      hasChannel: true,
    });
    this.#service = service;
    const ready = await service.ready();
    this.#watch(service);
    this.#venue?.setOwner(textOf(ready["signer"]));
    this.carriedOver = readCarriedOver(ready["carriedOver"]);
  }

  /** Reports the death of a child unless we are stopping it or a script asked for it. */
  #watch(child: DeskChild): void {
    void child.exited.then(({ code, signal }) => {
      const isService = child === this.#service;
      const isReplaced = child !== this.#venueChild && !isService;
      const isArmed = isService && this.#armedPoint !== null && signal === "SIGKILL";
      if (this.#isStopping || isReplaced || isArmed) return;
      const how = signal === null ? `exit code ${code}` : signal;
      this.#broken.abort(
        new DeskError(
          `the ${child.title} died (${how}), last logged: ${child.lastLogMessage()} (log: ${child.logFile}); start the desk again to go on`,
          1,
        ),
      );
    });
  }

  #needVenue(): DeskVenue {
    if (this.#venue === null) throw new ScriptFailure("the paper venue is not running");
    return this.#venue;
  }
}

async function waitForDeath(service: DeskChild, point: string, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), timeoutMs);
  const exit = await Promise.race([service.exited, promise]);
  clearTimeout(timer);
  if (exit === null) {
    throw new ScriptFailure(`the service did not reach ${point} within ${timeoutMs / 1000} s`);
  }
  if (exit.signal !== "SIGKILL") {
    const how = exit.signal ?? `exit code ${exit.code}`;
    throw new ScriptFailure(`the service ended by ${how} instead of SIGKILL at ${point}`);
  }
}

/**
 * A port that is free now and stays so until the service listens: below those that systems hand out by themselves (Linux
 * from 32768, others from 49152), so that no connection or server of the meantime is given it.
 */
async function takeFreePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const port = randomInt(20_000, 32_768);
    if (await canListen(port)) return port;
  }
  throw new DeskError("no free port between 20000 and 32767 for the webhook; run with polling", 1);
}

function canListen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}

function readVenueUrls(ready: Readonly<Record<string, unknown>>): VenueUrls {
  const text = (key: string): string => {
    const value = ready[key];
    if (typeof value === "string") return value;
    throw new DeskError(`the paper venue's ready line has no ${key}`, 1);
  };
  return {
    baseUrl: text("baseUrl"),
    gammaUrl: text("gammaUrl"),
    dataUrl: text("dataUrl"),
    wsUrl: text("wsUrl"),
  };
}

function readCarriedOver(value: unknown): CarriedOver {
  const fields = isRecord(value) ? value : {};
  const since = fields["killedSinceMs"];
  return {
    killedSinceMs: typeof since === "number" ? since : null,
    openOrders: Number(fields["openOrders"] ?? 0),
    positions: Number(fields["positions"] ?? 0),
  };
}
