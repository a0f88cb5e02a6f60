import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../../src/adapters/paper-venue/http/create-paper-venue.ts";
import type { LoggedRequest } from "../../../src/adapters/paper-venue/http/request-log.ts";
import { createGammaHandler } from "../../../src/adapters/paper-venue/world/gamma-handler.ts";
import { polygonAddresses } from "../../../src/adapters/polygon/address-book.ts";
import { RelayerPort } from "../../../src/adapters/polygon/relayer-port.ts";
import {
  createPolymarket,
  type Polymarket,
} from "../../../src/adapters/polymarket/create-polymarket.ts";
import {
  defaultFeedLimits,
  type FeedLimits,
  type FeedTimings,
} from "../../../src/adapters/polymarket/feed-timings.ts";
import type { RateLimits } from "../../../src/adapters/polymarket/rate-limits.ts";
import { openLedger } from "../../../src/adapters/sqlite/ledger.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { systemEntropy } from "../../../src/adapters/system/entropy.ts";
import type { NoticeBody } from "../../../src/engine/api/notices.ts";
import type { TradeRequest } from "../../../src/engine/api/requests.ts";
import type { OrderView, TradeCard } from "../../../src/engine/api/views.ts";
import type { ContractPort } from "../../../src/engine/ports/contracts.ts";
import type { DurableLog } from "../../../src/engine/ports/durable-log.ts";
import type { Clock, LogFields } from "../../../src/engine/ports/system.ts";
import type { CatalogSettings } from "../../../src/engine/runtime/catalog-reader.ts";
import { Desk } from "../../../src/engine/runtime/desk.ts";
import { Engine } from "../../../src/engine/runtime/engine.ts";
import type { ServiceTape } from "../../../src/tape-recording.ts";
import { requestOf, TestFailure, trader } from "./core-desk.ts";
import { type SettingsOver, testSettings } from "./settings.ts";
import { listStandingMarkets } from "./standing-world.ts";

/** Waits of the protocol at a hundredth of production, so that a quarantine fits into a test. */
const quickWaits = {
  orderDeadlineMs: 1_500,
  quarantineMs: 500,
  quarantineCleanReads: 3,
  queryBackoffMs: [20, 40, 80],
  reconcileIntervalMs: 200,
  killCleanSnapshots: 2,
  killWindowMs: 300,
};

/** What is held is read often; nothing is crawled unless a test asks for it. */
const quickCatalog: CatalogSettings = {
  crawl: null,
  refresh: { watchedIntervalMs: 100, resolutionLookMs: 20, lookTtlMs: 60_000, maxWatched: 500 },
  maxMarkets: 10_000,
  maxSetMarkets: 100,
  strategyMarkets: [],
};

const settleMs = 10;
const tickMs = 10;
/** An answer that comes later is an unknown outcome. */
export const postTimeoutMs = 400;

/** Hardhat's published account 1: it guards nothing. */
export const privateKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

/** A venue, an engine on it and the ledger between them, in one process over real sockets and a real file. */
export type LoggedLine = { readonly event: string } & LogFields;

export type LiveDesk = {
  readonly venue: PaperVenue;
  readonly engine: Engine;
  readonly ledger: DurableLog;
  readonly ledgerFile: string;
  readonly baseUrl: string;
  readonly polymarket: Polymarket;
  readonly fault: (name: string, params: Record<string, unknown>) => Promise<void>;
  /** Requests that reached the venue, by method and path. */
  readonly requests: (method: string, path: RegExp) => Promise<LoggedRequest[]>;
  readonly card: (request: Partial<TradeRequest>) => Promise<TradeCard>;
  /** Quotes and confirms; the one order that it made. */
  readonly place: (request: Partial<TradeRequest>) => Promise<OrderView>;
  /** Confirms a card; the one order that it made. */
  readonly press: (nonce: string) => Promise<OrderView>;
  readonly order: (clientOid: string) => OrderView;
  readonly notices: () => NoticeBody[];
  readonly clearFaults: () => Promise<void>;
  /** What the engine and the adapter wrote to the log as information. */
  readonly logged: readonly LoggedLine[];
  /** Another process took the lease over. */
  readonly loseLease: () => void;
  /** Ends the engine as a crash would leave it, and starts another one on the same ledger and venue; between both, files may be changed. */
  readonly restart: (between?: () => void) => Promise<LiveDesk>;
  readonly close: () => Promise<void>;
};

type Ground = {
  readonly venue: PaperVenue;
  /** The venue itself, for the test. */
  readonly base: string;
  /** What the engine is told: the venue, or what stands in front of it. */
  readonly clob: string;
  readonly ws: string;
  readonly folder: string;
};

const funder = "0x00000000000000000000000000000000000fd0e5";
const walletKinds = ["WALLET", "PROXY", "SAFE", "WALLET"] as const;

async function openGround(over: DeskOver, way: Way | undefined): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-engine-"));
  const { autoRedeem = true } = over;
  const venue = createPaperVenue({ stateDir: join(folder, "venue"), settleMs, autoRedeem });
  listStandingMarkets(venue.exchange);
  const { exchange } = venue;
  venue.setMounts({ gamma: createGammaHandler({ exchange, metadata: () => null }) });
  const { port } = await venue.listen(0);
  const host = `127.0.0.1:${port}`;
  const base = `http://${host}`;
  const { base: clob = base, ws = `ws://${host}/ws` } = (await way?.(port)) ?? {};
  return { venue, base, clob, ws, folder };
}

function ledgerIn(folder: string): string {
  return join(folder, "ledger.db");
}

/** Where the engine finds its venue when that is not the venue's own port, by the port that it stands in front of. */
export type Way = (venuePort: number) => Promise<{ readonly base?: string; readonly ws?: string }>;

export type DeskOver = SettingsOver & {
  readonly rateLimits?: RateLimits;
  readonly ledgerCommitMaxMs?: number;
  /** Puts something in front of the ledger, such as a slow disk. */
  readonly wrapLog?: (log: DurableLog) => DurableLog;
  readonly clock?: Clock;
  readonly catalog?: Partial<CatalogSettings>;
  readonly stallMs?: number;
  readonly clockCheckMs?: number;
  readonly maxBooks?: number;
  readonly feedLimits?: Partial<FeedLimits>;
  readonly feedTimings?: Partial<FeedTimings>;
  readonly doubledBooks?: number;
  readonly signatureType?: 0 | 1 | 2 | 3;
  /** Whether the venue pays a resolved market by itself. */
  readonly autoRedeem?: boolean;
  /** Records the market channel and the engine's inputs. */
  readonly tape?: Pick<ServiceTape, "recording" | "deskParts">;
  /** Reaches the contracts instead of the venue's relayer; made anew by each start. */
  readonly openContracts?: () => ContractPort;
};

/** Opens everything and waits until the engine trades (or stands killed or halted, reconciled). */
export async function openLiveDesk(over: DeskOver = {}, way?: Way): Promise<LiveDesk> {
  return openOn(await openGround(over, way), over);
}

async function openOn(ground: Ground, over: DeskOver): Promise<LiveDesk> {
  const { base, clob, ws, folder } = ground;
  const logged: LoggedLine[] = [];
  const log = {
    info: (event: string, fields: LogFields = {}) => void logged.push({ event, ...fields }),
    warn: () => undefined,
    error: () => undefined,
  };
  const lease = { held: true };
  const timeouts = { headersMs: postTimeoutMs, totalMs: postTimeoutMs * 3 };
  const urls = { clob, gamma: `${base}/gamma`, ws };
  const { signatureType = 0 } = over;
  const wallet = signatureType === 0 ? null : funder;
  const account = { chainId: 137, privateKey, signatureType, funder: wallet } as const;
  const dryRun = over.mode === "dry-run";
  const polymarket = createPolymarket({
    urls,
    ...account,
    timeouts,
    log,
    dryRun,
    ...(over.tape !== undefined && { recording: over.tape.recording }),
    feedLimits: { ...defaultFeedLimits, ...over.feedLimits },
    ...(over.feedTimings !== undefined && { feedTimings: over.feedTimings }),
    ...(over.rateLimits !== undefined && { rateLimits: over.rateLimits }),
  });
  const ledger = await openLedger(ledgerIn(folder));
  const relayer = new RelayerPort({
    relayerUrl: clob,
    chainId: 137,
    privateKey,
    kind: walletKinds[signatureType],
    wallet: polymarket.venue.account.funder,
    apiKey: "a-relayer-key",
    addresses: polygonAddresses,
    gasLimit: 1_500_000,
    timeoutMs: postTimeoutMs,
    nowMs: () => systemClock.nowMs(),
    readMarket: async () => ({ ok: true, value: { feeBips: 0, questions: 3 } }),
    shares: (tokenId, version) => polymarket.venue.shares(tokenId, version),
    refreshBalances: polymarket.refreshBalances,
  });
  const contracts: ContractPort = over.openContracts?.() ?? relayer;
  const deps = {
    settings: testSettings({
      ...over,
      waits: { ...quickWaits, ...over.waits },
      contracts: { pollMs: 20, ...over.contracts },
    }),
    log: over.wrapLog?.(ledger) ?? ledger,
    ...polymarket,
    contracts,
    clock: over.clock ?? systemClock,
    entropy: systemEntropy,
    faultPoints: { hit: () => undefined },
    logger: log,
    leaseHeld: () => lease.held,
    tickMs,
    snapshotWaitMs: 2_000,
    bookRefreshAgeMs: 2_000,
    ledgerCommitMaxMs: over.ledgerCommitMaxMs ?? 2_000,
    canaryMs: 15_000,
    canaryRoundMs: 600_000,
    stallMs: over.stallMs ?? 3_000,
    clockCheckMs: over.clockCheckMs ?? 30_000,
    ...(over.maxBooks !== undefined && { maxBooks: over.maxBooks }),
    ...(over.doubledBooks !== undefined && { doubledBooks: over.doubledBooks }),
    ...over.tape?.deskParts,
    catalogSettings: { ...quickCatalog, ...over.catalog },
  };
  const engine = new Engine(deps, await Desk.prepare(deps));
  engine.start();
  await until("the first reconciliation", () => engine.state.ready);
  const loseLease = () => {
    lease.held = false;
  };
  return deskOf(ground, over, { engine, ledger, polymarket, loseLease, logged });
}

function deskOf(
  ground: Ground,
  over: DeskOver,
  parts: Pick<LiveDesk, "engine" | "ledger" | "polymarket" | "loseLease" | "logged">,
): LiveDesk {
  const { venue, base, folder } = ground;
  const { engine, polymarket } = parts;
  const stop = async () => {
    await engine.stop();
    await polymarket.close();
  };
  const card = async (request: Partial<TradeRequest>) => {
    const quoted = await engine.quoteTrade(trader, systemEntropy.hex(8), requestOf(request));
    if (!quoted.ok) throw new TestFailure(`no card: ${JSON.stringify(quoted.error)}`);
    return quoted.value;
  };
  const order = (clientOid: string) => {
    const view = engine.order(clientOid);
    if (view === null) throw new TestFailure(`no order ${clientOid}`);
    return view;
  };
  return {
    ...parts,
    venue,
    ledgerFile: ledgerIn(folder),
    baseUrl: base,
    card,
    order,
    async fault(name, params) {
      const body = JSON.stringify({ name, ...params });
      const answer = await fetch(`${base}/paper/fault`, { method: "POST", body });
      if (!answer.ok) throw new TestFailure(`fault refused: ${await answer.text()}`);
    },
    async clearFaults() {
      await fetch(`${base}/paper/faults`, { method: "DELETE" });
    },
    async requests(method, path) {
      const answer = await fetch(`${base}/paper/log?path=${encodeURIComponent(path.source)}`);
      const rows = (await answer.json()) as LoggedRequest[];
      return rows.filter((row) => row.method === method);
    },
    press: (nonce) => press(engine, nonce),
    place: async (request) => press(engine, (await card(request)).nonce),
    notices: () => engine.noticesAfter(0).map((notice) => notice.body),
    async restart(between) {
      await stop();
      between?.();
      return openOn(ground, over);
    },
    async close() {
      await stop();
      await venue.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function press(engine: Engine, nonce: string): Promise<OrderView> {
  const outcome = await engine.confirm(trader, systemEntropy.hex(8), nonce);
  const [order] = outcome.kind === "accepted" ? outcome.orders : [];
  if (order === undefined) throw new TestFailure(JSON.stringify(outcome));
  return order;
}

const pollEveryMs = 4;

/** Waits until the condition holds, at most 8 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new TestFailure(`never happened: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, pollEveryMs);
    });
  }
}
