import type { OrderDraft, PreparedOrder } from "../../engine/domain/order.ts";
import type { CatalogPort } from "../../engine/ports/catalog.ts";
import type { Hasher } from "../../engine/ports/hasher.ts";
import type { HeartbeatPort } from "../../engine/ports/heartbeat.ts";
import type { MarketDataPort } from "../../engine/ports/market-data.ts";
import type { Log } from "../../engine/ports/system.ts";
import type { VenuePort } from "../../engine/ports/venue.ts";
import { type AccessReport, readAccess } from "./access.ts";
import type { ApiCredentials } from "./auth.ts";
import { type ClobClient, createClobClient } from "./clob-client.ts";
import { type ChainId, exchangesOf } from "./contracts.ts";
import { createEthersScheme } from "./ethers-scheme.ts";
import { defaultFeedTimings, type FeedLimits, type FeedTimings } from "./feed-timings.ts";
import { createGammaClient } from "./gamma-client.ts";
import { createHasher } from "./hasher.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createHttpClient, type HttpTimeouts } from "./http-client.ts";
import { createMarketFeed, type MarketFeedOptions } from "./market-feed.ts";
import { type OpenProbe, openProbe } from "./probe.ts";
import { defaultRateLimits, type RateCounters, RateGuard, type RateLimits } from "./rate-limits.ts";
import { refreshBalances } from "./refresh-balances.ts";
import { createRehearsal } from "./rehearse.ts";
import type { OrderScheme, SignatureType } from "./signed-order.ts";
import { OrderSigner } from "./signing.ts";
import { createUserFeed } from "./user-feed.ts";
import { createVenue } from "./venue.ts";

export type PolymarketUrls = {
  readonly clob: string;
  readonly gamma: string;
  /** Base of the check of this place; the CLOB itself unless given. */
  readonly geoblock?: string;
  /** Base of the sockets; "/market" and "/user" are appended (with "/ws" in front for a bare host). */
  readonly ws: string;
};

export type PolymarketOptions = {
  readonly urls: PolymarketUrls;
  readonly chainId: ChainId;
  /** 0x and 64 hex digits. */
  readonly privateKey: string;
  readonly signatureType: SignatureType;
  /** Account that holds the money; null for signature type 0. */
  readonly funder: string | null;
  /** A stored API key, so that none has to be derived. */
  readonly credentials?: ApiCredentials | null;
  /** Told of every key that was derived or created. */
  readonly onCredentials?: (credentials: ApiCredentials) => void;
  /** How orders are hashed and signed; ethers when absent. */
  readonly orderScheme?: OrderScheme;
  /** True: reads only; no order, cancel or heartbeat reaches the venue. */
  readonly dryRun?: boolean;
  /** True: connections for orders are opened ahead and kept open. */
  readonly keepSpares?: boolean;
  readonly timeouts?: Partial<HttpTimeouts>;
  /** Our own limits below the venue's; half of its lowest tier when absent. */
  readonly rateLimits?: RateLimits;
  /** Beats for the venue's dead-man switch; absent: none, as in a dry run. */
  readonly heartbeat?: { readonly intervalMs: number; readonly lateMs: number };
  readonly feedTimings?: Partial<FeedTimings>;
  readonly feedLimits?: FeedLimits;
  /** Sees frames and connections of the market channel as they come (recording). */
  readonly recording?: Pick<MarketFeedOptions, "onFrame" | "onEvents" | "onLink" | "onWatch">;
  readonly log: Log;
};

export type ProbeUrls = {
  readonly data: string;
  /** A Polygon node, or null. */
  readonly rpc: string | null;
};

export type Polymarket = {
  readonly venue: VenuePort;
  readonly marketData: MarketDataPort;
  readonly catalog: CatalogPort;
  readonly hasher: Hasher;
  /** Does what an order costs before its POST, with a key that guards nothing; sends nothing. */
  readonly rehearse: (draft: OrderDraft) => PreparedOrder;
  /** Single reads for a check before the start; to be closed by itself. */
  readonly openProbe: (urls: ProbeUrls) => OpenProbe;
  /** Whether this place and this account may trade. */
  readonly readAccess: () => Promise<AccessReport>;
  /** Null when it is switched off, and in a dry run. */
  readonly heartbeat: HeartbeatPort | null;
  /** Makes the venue read the account's balances on the chain again; best effort. */
  readonly refreshBalances: (tokenIds: readonly string[]) => Promise<void>;
  /** What our rate limits and the venue's did in this run. */
  readonly rateCounters: () => RateCounters;
  /** The API key in use after `venue.connect`, to be stored as a secret; null before. */
  readonly credentials: () => ApiCredentials | null;
  readonly close: () => Promise<void>;
};

/** An order may be held for its taker delay before the answer comes, hence the long wait for headers. */
export const defaultTimeouts: HttpTimeouts = {
  connectMs: 3_000,
  headersMs: 10_000,
  bodyMs: 5_000,
  totalMs: 15_000,
};

const catalogConnections = 4;
const bookConnections = 4;

function feedParts({ feedLimits, recording }: PolymarketOptions) {
  return { ...(feedLimits !== undefined && { limits: feedLimits }), ...recording };
}

/** The venue, its market data and its catalog. The same code talks to Polymarket and to the paper venue. */
export function createPolymarket(options: PolymarketOptions): Polymarket {
  const { urls, chainId, log } = options;
  const timeouts: HttpTimeouts = { ...defaultTimeouts, ...options.timeouts };
  const timings: FeedTimings = { ...defaultFeedTimings, ...options.feedTimings };
  const scheme = options.orderScheme ?? createEthersScheme(chainId);
  const signer = new OrderSigner({ ...options, funder: options.funder ?? "", scheme });
  const clob = createClobClient({
    baseUrl: urls.clob,
    signer,
    timeouts,
    credentials: options.credentials ?? null,
    readOnly: options.dryRun ?? false,
    ...(options.onCredentials !== undefined && { onCredentials: options.onCredentials }),
  });
  const geoblockUrl = urls.geoblock ?? urls.clob;
  const geoblock = createHttpClient({ baseUrl: geoblockUrl, timeouts, connections: 1 });
  const userFeed = createUserFeed({
    wsUrl: urls.ws,
    funder: signer.funder,
    credentials: clob.credentials,
    timings,
    log,
  });
  const limits = new RateGuard(options.rateLimits ?? defaultRateLimits);
  const venue = createVenue({
    clob,
    signer,
    exchanges: exchangesOf(chainId),
    userFeed,
    limits,
    log,
    keepSpares: options.keepSpares ?? false,
  });
  const marketData = createMarketFeed({
    wsUrl: urls.ws,
    http: createHttpClient({ baseUrl: urls.clob, timeouts, connections: bookConnections }),
    timings,
    log,
    ...feedParts(options),
  });
  const catalog = createGammaClient({
    http: createHttpClient({ baseUrl: urls.gamma, timeouts, connections: catalogConnections }),
    log,
  });
  const heartbeat = openHeartbeat(options, signer.signer, clob, timeouts);
  return {
    venue,
    marketData,
    catalog,
    heartbeat,
    hasher: createHasher(),
    rehearse: createRehearsal(chainId, scheme),
    rateCounters: () => limits.counters(),
    credentials: clob.credentials,
    openProbe: ({ data, rpc }) =>
      openProbe({ clob, signer, timeouts, urls: { gamma: urls.gamma, ws: urls.ws, data, rpc } }),
    readAccess: () => readAccess(clob, geoblock),
    refreshBalances: (tokenIds) => refreshBalances(clob, signer.signatureType, tokenIds),
    async close() {
      await Promise.all([
        heartbeat?.close(),
        venue.close(),
        marketData.close(),
        catalog.close(),
        geoblock.close(),
      ]);
      signer.close();
    },
  };
}

function openHeartbeat(
  { heartbeat, urls, log }: PolymarketOptions,
  signer: string,
  clob: ClobClient,
  timeouts: HttpTimeouts,
): HeartbeatPort | null {
  if (heartbeat === undefined || clob.readOnly) return null;
  return createHeartbeat({ ...heartbeat, baseUrl: urls.clob, signer, clob, timeouts, log });
}
