import { mkdirSync } from "node:fs";
import { ONE, parseMicro } from "../exchange/amounts.ts";
import { PaperExchange } from "../exchange/paper-exchange.ts";
import { PaperVenueError } from "../exchange/venue-error.ts";
import type { Clock } from "../exchange/venue-state.ts";
import { VenueState } from "../exchange/venue-state.ts";
import { authRoutes } from "./auth-routes.ts";
import { Clockwork } from "./clockwork.ts";
import { controlRoutes } from "./control-routes.ts";
import { Faults } from "./faults.ts";
import { Heartbeats } from "./heartbeats.ts";
import { HttpServer } from "./http-server.ts";
import { privateRoutes } from "./private-routes.ts";
import { publicRoutes } from "./public-routes.ts";
import { relayerRoutes } from "./relayer-routes.ts";
import { RequestLog } from "./request-log.ts";
import type { HttpReply, HttpRequest } from "./route.ts";
import { Router, reply } from "./route.ts";
import { SocketFaults } from "./socket-faults.ts";
import { Sockets } from "./sockets.ts";

/** Answers a path under a mount point; null for a path it does not know. */
export type MountHandler = (
  path: string,
  query: URLSearchParams,
) => { readonly status: number; readonly body: unknown } | null;

export type PaperVenueOptions = {
  /** Directory of `venue.db`; made when missing. */
  readonly stateDir: string;
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly clock?: Clock;
  /** Time from MATCHED to MINED, and from MINED to CONFIRMED. */
  readonly settleMs?: number;
  /** Decimal dollars of a new account. */
  readonly startCashUsd?: string;
  /** Silence after which a key's orders are canceled. */
  readonly heartbeatTimeoutMs?: number;
  /** How far ahead the expiration of a GTD order must be. */
  readonly gtdMinLeadMs?: number;
  /** How long before its expiration a GTD order dies. */
  readonly gtdMarginMs?: number;
  /** Length of one second of a market's taker delay. */
  readonly delaySecondMs?: number;
  /** Whether a resolved market pays by itself (the default); otherwise its shares wait to be redeemed. */
  readonly autoRedeem?: boolean;
  /** Told of bugs behind a 500; one JSON line on stderr unless given. */
  readonly onError?: (error: unknown) => void;
};

export type MoveListener = (conditionId: string, ticks: number) => void;

export type PaperVenue = {
  readonly exchange: PaperExchange;
  /** The exchange's own state, for views of accounts (Data API) and audits in tests. */
  readonly state: VenueState;
  /** Listens on 127.0.0.1 (port 0 for a free one) and starts the clock. */
  listen(port: number): Promise<{ readonly port: number }>;
  close(): Promise<void>;
  /** Who moves a market when a script asks for it. */
  onMove(listener: MoveListener): void;
  /** Handlers of /gamma/* and of what the CLOB does not know under /data/*; paths come without the prefix. */
  setMounts(mounts: { readonly gamma?: MountHandler; readonly data?: MountHandler }): void;
};

const DEFAULT_SETTLE_MS = 250;
const DEFAULT_CASH_USD = "1000";
const HEARTBEAT_TIMEOUT_MS = 10_000;
/** A GTD order dies one minute before its expiration, and must be sent before that. */
const GTD_MARGIN_MS = 60_000;

function startCash(options: PaperVenueOptions): bigint {
  const cash = parseMicro(options.startCashUsd ?? DEFAULT_CASH_USD);
  if (cash === null) throw new PaperVenueError("startCashUsd is not a decimal");
  return cash;
}

function openState(options: PaperVenueOptions): VenueState {
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  return new VenueState({
    stateDir: options.stateDir,
    clock: options.clock ?? Date.now,
    settleMs: options.settleMs ?? DEFAULT_SETTLE_MS,
    startCash: startCash(options),
    gtdMinLeadMs: options.gtdMinLeadMs ?? GTD_MARGIN_MS,
    gtdMarginMs: options.gtdMarginMs ?? GTD_MARGIN_MS,
    autoRedeem: options.autoRedeem ?? true,
    delaySecondMs: options.delaySecondMs ?? Number(ONE / 1000n),
  });
}

function report(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${JSON.stringify({ level: "error", msg: "paper venue", error: text })}\n`);
}

type Mounts = { gamma: MountHandler | null; data: MountHandler | null };

/** Mounted handlers see the path without its prefix. */
function mounted(mounts: Mounts, request: HttpRequest): HttpReply | null {
  for (const name of ["gamma", "data"] as const) {
    const handler = mounts[name];
    if (handler === null || request.method !== "GET") continue;
    if (!request.path.startsWith(`/${name}/`)) continue;
    return handler(request.path.slice(name.length + 1), request.query);
  }
  return null;
}

/** Puts the paper venue together. Nothing listens and no process starts before `listen`. */
export function createPaperVenue(options: PaperVenueOptions): PaperVenue {
  const state = openState(options);
  const exchange = new PaperExchange(state);
  const heartbeats = new Heartbeats(state, options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS);
  const clockwork = new Clockwork(state, heartbeats);
  const faults = new Faults();
  const log = new RequestLog();
  const socketFaults = new SocketFaults(() => state.now());
  const sockets = new Sockets(state, socketFaults);
  const mounts: Mounts = { gamma: null, data: null };
  let mover: MoveListener | null = null;
  const move = (id: string, ticks: number): boolean => {
    mover?.(id, ticks);
    return mover !== null;
  };
  const tick = (): void => clockwork.run();
  const router = new Router([
    ...publicRoutes(state),
    ...authRoutes(state),
    ...privateRoutes(state, heartbeats),
    ...relayerRoutes(state),
    ...controlRoutes({ state, exchange, faults, socketFaults, log, move, tick }),
  ]);
  const server = new HttpServer({
    clock: () => state.now(),
    faults,
    log,
    onError: options.onError ?? report,
    answer: (request) => {
      const handle = router.find(request.method, request.path);
      const answer = handle === null ? mounted(mounts, request) : handle(request);
      // A heartbeat changes no order, so the timer is armed here and not only after actions.
      clockwork.arm();
      return answer ?? reply({ error: "not found" }, 404);
    },
  });
  server.server.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
  return {
    exchange,
    state,
    async listen(port) {
      const bound = await server.listen(port);
      exchange.startAnnouncing();
      clockwork.run();
      return { port: bound };
    },
    async close() {
      clockwork.stop();
      sockets.close();
      await server.close();
      state.store.close();
    },
    onMove(listener) {
      mover = listener;
    },
    setMounts(given) {
      mounts.gamma = given.gamma ?? mounts.gamma;
      mounts.data = given.data ?? mounts.data;
    },
  };
}
