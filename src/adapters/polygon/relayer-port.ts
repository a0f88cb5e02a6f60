import { SigningKey } from "ethers/crypto";
import { computeAddress } from "ethers/transaction";
import type { Shares, Usd } from "../../engine/domain/numbers.ts";
import type { ActionCall, PreparedCall } from "../../engine/domain/position-action.ts";
import type { Denial } from "../../engine/domain/reasons.ts";
import { AdapterError } from "../../engine/lib/errors.ts";
import { err, ok, type Result } from "../../engine/lib/result.ts";
import type { ContractPort } from "../../engine/ports/contracts.ts";
import type { CallReport, SubmitOutcome } from "../../engine/protocol/contract-report.ts";
import type { AddressBook } from "./address-book.ts";
import { describe } from "./chain-port.ts";
import { type EncodedCall, encodeCall } from "./encode-call.ts";
import { ClosedGateError, type JsonAnswer, JsonHttp } from "./json-http.ts";
import { relayRequest, relayTag, type WalletKind } from "./relayer-request.ts";

export type RelayerPortOptions = {
  readonly relayerUrl: string;
  readonly chainId: number;
  /** 0x and 64 hex digits: the wallet's owner. */
  readonly privateKey: string;
  readonly kind: WalletKind;
  readonly wallet: string;
  /** Made on the site for the owner's own address. */
  readonly apiKey: string;
  readonly addresses: AddressBook;
  readonly gasLimit: number;
  readonly timeoutMs: number;
  readonly nowMs: () => number;
  /** Fee and question count of a neg-risk market; null when nobody can be asked. */
  readonly readMarket:
    | ((
        marketId: string,
      ) => Promise<Result<{ readonly feeBips: number; readonly questions: number | null }, string>>)
    | null;
  readonly shares: (tokenId: string, version: "v1" | "v2") => Promise<Result<Shares, string>>;
  readonly refreshBalances: (tokenIds: readonly string[]) => Promise<void>;
};

/** How long a deposit wallet's signature is good; the venue's clients sign for as long. */
const deadlineMs = 600_000;
/** A block may carry the deadline's own second; after this it certainly does not. */
const deadlineMarginMs = 60_000;

type RelayRow = {
  readonly id: string;
  readonly state: string;
  readonly hash: string;
  readonly nonce: string;
  readonly metadata: string;
  readonly error: string;
};

/** Contract calls of proxy, Safe and deposit wallets: signed by the owner, sent and paid by the venue's relayer. */
export class RelayerPort implements ContractPort {
  readonly route = "relayer";
  readonly owner: string;
  readonly #options: RelayerPortOptions;
  readonly #key: SigningKey;
  readonly #http: JsonHttp;

  constructor(options: RelayerPortOptions) {
    this.#options = options;
    this.#key = new SigningKey(options.privateKey);
    this.owner = computeAddress(this.#key.publicKey);
    this.#http = new JsonHttp(options.relayerUrl, options.timeoutMs);
  }

  async estimate(): Promise<Result<{ readonly gasMaxUsd: Usd }, string>> {
    return ok({ gasMaxUsd: 0 as Usd });
  }

  async convertFeeBips(marketId: string): Promise<Result<number, string>> {
    const { readMarket } = this.#options;
    if (readMarket === null)
      return err("set [relayer] rpc_url: the event's fee is read on the chain");
    const facts = await readMarket(marketId);
    return facts.ok ? ok(facts.value.feeBips) : facts;
  }

  async prepare(call: ActionCall): Promise<Result<PreparedCall, string>> {
    try {
      if (call.kind === "convert") {
        const fault = await this.#checkMarket(call);
        if (fault !== null) return err(fault);
      }
      const { addresses, wallet } = this.#options;
      return ok(await this.prepareEncoded(encodeCall(addresses, wallet, call)));
    } catch (error) {
      return err(describe(error));
    }
  }

  /** Signs any call of the known contracts, approvals included. @throws AdapterError */
  async prepareEncoded(call: EncodedCall): Promise<PreparedCall> {
    const { kind, chainId, wallet, addresses, gasLimit, nowMs } = this.#options;
    const { nonce, relay } = await this.#params();
    const deadlineS = Math.floor((nowMs() + deadlineMs) / 1000);
    const request = relayRequest(
      {
        kind,
        chainId,
        owner: this.owner,
        wallet,
        nonce,
        relay,
        call,
        addresses,
        deadlineS,
        gasLimit,
      },
      this.#key,
    );
    return {
      route: "relayer",
      body: request.body,
      callHash: request.signedHash,
      nonce,
      gasMaxUsd: 0 as Usd,
      expiresAtMs: kind === "WALLET" ? deadlineS * 1000 : null,
    };
  }

  async #checkMarket(
    call: Extract<ActionCall, { readonly kind: "convert" }>,
  ): Promise<string | null> {
    const facts = await this.#options.readMarket?.(call.marketId);
    if (facts === undefined) return "the event's fee cannot be read";
    if (!facts.ok) return facts.error;
    if (facts.value.feeBips !== call.feeBips) return "the fee of this event has changed";
    const { questions } = facts.value;
    if (questions === null || questions === call.questionCount) return null;
    return `this event has ${questions} outcomes, the catalog names ${call.questionCount}`;
  }

  #headers(): Record<string, string> {
    return { RELAYER_API_KEY: this.#options.apiKey, RELAYER_API_KEY_ADDRESS: this.owner };
  }

  /** @throws AdapterError */
  async #get(path: string): Promise<unknown> {
    const answer = await this.#http.request({ method: "GET", path, headers: this.#headers() });
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw unexpected(path, answer);
    return parsed(answer.body);
  }

  async #params(): Promise<{ readonly nonce: string; readonly relay: string }> {
    const query = `address=${this.owner}&type=${this.#options.kind}`;
    const answer = await this.#get(`/v1/account/transactions/params?${query}`);
    const nonce = textOf(answer, "nonce");
    if (!/^\d{1,78}$/.test(nonce)) throw garbled("params");
    return { nonce, relay: textOf(answer, "address") };
  }

  async submit(prepared: PreparedCall, gate: () => Denial | null): Promise<SubmitOutcome> {
    try {
      const answer = await this.#http.request({
        method: "POST",
        path: "/submit",
        headers: this.#headers(),
        body: prepared.body,
        gate,
      });
      return submitOutcome(answer);
    } catch (error) {
      if (error instanceof ClosedGateError) return { kind: "blocked", denial: error.denial };
      const notSent = error instanceof AdapterError && error.outcome === "not_sent";
      return { kind: notSent ? "not_sent" : "unknown", detail: describe(error) };
    }
  }

  async query(prepared: PreparedCall, reference: string | null): Promise<CallReport> {
    try {
      const row = reference === null ? await this.#find(prepared) : await this.#row(reference);
      return row === null ? await this.#missing(prepared) : reportOf(row);
    } catch (error) {
      return { kind: "failed", detail: describe(error) };
    }
  }

  async #row(id: string): Promise<RelayRow | null> {
    const answer = await this.#get(`/v1/account/transactions/${encodeURIComponent(id)}`);
    return answer === null ? null : rowOf(Array.isArray(answer) ? answer[0] : answer);
  }

  /** A request whose answer was lost is known to the relayer by its tag. */
  async #find(prepared: PreparedCall): Promise<RelayRow | null> {
    const answer = await this.#get("/transactions");
    if (!Array.isArray(answer)) throw garbled("transactions");
    const tag = relayTag(prepared.callHash);
    return answer.map(rowOf).find((row) => row?.metadata === tag) ?? null;
  }

  /** Nobody has it. Whether it can still take effect is for its nonce and its deadline to say. */
  async #missing(prepared: PreparedCall): Promise<CallReport> {
    const { nonce } = await this.#params();
    if (BigInt(nonce) > BigInt(prepared.nonce)) {
      const detail = `nonce ${prepared.nonce} is used and the relayer does not list this request`;
      // Ours may be what used it: only the relayer's own word about another request proves the contrary.
      return { kind: "failed", detail };
    }
    const { expiresAtMs } = prepared;
    const over = expiresAtMs !== null && this.#options.nowMs() > expiresAtMs + deadlineMarginMs;
    return over ? { kind: "void", detail: "its deadline has passed" } : { kind: "absent" };
  }

  shares(tokenId: string, version: "v1" | "v2"): Promise<Result<Shares, string>> {
    return this.#options.shares(tokenId, version);
  }

  async refreshBalances(tokenIds: readonly string[]): Promise<void> {
    await this.#options.refreshBalances(tokenIds);
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

/** What the relayer says while the wallet has another action under way: nothing was taken. */
const busy = /wallet busy|in-flight action/i;
/** The nonce is behind the chain's: ours may be what moved it. */
const staleNonce = /nonce\s+\d+\s+does not match/i;

function submitOutcome(answer: JsonAnswer): SubmitOutcome {
  const body = parsed(answer.body);
  if (answer.status === 200 || answer.status === 201) {
    const reference = textOf(body, "transactionID") || textOf(body, "transactionId");
    if (reference !== "") return { kind: "accepted", reference };
    return { kind: "unknown", detail: "the relayer's answer names no transaction" };
  }
  const text = (textOf(body, "error") || textOf(body, "message")).slice(0, 200);
  const detail = `HTTP ${answer.status} ${text}`.trim();
  if (answer.status === 429 || busy.test(text)) return { kind: "not_sent", detail };
  const documented = answer.status === 400 || answer.status === 401 || answer.status === 403;
  return documented && !staleNonce.test(text)
    ? { kind: "rejected", detail }
    : { kind: "unknown", detail };
}

function reportOf(row: RelayRow): CallReport {
  const reference = row.id;
  switch (row.state) {
    case "STATE_CONFIRMED":
      return { kind: "confirmed", reference, gasUsd: 0 as Usd };
    case "STATE_FAILED": {
      const detail = row.error || "the relayer reports it as failed";
      if (row.hash === "") return { kind: "refused", detail };
      return { kind: "reverted", reference, gasUsd: 0 as Usd, detail };
    }
    case "STATE_INVALID":
      return { kind: "refused", detail: row.error || "the relayer reports it as invalid" };
    default:
      // NEW, EXECUTED, MINED, and every word that is not known yet.
      return { kind: "pending", reference };
  }
}

function rowOf(value: unknown): RelayRow | null {
  const id = textOf(value, "transactionID") || textOf(value, "transactionId");
  if (id === "") return null;
  return {
    id,
    state: textOf(value, "state"),
    hash: textOf(value, "transactionHash"),
    nonce: textOf(value, "nonce"),
    metadata: textOf(value, "metadata"),
    error: textOf(value, "errorMsg").slice(0, 200),
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "object" || value === null) return "";
  const field = (value as Record<string, unknown>)[name];
  return typeof field === "string" || typeof field === "number" ? String(field) : "";
}

function unexpected(path: string, answer: JsonAnswer): AdapterError {
  const where = path.split("?")[0] ?? "";
  return new AdapterError("RELAYER_ANSWER", `${where}: HTTP ${answer.status}`, {
    outcome: "unknown",
    retryable: answer.status >= 500,
  });
}

function garbled(what: string): AdapterError {
  return new AdapterError("RELAYER_GARBLED", `the relayer's ${what} are not understood`, {
    outcome: "unknown",
    retryable: false,
  });
}
