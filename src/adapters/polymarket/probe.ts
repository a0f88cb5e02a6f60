// Single reads that a check before the start makes: each says what the venue said, or why nothing was understood.
import WebSocket from "ws";
import type { Market } from "../../engine/domain/market.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import { type ClobClient, errorText, getRepeatedly } from "./clob-client.ts";
import {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  type HttpTimeouts,
} from "./http-client.ts";
import { parseGammaMarket } from "./parse-gamma.ts";
import { ruleHash } from "./rule-hash.ts";
import type { OrderSigner } from "./signing.ts";
import { channelUrl } from "./socket-link.ts";
import { arrayOf, conditionIdOf, type Fields, fieldsOf, freeText, jsonOf, textOf } from "./wire.ts";

const answerBytesMax = 8 * 1024 * 1024;
const socketOpenMs = 5_000;
const freshEvents = 20;
const versionCharsMax = 20;

type ProbeParts = {
  readonly clob: ClobClient;
  readonly gamma: HttpClient;
  readonly data: HttpClient;
  /** Null without an rpc_url. */
  readonly rpc: { readonly http: HttpClient; readonly path: string } | null;
  readonly wsUrl: string;
  readonly signatureType: number;
};

export type ProbeOptions = {
  readonly clob: ClobClient;
  readonly signer: Pick<OrderSigner, "signatureType">;
  readonly timeouts: HttpTimeouts;
  readonly urls: {
    readonly gamma: string;
    readonly data: string;
    readonly ws: string;
    /** A Polygon node, or null. */
    readonly rpc: string | null;
  };
};

export type Allowances = {
  /** Micro-dollars. */
  readonly balance: bigint;
  /** Spender address in lower case -> micro-dollars that it may take. */
  readonly spenders: ReadonlyMap<string, bigint>;
};

/** A market in the words of Gamma and of the CLOB, side by side. */
export type MarketFacts = {
  readonly market: Result<Market, string>;
  readonly closed: boolean;
  readonly negRisk: boolean;
  /** Outcomes may be added to its event later. */
  readonly augmented: boolean;
  readonly ruleHash: string;
  /** The CLOB's own record. */
  readonly clob: {
    readonly tick: string;
    readonly minSize: string;
    readonly negRisk: boolean | null;
    readonly feeRate: string | null;
    readonly feeExponent: string | null;
    readonly acceptingOrders: boolean;
  };
};

export type MarketName = { readonly slug: string } | { readonly conditionId: string };

export type VenueProbe = {
  /** Whether each base URL answers like the service that it should be. */
  readonly clobAnswers: () => Promise<Result<null, string>>;
  readonly gammaAnswers: () => Promise<Result<null, string>>;
  readonly dataAnswers: (user: string) => Promise<Result<null, string>>;
  readonly socketOpens: () => Promise<Result<null, string>>;
  /** Milliseconds that the venue's clock is ahead of ours. */
  readonly clock: () => Promise<Result<number, string>>;
  /** The CLOB's protocol version. */
  readonly version: () => Promise<Result<string, string>>;
  /** Gamma's version of the newest open markets -> how many have it. */
  readonly freshVersions: () => Promise<Result<ReadonlyMap<string, number>, string>>;
  /** Proves the wallet (L1): derives or creates the API key. */
  readonly deriveKey: () => Promise<Result<null, string>>;
  readonly allowances: () => Promise<Result<Allowances, string>>;
  readonly market: (name: MarketName) => Promise<Result<MarketFacts, string>>;
  /** Null without an rpc_url. */
  readonly chainId: (() => Promise<Result<number, string>>) | null;
  /** Whether there is a contract at the address. Null without an rpc_url. */
  readonly hasCode: ((address: string) => Promise<Result<boolean, string>>) | null;
};

export type OpenProbe = VenueProbe & { readonly close: () => Promise<void> };

/** Connections of its own: a check shares none with orders. */
export function openProbe({ clob, signer, timeouts, urls }: ProbeOptions): OpenProbe {
  const open = (baseUrl: string) => createHttpClient({ baseUrl, timeouts, connections: 2 });
  const [gamma, data] = [open(urls.gamma), open(urls.data)];
  // A node's address may end in its own path; a bare host needs one.
  const path = urls.rpc !== null && new URL(urls.rpc).pathname === "/" ? "/" : "";
  const rpc = urls.rpc === null ? null : { http: open(urls.rpc), path };
  const { signatureType } = signer;
  const probe = createProbe({ clob, gamma, data, rpc, wsUrl: urls.ws, signatureType });
  return {
    ...probe,
    close: async () => {
      await Promise.all([gamma.close(), data.close(), rpc?.http.close()]);
    },
  };
}

function createProbe(options: ProbeParts): VenueProbe {
  const { clob, gamma, data, rpc } = options;
  const reading = async <T>(read: () => Promise<Result<T, string>>): Promise<Result<T, string>> => {
    try {
      return await read();
    } catch (error) {
      return err(error instanceof Error ? error.message : "unreadable failure");
    }
  };
  return {
    clobAnswers: () => reading(async () => plain(await clob.read({ path: "/ok" }))),
    gammaAnswers: () =>
      reading(async () => listed(await get(gamma, "/events/keyset", "limit=1"), "events")),
    dataAnswers: (user) =>
      reading(async () => {
        const answer = await get(data, "/v2/positions", `user=${user}&limit=1`);
        return answer.status === 200 ? ok(null) : err(errorText(answer));
      }),
    socketOpens: () => socketOpens(channelUrl(options.wsUrl, "market")),
    clock: () => reading(async () => ok((await clob.measureClock()).offsetMs)),
    version: () =>
      reading(async () => {
        const answer = await clob.read({ path: "/version" });
        const version = textOf(fieldsOf(jsonOf(answer.body))?.["version"]);
        return answer.status === 200 && version !== null ? ok(version) : err(errorText(answer));
      }),
    freshVersions: () =>
      reading(async () => {
        const query = `limit=${freshEvents}&closed=false&order=startDate&ascending=false`;
        const answer = await get(gamma, "/events/keyset", query);
        const events = arrayOf(fieldsOf(jsonOf(answer.body))?.["events"]);
        return events === null ? err(errorText(answer)) : ok(versionsIn(events));
      }),
    deriveKey: () =>
      reading(async () => {
        await clob.obtainCredentials();
        return ok(null);
      }),
    allowances: () => reading(() => readAllowances(clob, options.signatureType)),
    market: (name) => reading(() => readMarket(options, name)),
    chainId:
      rpc === null ? null : () => reading(async () => numberOf(await call(rpc, "eth_chainId", []))),
    hasCode:
      rpc === null
        ? null
        : (address) =>
            reading(async () => {
              const code = await call(rpc, "eth_getCode", [address, "latest"]);
              return code.ok ? ok(code.value !== "0x") : code;
            }),
  };
}

function get(http: HttpClient, path: string, query: string): Promise<HttpAnswer> {
  return getRepeatedly(() =>
    http.request({ method: "GET", path, query, maxBytes: answerBytesMax }),
  );
}

function plain(answer: HttpAnswer): Result<null, string> {
  return answer.status === 200 && /^"?OK"?$/i.test(answer.body.trim())
    ? ok(null)
    : err(`${errorText(answer)}, not OK`);
}

function listed(answer: HttpAnswer, member: string): Result<null, string> {
  const list = arrayOf(fieldsOf(jsonOf(answer.body))?.[member]);
  return answer.status === 200 && list !== null ? ok(null) : err(`${errorText(answer)}: no list`);
}

function versionsIn(events: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    for (const market of arrayOf(fieldsOf(event)?.["markets"]) ?? []) {
      // Gamma leaves the member out where it means the older one.
      const version = freeText(fieldsOf(market)?.["version"] ?? "v1").slice(0, versionCharsMax);
      counts.set(version, (counts.get(version) ?? 0) + 1);
    }
  }
  return counts;
}

async function socketOpens(url: string): Promise<Result<null, string>> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { handshakeTimeout: socketOpenMs, perMessageDeflate: false });
    const end = (result: Result<null, string>) => {
      resolve(result);
      socket.terminate();
    };
    socket.on("open", () => end(ok(null)));
    socket.on("error", (error) => end(err(error.message.slice(0, 200))));
  });
}

async function readAllowances(
  clob: ClobClient,
  signatureType: number,
): Promise<Result<Allowances, string>> {
  const query = `asset_type=COLLATERAL&signature_type=${signatureType}`;
  const answer = await clob.call({ method: "GET", path: "/balance-allowance", query });
  const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
  const balance = wholeOf(fields?.["balance"]);
  const map = fieldsOf(fields?.["allowances"]);
  if (balance === null || map === null) return err(errorText(answer));
  const spenders = new Map<string, bigint>();
  for (const [spender, value] of Object.entries(map)) {
    const allowance = wholeOf(value);
    if (allowance === null) return err(`an unreadable allowance of ${spender.slice(0, 42)}`);
    spenders.set(spender.toLowerCase(), allowance);
  }
  return ok({ balance, spenders });
}

function wholeOf(value: unknown): bigint | null {
  const text = textOf(value);
  return text !== null && /^\d{1,78}$/.test(text) ? BigInt(text) : null;
}

async function readMarket(
  { gamma, clob }: ProbeParts,
  name: MarketName,
): Promise<Result<MarketFacts, string>> {
  const found = await gammaMarket(gamma, name);
  if (!found.ok) return found;
  const fields = found.value;
  const conditionId = conditionIdOf(fields["conditionId"]);
  if (conditionId === null) return err("gamma names no condition id");
  const record = await clob.read({ path: `/clob-markets/${conditionId}` });
  const info = record.status === 200 ? fieldsOf(jsonOf(record.body)) : null;
  if (info === null) return err(`the CLOB does not know it: ${errorText(record)}`);
  const fee = fieldsOf(info["fd"]);
  const event = fieldsOf(arrayOf(fields["events"])?.[0]);
  const negRisk = info["nr"];
  return ok({
    market: parseGammaMarket(fields),
    closed: fields["closed"] === true,
    negRisk: fields["negRisk"] === true,
    augmented: event?.["negRiskAugmented"] === true,
    ruleHash: ruleHash(fields),
    clob: {
      tick: textOf(info["mts"]) ?? "unreadable",
      minSize: textOf(info["mos"]) ?? "unreadable",
      negRisk: typeof negRisk === "boolean" ? negRisk : null,
      feeRate: fee === null ? null : (textOf(fee["r"]) ?? "unreadable"),
      feeExponent: fee === null ? null : (textOf(fee["e"]) ?? "unreadable"),
      acceptingOrders: info["ao"] === true,
    },
  });
}

async function gammaMarket(gamma: HttpClient, name: MarketName): Promise<Result<Fields, string>> {
  if ("slug" in name) {
    const answer = await get(gamma, `/markets/slug/${encodeURIComponent(name.slug)}`, "");
    const fields = answer.status === 200 ? fieldsOf(jsonOf(answer.body)) : null;
    return fields === null ? err(`gamma does not know it: ${errorText(answer)}`) : ok(fields);
  }
  const wanted = conditionIdOf(name.conditionId);
  const answer = await get(gamma, "/markets", `condition_ids=${name.conditionId}`);
  for (const item of arrayOf(jsonOf(answer.body)) ?? []) {
    const fields = fieldsOf(item);
    if (fields !== null && conditionIdOf(fields["conditionId"]) === wanted) return ok(fields);
  }
  return err(`gamma does not know it: ${errorText(answer)}`);
}

type Rpc = NonNullable<ProbeParts["rpc"]>;

async function call(
  { http, path }: Rpc,
  method: string,
  params: readonly string[],
): Promise<Result<string, string>> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await http.request({ method: "POST", path, body, maxBytes: answerBytesMax });
  const result = freeText(fieldsOf(jsonOf(answer.body))?.["result"]);
  return answer.status === 200 && /^0x[0-9a-f]*$/i.test(result)
    ? ok(result)
    : err(`${method}: ${errorText(answer)}`);
}

function numberOf(text: Result<string, string>): Result<number, string> {
  return text.ok ? ok(Number(text.value)) : text;
}
