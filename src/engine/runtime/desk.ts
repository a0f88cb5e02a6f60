import type { EngineInput } from "../core/input.ts";
import type { Denial } from "../domain/reasons.ts";
import { checkDegraded } from "../risk/degraded.ts";
import { checkStopped, checkTradingState } from "../risk/trading-state.ts";
import { createState, type EngineState } from "../state/engine-state.ts";
import { editedSince } from "../state/rule-edits.ts";
import { BookCanary } from "./book-canary.ts";
import { Books } from "./books.ts";
import { CatalogReader } from "./catalog-reader.ts";
import type { DeskDeps } from "./desk-deps.ts";
import { EffectRunner } from "./effect-runner.ts";
import { GateLatch } from "./gate-latch.ts";
import { HeartbeatGuard } from "./heartbeat-guard.ts";
import { countedVenue, LastHop } from "./last-hop.ts";
import { foldLedger, LedgerWriter } from "./ledger-writer.ts";
import { OutsideMarkets } from "./outside-markets.ts";
import { StageTimes } from "./stage-times.ts";
import { steadyClock } from "./steady-clock.ts";
import { Stepper } from "./stepper.ts";
import { TimeGuard } from "./time-guard.ts";

/** A command waits at most this long after a start for the first reconciliation. */
const readyWaitMs = 5_000;
/** How often the subscriptions are compared with what is wanted. */
const followEveryMs = 1_000;
const connectRetryMs = [250, 500, 1_000, 2_000, 5_000] as const;

/** Life of the engine: fold, reconcile, tick, and the gate that stands before every order. */
export class Desk {
  readonly deps: DeskDeps;
  readonly state: EngineState;
  readonly ledger: LedgerWriter;
  readonly stepper: Stepper;
  readonly books: Books;
  readonly stages: StageTimes;
  /** Performs what steps ask for; public so that a test can be an order path gone wrong. */
  readonly effects: EffectRunner;
  readonly #outside: OutsideMarkets;
  readonly #listeners = new Set<() => void>();
  readonly #latch: GateLatch;
  readonly #time: TimeGuard;
  readonly catalog: CatalogReader;
  #connected = false;
  readonly #heartbeat: HeartbeatGuard | null;
  #stopped = false;
  readonly #canary: BookCanary;
  #nextFollowAtMs = 0;
  #cancelTick: (() => void) | null = null;

  /** Folds the ledger; trading starts only after `start` and the first reconciliation. */
  static async prepare(
    deps: DeskDeps,
  ): Promise<{ readonly state: EngineState; readonly nextSeq: number }> {
    const state = createState();
    const nextSeq = await foldLedger(deps.log, state);
    return { state, nextSeq };
  }

  constructor(
    machine: DeskDeps,
    folded: { readonly state: EngineState; readonly nextSeq: number },
  ) {
    const clock = steadyClock(machine.clock);
    const deps = { ...machine, clock };
    this.deps = deps;
    this.state = folded.state;
    this.stages = new StageTimes(this.state, deps.meter ?? null);
    const { settings, hasher } = deps;
    deps.journal?.begun({ ...folded, settings, hasher }, clock.nowMs());
    this.#latch = new GateLatch(folded.state.killed !== null);
    this.ledger = this.#openLedger(deps, folded.nextSeq);
    this.#time = new TimeGuard({
      clock,
      venue: deps.venue,
      logger: deps.logger,
      stallMs: deps.stallMs,
      checkMs: deps.clockCheckMs,
      isConnected: () => this.#connected,
      dispatch: (input) => {
        this.stepper.run(input, "time");
      },
    });
    const lastHop = new LastHop((detail) => this.#miscounted(detail));
    this.effects = new EffectRunner({
      ...deps,
      state: this.state,
      venue: countedVenue(deps.venue, lastHop),
      gate: (clientOid) => this.#postGate(clientOid),
      isConnected: () => this.#connected,
      contracts: deps.contracts,
      mode: deps.settings.mode,
      gateDenial: () => this.gateDenial(),
      readMarket: (conditionId) => this.catalog.readSoon(conditionId),
      dispatch: (input, correlationId) => this.dispatch(input, correlationId),
    });
    this.stepper = new Stepper({
      ...deps,
      state: this.state,
      ledger: this.ledger,
      runEffect: (effect, decidedMs) => this.effects.run(effect, decidedMs),
      onDurable: (facts) => {
        lastHop.noteDurable(facts);
        this.stages.noteDurable(facts);
      },
      onCommitted: () => this.#changed(),
      onBroken: (error) => this.#break(error),
    });
    this.books = new Books({
      ...deps,
      state: this.state,
      dispatch: (input) => {
        this.stepper.run(input, "books");
      },
      wanted: (max) => this.catalog.wantedBooks(max),
    });
    this.#canary = this.#makeCanary(deps);
    this.#outside = new OutsideMarkets({
      state: this.state,
      books: this.books,
      find: (ref, limit) => this.find(ref, limit),
    });
    const { stepper, state, books } = this;
    const { heartbeat = null } = deps;
    this.#heartbeat = heartbeat === null ? null : new HeartbeatGuard(heartbeat, state, stepper);
    this.catalog = new CatalogReader({ ...deps, state, books, stepper });
  }

  #makeCanary({ canaryMs, canaryRoundMs }: DeskDeps): BookCanary {
    return new BookCanary({
      state: this.state,
      compare: (conditionId) => this.books.readAndCompare(conditionId),
      intervalMs: canaryMs,
      roundMs: canaryRoundMs,
    });
  }

  #openLedger({ log, clock, logger, ledgerCommitMaxMs }: DeskDeps, nextSeq: number): LedgerWriter {
    return new LedgerWriter({
      log,
      clock,
      logger,
      nextSeq,
      commitMaxMs: ledgerCommitMaxMs,
      onFailure: () => this.closeGate(),
      onLate: (detail) => {
        this.closeGate();
        this.stepper.run({ kind: "ledger.late", detail }, "ledger");
      },
    });
  }

  /**
   * Stops rather than going on wrongly: the gate closes at once, and the error leaves every fence so that the process
   * ends. The ledger holds everything up to the step before; the next start folds it and asks the venue.
   */
  #break(error: unknown): void {
    this.closeGate();
    const detail = error instanceof Error ? error.message : "unknown failure";
    this.deps.logger.error("invariant.broken", { detail });
    this.deps.clock.after(0, () => {
      throw error;
    });
  }

  async dispatch(input: EngineInput, correlationId: string): Promise<void> {
    if (input.kind === "account.read") this.deps.faultPoints.hit("K17");
    if (input.kind === "post.finished" && input.timing !== undefined) {
      const order = this.state.orders.get(input.clientOid);
      if (order !== undefined) this.stages.posted(order, input.timing);
    }
    await this.stepper.run(input, correlationId).durable;
  }

  start(): void {
    const { marketData } = this.deps;
    marketData.start((events) => {
      for (const event of events) {
        this.stepper.run({ kind: "market", event }, "market");
        if ("conditionId" in event) this.books.changed(event.conditionId);
        if (event.kind === "market.opened") this.catalog.opened(event.conditionId);
      }
      this.books.wake();
    });
    this.stepper.run({ kind: "run.start" }, "start");
    // Books of everything with money in it, from the first moment.
    this.books.follow();
    void this.#connect();
    this.catalog.start();
    this.#scheduleTick();
  }

  async #connect(): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt++) {
      const result = await this.deps.venue.connect();
      if (result.ok) {
        this.#connected = true;
        this.#time.connected(result.value.clockOffsetMs);
        this.deps.venue.listen((event) => {
          if (event.kind === "fill.reported") this.deps.faultPoints.hit("K12");
          this.stepper.run({ kind: "account", event }, "account");
        });
        this.stepper.run({ kind: "venue.connected" }, "connect");
        // Prices are there before the first question; a venue without a catalog is noticed now, not at /arb.
        await this.loadOpenMarkets();
        return;
      }
      this.deps.logger.warn("venue.connect-failed", { attempt, detail: result.error });
      const delayMs = connectRetryMs[Math.min(attempt, connectRetryMs.length - 1)] ?? 5_000;
      await new Promise<void>((resolve) => {
        this.deps.clock.after(delayMs, resolve);
      });
    }
  }

  #scheduleTick(): void {
    this.#cancelTick = this.deps.clock.after(this.deps.tickMs, () => {
      if (this.#stopped) return;
      try {
        this.#time.tick();
        if (this.#connected) this.#heartbeat?.tick();
        this.stepper.run({ kind: "tick" }, "tick");
        const nowMs = this.deps.clock.nowMs();
        this.#follow(nowMs);
        this.books.followMoney();
        this.#canary.tick(nowMs);
        this.#outside.learn(nowMs);
        this.catalog.tick();
        this.#persistClosedGate();
        // Messages that wait for their time are looked at even when nothing else happens.
        if (this.state.outbox.size > 0) this.#changed();
      } finally {
        this.#scheduleTick();
      }
    });
  }

  /** Draws the subscriptions from what is wanted. */
  #follow(nowMs: number): void {
    if (nowMs < this.#nextFollowAtMs) return;
    this.#nextFollowAtMs = nowMs + followEveryMs;
    this.books.follow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTick?.();
    this.stepper.wakeUps.stop();
    this.catalog.stop();
    await this.deps.marketData.close();
    await this.deps.venue.close();
    await this.deps.contracts?.close();
    this.deps.journal?.ended();
    await this.deps.log.close();
  }

  get gateClosed(): boolean {
    return this.#latch.closed;
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** Closes the gate in memory at once; what makes it last comes after. */
  closeGate(): void {
    this.#latch.close(this.deps.clock.nowMs());
  }

  /** The process ends: nothing new leaves any more, cancels and answers do. */
  refuseNew(): void {
    this.#latch.end();
  }

  /** A kill that was seen but whose command never came through becomes a kill all the same. */
  #persistClosedGate(): void {
    const { killed, halt } = this.state;
    // A kill or halt that came since explains the gate, whoever ends it later.
    const explained = killed !== null || halt !== null || this.ledger.failed;
    if (!this.#latch.isUnexplained(this.deps.clock.nowMs(), explained)) return;
    const note = "the gate was closed and no command followed";
    const request = { do: "kill", byUserId: null, note } as const;
    this.stepper.run({ kind: "request", request }, "kill");
  }

  get closings(): number {
    return this.#latch.closings;
  }

  /** Opens the gate unless it was closed again since `closings` was read: a later kill wins over an earlier resume. */
  openGate(closings: number): void {
    if (this.state.killed === null && !this.ledger.failed) this.#latch.open(closings);
  }

  gateDenial(): Denial | null {
    if (this.ledger.failed) return { code: "ledger_failed" };
    if (this.#latch.closed) return { code: "killed" };
    if (this.#latch.ending) return { code: "not_ready" };
    const stopped = checkStopped(this.state);
    if (stopped !== null) return stopped;
    if (!this.deps.leaseHeld()) return { code: "paused", subject: "lease_lost" };
    return null;
  }

  /** Asked synchronously before the first byte of an order: memory only, nothing that can wait. */
  #postGate(clientOid: string): Denial | null {
    const closed = this.gateDenial();
    if (closed !== null) return closed;
    if (this.deps.settings.mode === "dry-run") return { code: "paused", subject: "dry_run" };
    const order = this.state.orders.get(clientOid);
    if (order === undefined || order.status !== "in_flight") return { code: "order_closed" };
    const isRepost = (this.state.live.watches.get(clientOid)?.reposts ?? 0) > 0;
    const kind = { ...order.draft, strategy: order.strategy, isRepost };
    const state = checkTradingState(this.state, kind);
    if (state !== null) return state;
    const degraded = checkDegraded(this.state, [order.draft]);
    if (degraded !== null) return degraded;
    if (editedSince(this.state, order.draft.conditionId, order.createdAtMs)) {
      return { code: "rules_edited" };
    }
    if (order.cancelAskedAtMs !== null) return { code: "order_closed", subject: "cancel asked" };
    if (this.deps.clock.nowMs() >= order.deadlineMs) return { code: "command_expired" };
    return null;
  }

  /** The service crashed again and again: trading waits for a person. */
  haltCrashLoop(detail: string): void {
    this.stepper.run({ kind: "crash.loop", detail }, "start");
  }

  /** An order tried to leave that the approvals do not explain: the order path itself cannot be trusted any more. */
  #miscounted(detail: string): void {
    this.closeGate();
    this.deps.logger.error("conservation.broken", { detail });
    // Not from inside the request's start hook: the step runs when that request is aborted.
    this.deps.clock.after(0, () => {
      this.stepper.run({ kind: "conservation.broken", detail }, "last-hop");
    });
  }

  /**
   * A start compares its records with the venue before it trades. What waited in the ledger meanwhile, or came just then,
   * waits for that as well, but not longer than its bound after the start.
   */
  async untilReady(): Promise<void> {
    const leftMs = this.state.startedAtMs + readyWaitMs - this.deps.clock.nowMs();
    if (this.state.ready || leftMs <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.deps.clock.after(leftMs, resolve);
    const unlisten = this.onChange(() => {
      if (this.state.ready) resolve();
    });
    await promise;
    cancel();
    unlisten();
  }

  async kept(durable: Promise<void>): Promise<boolean> {
    try {
      await durable;
      return true;
    } catch {
      return false;
    }
  }

  readonly find: CatalogReader["find"] = (ref, limit) => this.catalog.find(ref, limit);

  readonly loadOpenMarkets = (): Promise<void> => this.catalog.loadOpenMarkets();

  get catalogAtMs(): number | null {
    return this.catalog.atMs;
  }

  warnings(): string[] {
    const warnings: string[] = [];
    if (this.ledger.failed) warnings.push("the ledger failed: nothing new is traded");
    if (!this.#connected) warnings.push("the venue does not answer");
    const { leftOut, max } = this.books;
    if (leftOut > 0) warnings.push(`${leftOut} markets are not followed: at most ${max} are`);
    return warnings;
  }

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #changed(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        const detail = error instanceof Error ? error.message : "unknown failure";
        this.deps.logger.error("listener.failed", { detail });
      }
    }
  }
}
