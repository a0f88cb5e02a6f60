import type { DataReport } from "../api/data-report.ts";
import type { ConfirmOutcome, EngineApi, UnkeptKill } from "../api/engine-api.ts";
import type { MarketSummary, OrderView } from "../api/views.ts";
import { actionViews, claimViews } from "../core/action-view.ts";
import { deskView, holdings, marketSummary, marketView } from "../core/desk-view.ts";
import { externalOrderView } from "../core/external.ts";
import type { Reply, Request } from "../core/input.ts";
import { dataView, marketHealth } from "../core/market-health.ts";
import { orderView } from "../core/order-view.ts";
import { scanSets } from "../core/quote-set.ts";
import { findSet } from "../core/set-legs.ts";
import type { ConditionId, Market } from "../domain/market.ts";
import { isOpen, type Order, type PreparedOrder } from "../domain/order.ts";
import type { Denial } from "../domain/reasons.ts";
import { assert } from "../lib/assert.ts";
import { err, ok, type Result } from "../lib/result.ts";
import { Desk } from "./desk.ts";
import { confirmAction, quoteAction } from "./position-actions.ts";

type ReplyTo<K extends Reply["to"]> = Extract<Reply, { readonly to: K }>;

/** What the driving side may be told: the promise of an answer is kept only once its facts are on the disk. */
export class Engine extends Desk implements EngineApi {
  #answered<K extends Reply["to"]>(
    to: K,
    request: Request,
    correlationId: string,
  ): { readonly reply: ReplyTo<K>; readonly durable: Promise<void> } {
    const { reply, durable } = this.stepper.run({ kind: "request", request }, correlationId);
    assert(reply.to === to, "a request gets its own kind of reply");
    return { reply: reply as ReplyTo<K>, durable };
  }

  async #quietly(request: Request, correlationId: string): Promise<void> {
    await this.stepper.run({ kind: "request", request }, correlationId).durable;
  }

  readonly receive: EngineApi["receive"] = async (command) => {
    this.deps.faultPoints.hit("K0");
    const { reply, durable } = this.#answered(
      "receive",
      { do: "receive", command },
      command.commandId,
    );
    try {
      await durable;
    } catch {
      return "ledger_failed";
    }
    this.deps.faultPoints.hit("K1");
    return reply.value;
  };

  readonly pendingCommands: EngineApi["pendingCommands"] = () => [...this.state.commands.values()];

  readonly answer: EngineApi["answer"] = (commandId, verdict, reason, messages) =>
    this.#quietly({ do: "answer", commandId, verdict, reason, messages }, commandId);

  readonly enqueue: EngineApi["enqueue"] = (messages) =>
    this.#quietly({ do: "enqueue", messages }, "outbox");

  readonly dueMessages: EngineApi["dueMessages"] = (nowMs) => {
    const due = [...this.state.outbox.values()].filter(
      (message) => message.notBeforeMs <= nowMs && message.seq <= this.ledger.durableSeq,
    );
    const rank = { answer: 0, fill: 1, confirmation: 2, alert: 3, live: 4 } as const;
    return due.sort((a, b) => rank[a.priority] - rank[b.priority] || a.seq - b.seq);
  };

  readonly markSent: EngineApi["markSent"] = async (key, telegramMessageId) => {
    const message = this.state.outbox.get(key);
    const isCard = message?.keyboard.some((row) => row.some(({ verb }) => confirmVerbs.has(verb)));
    if (isCard === true) this.deps.faultPoints.hit("K3");
    await this.#quietly({ do: "sent", key, telegramMessageId }, "outbox");
  };

  readonly markFailed: EngineApi["markFailed"] = (key, reason, retryAtMs) =>
    this.#quietly({ do: "failed", key, reason, retryAtMs }, "outbox");

  readonly button: EngineApi["button"] = (nonce) => this.state.buttons.get(nonce) ?? null;

  readonly telegramMessageId: EngineApi["telegramMessageId"] = (key) =>
    this.state.sent.get(key) ?? null;

  readonly noticesAfter: EngineApi["noticesAfter"] = (noticeId) =>
    [...this.state.notices.values()].filter((notice) => notice.noticeId > noticeId);

  readonly noticeCursor: EngineApi["noticeCursor"] = () => this.state.toldUpTo;

  readonly noticesTold: EngineApi["noticesTold"] = (upTo, messages) =>
    this.#quietly({ do: "told", upTo, messages }, "notices");

  readonly view: EngineApi["view"] = () =>
    deskView(this.state, this.deps.settings, this.deps.clock.nowMs(), {
      catalogAtMs: this.catalogAtMs,
      warnings: this.warnings(),
      framesInvalid: this.deps.marketData.counters().framesInvalid,
    });

  /** How the market data and the order path fare in this run. */
  readonly dataReport = (): DataReport => {
    const { clock, marketData } = this.deps;
    const nowMs = clock.nowMs();
    return {
      atMs: nowMs,
      data: dataView(this.state, nowMs, marketData.counters().framesInvalid),
      markets: marketHealth(this.state, nowMs),
      resyncs: Object.fromEntries(this.state.live.resyncs),
      feed: marketData.health?.() ?? null,
      stages: this.stages.views(),
      wakeUps: this.stepper.wakeUps.counts,
    };
  };

  readonly orders: EngineApi["orders"] = () => this.#viewsOf([...this.state.orders.values()]);

  readonly order: EngineApi["order"] = (clientOid) => {
    const order = this.state.orders.get(clientOid);
    return order === undefined ? null : orderView(this.state, order);
  };

  readonly externalOrders: EngineApi["externalOrders"] = () =>
    [...this.state.externalOrders.values()]
      .sort((a, b) => b.firstSeenAtMs - a.firstSeenAtMs)
      .map((order) => externalOrderView(this.state, order));

  /** Open orders first, then the newest. */
  #viewsOf(orders: readonly Order[]): OrderView[] {
    return [...orders]
      .sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.createdAtMs - a.createdAtMs)
      .map((order) => orderView(this.state, order));
  }

  readonly holdings: EngineApi["holdings"] = () => holdings(this.state);

  readonly findMarkets: EngineApi["findMarkets"] = async (ref, limit) => {
    const found = await this.find(ref, limit);
    return found.ok ? ok(await this.#summaries(found.value, listWaitMs)) : found;
  };

  readonly searchMarkets: EngineApi["searchMarkets"] = async (words, limit, alsoAtVenue) => {
    const found = await this.catalog.search(words, limit, alsoAtVenue);
    if (!found.ok) return found;
    return ok({
      ...found.value,
      markets: await this.#summaries(found.value.markets, searchWaitMs),
    });
  };

  /** With prices of live books where they come in time, else with the catalog's. */
  async #summaries(markets: readonly Market[], waitMs: number): Promise<MarketSummary[]> {
    const near = markets.filter((market) => market.tradable).slice(0, watchedOfList);
    this.catalog.look(near);
    this.books.watch(near);
    // A list with prices is worth a moment; a book that does not come in it is shown without.
    await this.books.waitSome(
      near.map((market) => market.conditionId),
      waitMs,
    );
    const nowMs = this.deps.clock.nowMs();
    return markets.map((market) => {
      const summary = marketSummary(this.state, market, nowMs);
      if (summary.bestBid !== null || summary.bestAsk !== null) return summary;
      const { bid, ask } = this.catalog.quoteOf(market.conditionId);
      if (bid === null && ask === null) return summary;
      return { ...summary, bestBid: bid, bestAsk: ask, cached: true };
    });
  }

  readonly market: EngineApi["market"] = async (conditionId) => {
    const market = await this.#ready(conditionId);
    if (!market.ok) return market;
    return ok(marketView(this.state, market.value, this.deps.clock.nowMs()));
  };

  /** The market with a book that is live and young, as far as that can be had in time. */
  async #ready(conditionId: ConditionId): Promise<Result<Market, Denial>> {
    let market = this.state.markets.get(conditionId);
    if (market === undefined) {
      const found = await this.find({ by: "conditionId", value: conditionId }, 1);
      if (!found.ok) return found;
      market = this.state.markets.get(conditionId);
    }
    if (market === undefined) return err({ code: "market_unknown" });
    this.catalog.look([market]);
    this.books.watch([market]);
    await this.books.freshen(conditionId, this.deps.bookRefreshAgeMs);
    return ok(this.state.markets.get(conditionId) ?? market);
  }

  readonly quoteTrade: EngineApi["quoteTrade"] = async (actor, commandId, request) => {
    await this.untilReady();
    const market = await this.#ready(request.conditionId);
    if (!market.ok) return market;
    const { reply, durable } = this.#answered(
      "quote",
      { do: "quote", actor, commandId, request },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    this.deps.faultPoints.hit("K2");
    return reply.value;
  };

  readonly quoteReplace: EngineApi["quoteReplace"] = async (actor, commandId, clientOid, limit) => {
    await this.untilReady();
    const order = this.state.orders.get(clientOid);
    if (order !== undefined) await this.#ready(order.draft.conditionId);
    const { reply, durable } = this.#answered(
      "quote-replace",
      { do: "quote-replace", actor, commandId, clientOid, limit },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    return reply.value;
  };

  readonly confirm: EngineApi["confirm"] = async (actor, commandId, nonce) => {
    await this.untilReady();
    const card = this.state.cards.get(nonce);
    // An old book is read again before it is judged; this is the only wait between the press and the orders.
    if (card?.state === "open") {
      const markets = new Set(card.drafts.map((draft) => draft.conditionId));
      const old = [...markets].filter((id) => !this.books.isYoung(id, this.deps.bookRefreshAgeMs));
      // The gate looks at the lease's file, which takes longer than all the books: only when something is to be read.
      if (old.length > 0 && this.gateDenial() === null) {
        await Promise.all(old.map((id) => this.#ready(id)));
      }
    }
    if (this.gateClosed)
      return { kind: "refused", denial: this.gateDenial() ?? { code: "killed" } };
    this.deps.faultPoints.hit("K4");
    const signed = this.#signedDrafts(nonce);
    this.deps.faultPoints.hit("K5");
    const { reply, durable } = this.#answered(
      "confirm",
      { do: "confirm", actor, commandId, nonce, signed },
      commandId,
    );
    return (await this.kept(durable)) ? reply.value : refusedByLedger;
  };

  /** Signed before it is checked: nothing lies between the check and the commit, and what is refused is forgotten. */
  #signedDrafts(nonce: string): PreparedOrder[] {
    const card = this.state.cards.get(nonce);
    // The new order of a price change is signed when the old one is gone.
    if (card?.state !== "open" || card.kind === "replace" || !this.state.ready) return [];
    const { entropy, clock, venue } = this.deps;
    return card.drafts.map((draft) =>
      venue.prepare(draft, { salt: entropy.salt(), timestampMs: clock.nowMs() }),
    );
  }

  readonly discardCard: EngineApi["discardCard"] = (actor, nonce) =>
    this.#quietly({ do: "discard", actor, nonce }, "card");

  readonly cancelOrders: EngineApi["cancelOrders"] = async (actor, commandId, clientOids) => {
    const { reply, durable } = this.#answered(
      "cancel",
      { do: "cancel", actor, clientOids },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    return reply.value;
  };

  readonly cancelExternal: EngineApi["cancelExternal"] = async (actor, commandId, orderHash) => {
    const { reply, durable } = this.#answered(
      "cancel-external",
      { do: "cancel-external", actor, orderHash },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    return reply.value;
  };

  readonly acceptRules: EngineApi["acceptRules"] = async (actor, commandId, market, ruleHash) => {
    const request = { do: "accept-rules", actor, conditionId: market, ruleHash } as const;
    const { reply, durable } = this.#answered("accept-rules", request, commandId);
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    return reply.value;
  };

  readonly scanSets: EngineApi["scanSets"] = async () => {
    await this.loadOpenMarkets();
    return scanSets(this.state, this.deps.settings, this.deps.clock.nowMs());
  };

  readonly quoteSet: EngineApi["quoteSet"] = async (actor, commandId, setId, size) => {
    await this.untilReady();
    await this.loadOpenMarkets();
    const set = findSet(this.state, setId);
    if (set === null) return err({ code: "market_unknown" });
    await Promise.all(set.markets.map((market) => this.#ready(market.conditionId)));
    const { reply, durable } = this.#answered(
      "quote-set",
      { do: "quote-set", actor, commandId, setId, size },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    this.deps.faultPoints.hit("K2");
    return reply.value;
  };

  readonly quoteAction: EngineApi["quoteAction"] = (actor, commandId, request) =>
    quoteAction(this, actor, commandId, request);

  readonly confirmAction: EngineApi["confirmAction"] = (actor, commandId, nonce) =>
    confirmAction(this, actor, commandId, nonce);

  readonly actions: EngineApi["actions"] = () => actionViews(this.state);

  readonly claims: EngineApi["claims"] = () => claimViews(this.state);

  readonly kill: EngineApi["kill"] = async (actor, commandId, note) => {
    this.closeGate();
    const { reply, durable } = this.#answered(
      "kill",
      { do: "kill", byUserId: actor?.userId ?? null, note },
      commandId ?? "kill",
    );
    // The gate is closed in memory whatever the disk says; only the telling waits.
    // A second kill has nothing to write, so it would seem kept after the first one was not.
    if ((await this.#keptInTime(durable)) && !this.ledger.failed) return reply.value;
    // Before the venue is waited for: a crash meanwhile must not bring trading back.
    const survivesRestart = this.deps.keepKill?.(note) ?? false;
    return { ...reply.value, survivesRestart, unkept: await this.#cancelUnkept() };
  };

  /** A disk that hangs must not hold up the cancels of a kill: a commit that is late counts as not kept. */
  #keptInTime(durable: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const { clock, ledgerCommitMaxMs } = this.deps;
      const cancelAlarm = clock.after(ledgerCommitMaxMs, () => resolve(false));
      void this.kept(durable).then((kept) => {
        cancelAlarm();
        resolve(kept);
      });
    });
  }

  /** Cancelling only lowers risk: a kill that cannot be written down does it without a record. */
  async #cancelUnkept(): Promise<UnkeptKill> {
    const outcome = await this.deps.venue.cancelAll();
    const done = outcome.kind === "answered" && Object.keys(outcome.refused).length === 0;
    this.deps.logger.error("kill.unkept", { canceled: done });
    return done ? "canceled" : "unconfirmed";
  }

  readonly degrade: EngineApi["degrade"] = (source, detail) =>
    this.#quietly({ do: "degrade", source, detail }, "degrade");

  readonly askResume: EngineApi["askResume"] = async (actor, commandId) => {
    const { reply, durable } = this.#answered(
      "ask-resume",
      { do: "ask-resume", actor, commandId },
      commandId,
    );
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    return reply.value;
  };

  readonly confirmResume: EngineApi["confirmResume"] = (actor, commandId, nonce) =>
    this.#resume({ do: "confirm-resume", actor, nonce }, commandId);

  readonly resumeWithCode: EngineApi["resumeWithCode"] = (actor, commandId, code) =>
    this.#resume({ do: "resume-with-code", actor, code }, commandId);

  /** The gate opens once the resume is durable, unless a kill was seen meanwhile. */
  async #resume(
    request: Extract<Request, { do: "confirm-resume" | "resume-with-code" }>,
    commandId: string,
  ): Promise<Result<null, Denial>> {
    const closings = this.closings;
    const { reply, durable } = this.#answered("confirm-resume", request, commandId);
    if (!(await this.kept(durable))) return err({ code: "ledger_failed" });
    if (reply.value.ok) this.openGate(closings);
    return reply.value;
  }
}

/** Verbs of the Confirm buttons: a message that shows one is a card. */
const confirmVerbs: ReadonlySet<string> = new Set(["ok", "okset"]);

/** How long a list of markets waits for prices that are not there yet. */
const listWaitMs = 800;
/** A search answers within 50 ms: what is not there by then is shown with the catalog's prices. */
const searchWaitMs = 30;
/** Books of the first markets of a list are followed; the others when somebody opens them. */
const watchedOfList = 24;

const refusedByLedger: ConfirmOutcome = { kind: "refused", denial: { code: "ledger_failed" } };
