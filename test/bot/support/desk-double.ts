import type { ConfirmOutcome, EngineApi, UnkeptKill } from "../../../src/engine/api/engine-api.ts";
import type { Notice, NoticeBody } from "../../../src/engine/api/notices.ts";
import type { DueMessage, OutMessage, StoredButton } from "../../../src/engine/api/outbox.ts";
import type {
  Actor,
  CodeStep,
  MarketRef,
  PendingCommand,
  ReceivedCommand,
  TradeRequest,
  Verdict,
} from "../../../src/engine/api/requests.ts";
import type {
  DeskView,
  ExternalOrderView,
  HoldingView,
  MarketSummary,
  OrderView,
} from "../../../src/engine/api/views.ts";
import type { Price } from "../../../src/engine/domain/numbers.ts";
import { err, ok } from "../../../src/engine/lib/result.ts";
import type { Answered, CardRow, OutRow } from "./double-rows.ts";
import {
  deskView,
  marketView,
  namedMarkets,
  orderView,
  sampleMarkets,
  sampleSets,
  setCard,
  tradeCard,
  usdOf,
} from "./sample-views.ts";

/** The interface of the engine, in memory, with the engine's rules about inbox, outbox, cards and kills. */
export class DeskDouble implements EngineApi {
  readonly now: () => number;
  readonly received = new Map<string, ReceivedCommand>();
  readonly answered = new Map<string, Answered>();
  readonly outbox: OutRow[] = [];
  readonly buttons = new Map<string, StoredButton>();
  readonly cards = new Map<string, CardRow>();
  readonly outcomes = new Map<string, ConfirmOutcome>();
  readonly notices: Notice[] = [];
  /** What reached the engine, in order. */
  readonly calls: string[] = [];
  placed: OrderView[] = [];
  held: HoldingView[] = [];
  external: ExternalOrderView[] = [];
  readonly replacing = new Map<string, { readonly order: OrderView; readonly limit: Price }>();
  markets: readonly MarketSummary[] = sampleMarkets;
  didYouMean: string | null = null;
  viewFields: Partial<DeskView> = {};
  killedBy: number | null = null;
  isKilled = false;
  /** What a kill says about its cancels when the ledger did not take it. */
  unkeptKill: UnkeptKill | null = null;
  cardTtlMs = 45_000;
  bookLive = true;
  /** The next confirm finds that the price has moved. */
  priceMoved = false;
  /** Something to wait for inside quoteTrade, to play a slow or broken engine. */
  onQuote: () => Promise<void> = async () => {};
  onReceive: () => Promise<"ok" | "ledger_failed"> = async () => "ok";
  onAnswer: () => Promise<void> = async () => {};
  private readonly listeners = new Set<() => void>();
  private cursor = 0;
  private serial = 0;
  private resumeNonce = "";
  private resumeReadyAtMs = 0;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  private nonce(): string {
    this.serial += 1;
    return `n0nce${String(this.serial).padStart(27, "0")}`;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  private put(messages: readonly OutMessage[]): void {
    for (const one of messages) {
      if (this.outbox.some((row) => row.key === one.key)) continue;
      this.serial += 1;
      const messageId = `m${this.serial}`;
      const more = { attempts: 0, retryAtMs: 0, state: "due", telegramMessageId: null } as const;
      this.outbox.push({ ...one, messageId, ...more });
      for (const button of one.keyboard.flat()) {
        const { verb, action } = button;
        this.buttons.set(button.nonce, { chatId: one.chatId, verb, action });
      }
    }
  }

  acceptRules = async () => ok(null);
  quoteAction = async () => ({ ok: false, error: { code: "contracts_off" } }) as const;
  confirmAction = async () => ({ kind: "refused", denial: { code: "contracts_off" } }) as const;
  actions = () => [];
  claims = () => [];

  async receive(command: ReceivedCommand) {
    if ((await this.onReceive()) === "ledger_failed") return "ledger_failed" as const;
    if (this.received.has(command.commandId)) return "duplicate" as const;
    this.received.set(command.commandId, command);
    return "new" as const;
  }

  pendingCommands(): readonly PendingCommand[] {
    return [...this.received.values()]
      .filter((one) => !this.answered.has(one.commandId))
      .map((one) => ({ ...one, receivedAtMs: one.sentAtMs }));
  }

  async answer(id: string, verdict: Verdict, reason: string, messages: readonly OutMessage[]) {
    await this.onAnswer();
    if (this.answered.has(id)) return;
    this.answered.set(id, { verdict, reason, count: messages.length });
    this.put(messages);
    this.changed();
  }

  dueMessages(nowMs: number): readonly DueMessage[] {
    return this.outbox.filter((row) => row.state === "due" && row.retryAtMs <= nowMs);
  }

  private row(messageId: string): OutRow {
    const row = this.outbox.find((one) => one.messageId === messageId);
    if (row === undefined) throw new RangeError(`no message ${messageId}`);
    return row;
  }

  async markSent(messageId: string, telegramMessageId: number | null) {
    const row = this.row(messageId);
    row.state = "sent";
    row.telegramMessageId = telegramMessageId;
    this.changed();
  }

  async markFailed(messageId: string, _reason: string, retryAtMs: number | null) {
    const row = this.row(messageId);
    row.attempts += 1;
    if (retryAtMs === null) row.state = "dead";
    else row.retryAtMs = retryAtMs;
    this.changed();
  }

  async enqueue(messages: readonly OutMessage[]) {
    this.put(messages);
    this.changed();
  }

  onChange(listener: () => void) {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  button(nonce: string) {
    return this.buttons.get(nonce) ?? null;
  }

  telegramMessageId(key: string) {
    return this.outbox.find((row) => row.key === key)?.telegramMessageId ?? null;
  }

  /** Something happened that is to be told. */
  happen(body: NoticeBody, chatId: number | null = null): void {
    this.notices.push({ noticeId: this.notices.length + 1, atMs: this.now(), chatId, body });
    this.changed();
  }

  noticesAfter(noticeId: number) {
    return this.notices.filter((notice) => notice.noticeId > noticeId);
  }

  noticeCursor() {
    return this.cursor;
  }

  async noticesTold(upTo: number, messages: readonly OutMessage[]) {
    this.cursor = upTo;
    this.put(messages);
    this.changed();
  }

  view() {
    const trading = this.isKilled
      ? {
          state: "killed" as const,
          reason: "killed" as const,
          causes: [],
          sinceMs: this.now(),
          byUserId: this.killedBy,
          note: "",
        }
      : {
          state: "active" as const,
          reason: null,
          causes: [],
          sinceMs: 0,
          byUserId: null,
          note: "",
        };
    return deskView({ trading, openOrders: this.placed.length, ...this.viewFields });
  }

  orders() {
    return this.placed;
  }

  order(clientOid: string) {
    return this.placed.find((order) => order.clientOid === clientOid) ?? null;
  }

  holdings() {
    return this.held;
  }

  async findMarkets(ref: MarketRef, limit: number) {
    return ok(namedMarkets(this.markets, ref).slice(0, limit));
  }

  async searchMarkets(words: string, limit: number) {
    const markets = namedMarkets(this.markets, { by: "words", value: words }).slice(0, limit);
    return ok({ markets, didYouMean: this.didYouMean, from: "directory" as const });
  }

  async market(id: string) {
    const found = this.markets.find((market) => market.conditionId === id);
    if (found === undefined) return err({ code: "market_unknown" as const });
    const view = marketView(
      found,
      this.held.filter((one) => one.conditionId === id),
    );
    return ok(this.bookLive ? view : { ...view, ageMs: null });
  }

  async quoteTrade(actor: Actor, commandId: string, request: TradeRequest) {
    this.calls.push(`quote ${commandId}`);
    await this.onQuote();
    if (this.isKilled) return err({ code: "killed" as const });
    const card = tradeCard(request, this.nonce(), this.now());
    const expiresAtMs = this.now() + this.cardTtlMs;
    const row = { actor, expiresAtMs, request, setId: null, used: false, dead: false };
    this.cards.set(card.nonce, row);
    return ok({ ...card, expiresAtMs });
  }

  async confirm(actor: Actor, commandId: string, nonce: string): Promise<ConfirmOutcome> {
    this.calls.push(`confirm ${commandId}`);
    const before = this.outcomes.get(commandId);
    if (before !== undefined) return before;
    const outcome = this.decide(actor, nonce);
    this.outcomes.set(commandId, outcome);
    return outcome;
  }

  private decide(actor: Actor, nonce: string): ConfirmOutcome {
    const card = this.cards.get(nonce);
    const refuse = (
      code: "card_unknown" | "card_used" | "card_expired" | "card_not_yours" | "killed",
    ) => ({ kind: "refused", denial: { code } }) as const;
    if (card === undefined) return refuse("card_unknown");
    if (card.actor.userId !== actor.userId) return refuse("card_not_yours");
    if (card.used) return refuse("card_used");
    if (card.dead || this.now() >= card.expiresAtMs) return refuse("card_expired");
    if (this.isKilled) return refuse("killed");
    card.used = true;
    if (this.priceMoved && card.request !== null) {
      const moved = tradeCard(card.request, this.nonce(), this.now());
      const row = { ...card, used: false, expiresAtMs: moved.expiresAtMs };
      this.cards.set(moved.nonce, row);
      return { kind: "requoted", why: "price_moved", card: moved };
    }
    const replaced = this.replacing.get(nonce);
    if (replaced !== undefined) return { kind: "replacing", ...replaced };
    const planId = `plan${this.placed.length + 1}`;
    const order = orderView({ clientOid: `oid-${planId}`, planId, createdAtMs: this.now() });
    this.placed.push(order);
    this.calls.push(`placed ${planId}`);
    return { kind: "accepted", planId, orders: [order] };
  }

  /** The venue filled an order whole. */
  fill(order: OrderView, chatId: number): void {
    const filled = {
      ...order,
      status: "filled" as const,
      filled: order.size,
      filledUsd: usdOf(25),
      feesUsd: usdOf(0.57035),
    };
    this.placed = this.placed.filter((one) => one.clientOid !== order.clientOid);
    this.happen({ kind: "order.outcome", order: filled, result: "filled" }, chatId);
  }

  async discardCard(_actor: Actor, nonce: string) {
    this.calls.push(`discard ${nonce}`);
    const card = this.cards.get(nonce);
    if (card !== undefined) card.dead = true;
  }

  async quoteReplace(actor: Actor, commandId: string, clientOid: string, limit: Price) {
    this.calls.push(`quote-replace ${clientOid} ${limit}`);
    const order = this.placed.find((one) => one.clientOid === clientOid);
    if (order === undefined) return err({ code: "order_unknown" as const });
    const { conditionId, outcome, side, timeInForce, size, shortId } = order;
    const quoted = await this.quoteTrade(actor, commandId, {
      conditionId,
      outcome,
      side,
      limit,
      timeInForce,
      amount: { unit: "shares", value: size },
      goodForMs: null,
      slippagePpm: null,
    });
    if (!quoted.ok) return quoted;
    this.replacing.set(quoted.value.nonce, { order, limit });
    return ok({ ...quoted.value, replaces: { clientOid, shortId, limit: order.limit } });
  }

  externalOrders() {
    return this.external;
  }

  async cancelExternal(_actor: Actor, _commandId: string, orderHash: string) {
    this.calls.push(`cancel-external ${orderHash}`);
    return ok(null);
  }

  async cancelOrders(_actor: Actor, _commandId: string, which: readonly string[] | "all") {
    const asked = this.placed.filter((one) => which === "all" || which.includes(one.clientOid));
    this.calls.push(`cancel ${asked.map((one) => one.clientOid).join(",")}`);
    return ok({ asked });
  }

  async scanSets() {
    return { scannedSets: 4, scannedMarkets: 12, atMs: this.now(), sets: sampleSets };
  }

  async quoteSet(actor: Actor, _commandId: string, setId: string) {
    const card = setCard(setId, this.nonce(), this.now());
    const row = {
      actor,
      expiresAtMs: card.expiresAtMs,
      request: null,
      setId,
      used: false,
      dead: false,
    };
    this.cards.set(card.nonce, row);
    return ok(card);
  }

  async degrade(source: string, detail: string | null) {
    this.calls.push(`degrade ${source} ${detail ?? "-"}`);
  }

  closeGate() {
    this.calls.push("gate closed");
  }

  async kill(actor: Actor | null, commandId: string | null, note: string) {
    this.calls.push(`kill ${commandId ?? "-"} ${note}`.trim());
    this.isKilled = true;
    this.killedBy = actor?.userId ?? null;
    this.happen({ kind: "killed", trading: this.view().trading, openOrders: this.placed.length });
    const { unkeptKill: unkept } = this;
    return { openOrders: this.placed.length, ...(unkept === null ? {} : { unkept }) };
  }

  async askResume() {
    if (!this.isKilled) return err({ code: "not_killed" as const });
    this.resumeNonce = this.nonce();
    this.resumeReadyAtMs = this.now() + 5_000;
    const { resumeNonce: nonce, resumeReadyAtMs: readyAtMs } = this;
    return ok({ nonce, readyAtMs, expiresAtMs: readyAtMs + 60_000 });
  }

  async confirmResume(actor: Actor, _commandId: string, nonce: string) {
    if (nonce !== this.resumeNonce) return err({ code: "card_unknown" as const });
    if (this.now() < this.resumeReadyAtMs) return err({ code: "resume_too_soon" as const });
    this.isKilled = false;
    this.happen({ kind: "resumed", byUserId: actor.userId });
    return ok(null);
  }

  async resumeWithCode(actor: Actor, commandId: string, code: CodeStep) {
    this.calls.push(`resume-with-code ${code}`);
    if (code === "wrong") return err({ code: "resume_code_wrong" as const, limit: 4 });
    return this.confirmResume(actor, commandId, this.resumeNonce);
  }
}
