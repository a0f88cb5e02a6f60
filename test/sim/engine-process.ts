import type { ConfirmOutcome } from "../../src/engine/api/engine-api.ts";
import type { EngineInput } from "../../src/engine/core/input.ts";
import type { FaultPoint } from "../../src/engine/ports/system.ts";
import type { Effect } from "../../src/engine/protocol/effect.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import { Desk } from "../../src/engine/runtime/desk.ts";
import type { DeskDeps } from "../../src/engine/runtime/desk-deps.ts";
import { Engine } from "../../src/engine/runtime/engine.ts";
import { canonicalState } from "../../src/engine/state/digest.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import type { Chain } from "./chain.ts";
import { Chance } from "./chance.ts";
import { startBot } from "./chat/bot-process.ts";
import type { Caller, SimTelegram } from "./chat/telegram.ts";
import type { ChatUpdate } from "./chat/updates.ts";
import type { Checkers, ProcessView } from "./checkers.ts";
import type { Sabotage } from "./defects.ts";
import type { Exchange } from "./exchange.ts";
import { type Faults, ProcessDied } from "./faults.ts";
import type { Judge } from "./judge.ts";
import { Lifeline } from "./lifeline.ts";
import type { Wire } from "./post-wire.ts";
import { isKill, type PressRecord } from "./press-record.ts";
import { judgeReplay, type RecordedStep } from "./replay-check.ts";
import type { Scheduler } from "./scheduler.ts";
import { SimContracts } from "./sim-contracts.ts";
import { type Disk, SimLog } from "./sim-log.ts";
import { SimMarket } from "./sim-market.ts";
import { SimVenue } from "./sim-venue.ts";
import type { VenueMode } from "./venue-mode.ts";
import { Witness } from "./witness.ts";

export type Surroundings = {
  readonly seed: number;
  readonly settings: EngineSettings;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly exchange: Exchange;
  readonly chain: Chain;
  readonly mode: VenueMode;
  readonly disk: Disk;
  readonly wire: Wire;
  readonly telegram: SimTelegram;
  readonly presses: PressRecord;
  readonly sabotage: Sabotage;
  readonly judge: Judge;
  readonly checkers: Checkers;
  /** Who holds the lease: the number of a life, or nobody. */
  readonly lease: { holder: number | null };
  /** Commands whose process told the chat by itself that its ledger could not keep them. */
  readonly unkept: Set<string>;
  /** Wall clock of this machine less virtual time, in milliseconds. */
  readonly clockOffsetMs: () => number;
  readonly changeTick: (conditionId: string) => void;
};

/** The bot tells the sender by itself when its ledger takes longer than this. */
const receiveTimeoutMs = 5_000;

/** One life of the service, engine and bot, on simulated ports. After `crash` nothing of it reaches the outside any more. */
export class EngineProcess implements Caller {
  readonly number: number;
  readonly life: Lifeline;
  readonly venue: SimVenue;
  readonly market: SimMarket;
  readonly contracts: SimContracts;
  readonly log: SimLog;
  readonly deps: DeskDeps;
  engine: Engine | null = null;
  /** Handed to this life and not resumed since; the ledger's word is looked at besides. */
  #killed = false;
  /** How many kills this life was handed, so that an earlier resume does not end a later kill. */
  #kills = 0;
  readonly #around: Surroundings;
  readonly #onDeath: () => void;
  readonly #witness: Witness;
  readonly #before: number;
  readonly #steps: RecordedStep[] = [];
  readonly #effects: Effect[] = [];
  #drawn = "";
  #diskFailed = false;
  #dieAt: { readonly point: FaultPoint; left: number } | null;

  constructor(around: Surroundings, number: number, onDeath: () => void) {
    this.#around = around;
    this.#onDeath = onDeath;
    this.number = number;
    const { scheduler, seed, disk, lease } = around;
    this.life = new Lifeline(scheduler);
    const chance = new Chance(seed, `life:${number}`);
    this.#dieAt = chance.happens(0.5)
      ? { point: `K${chance.int(0, 17)}` as FaultPoint, left: chance.int(1, 12) }
      : null;
    this.#before = disk.records.length;
    this.#witness = new Witness(around, disk.records);
    const { life } = this;
    this.venue = new SimVenue({
      ...around,
      life,
      hidesEnded: new Chance(seed, "hides").happens(0.25),
      clockOffsetMs: around.clockOffsetMs,
      loseLease: () => {
        if (lease.holder === number) lease.holder = null;
      },
      onPostStart: (order) => around.checkers.postStarted(order, this.view()),
    });
    this.market = new SimMarket({ ...around, life });
    this.contracts = new SimContracts({
      ...around,
      life,
      onCallStart: (prepared) => around.checkers.callStarted(prepared, this.view()),
    });
    this.log = new SimLog({
      ...around,
      chance,
      life,
      onPowerLoss: () => this.crash(),
      onAppend: (records) => this.#witness.appended(records),
    });
    this.deps = this.#depsOf(new Chance(seed, `entropy:${number}`));
    around.sabotage.deps?.(this.deps, this);
  }

  #depsOf(entropy: Chance): DeskDeps {
    const { settings, scheduler, clockOffsetMs } = this.#around;
    return {
      settings,
      log: this.log,
      venue: this.venue,
      marketData: this.market,
      catalog: this.market,
      contracts: this.contracts,
      hasher: { ...plainHasher },
      clock: {
        nowMs: () => scheduler.nowMs + clockOffsetMs(),
        monotonicMs: () => scheduler.nowMs - this.life.sleptMs,
        after: (delayMs, callback) => this.life.after(delayMs, callback),
      },
      entropy: {
        hex: (bytes) => {
          this.#drawn = entropy.hex(bytes);
          return this.#drawn;
        },
        salt: () => entropy.int(0, Number.MAX_SAFE_INTEGER - 1),
      },
      faultPoints: { hit: (point) => this.#hit(point) },
      logger: {
        info: () => undefined,
        warn: () => undefined,
        error: (event) => {
          if (event === "ledger.failed") this.#diskFailed = true;
        },
      },
      leaseHeld: () => this.leaseHeld,
      tickMs: 250,
      snapshotWaitMs: 2_000,
      bookRefreshAgeMs: 2_000,
      ledgerCommitMaxMs: 2_000,
      canaryMs: 15_000,
      canaryRoundMs: 600_000,
      stallMs: 3_000,
      clockCheckMs: 30_000,
      catalogSettings: {
        crawl: null,
        refresh: {
          watchedIntervalMs: 30_000,
          resolutionLookMs: 5_000,
          lookTtlMs: 900_000,
          maxWatched: 500,
        },
        maxMarkets: 1_000,
        maxSetMarkets: 100,
        strategyMarkets: [],
      },
    };
  }

  get leaseHeld(): boolean {
    return this.#around.lease.holder === this.number;
  }

  /** Folds the ledger and starts. */
  async start(): Promise<void> {
    const { disk, judge, sabotage, telegram, seed, presses } = this.#around;
    const folded = await Desk.prepare(this.deps);
    if (!this.life.isAlive) return;
    const engine = new Engine(this.deps, folded);
    this.#observe(engine);
    sabotage.engine?.(engine, this);
    this.engine = engine;
    const pendingKill = [...folded.state.commands.keys()].some((id) => presses.isKill(id));
    this.#killed = disk.killed;
    judge.must(
      (folded.state.killed !== null) === disk.killed,
      "P4",
      () => "a kill does not survive a restart",
    );
    // Every start folds in the same way: some of them are enough.
    if (this.number % 3 === 1) this.#witness.judgeDigest(folded.state);
    engine.start();
    startBot({
      engine,
      telegram,
      caller: this,
      chance: new Chance(seed, `bot:${this.number}`),
      nowMs: () => engine.deps.clock.nowMs(),
      onError: (message, detail) => this.#botFailed(message, detail),
    });
    // A kill that waits in the ledger closes the gate before anything else is worked on.
    if (pendingKill) this.#killed = true;
  }

  /** Writes down every input with its reply, and notes what is told to people. */
  #observe(engine: Engine): void {
    const { stepper, effects, receive, confirm, confirmResume } = engine;
    const carryOut = effects.run.bind(effects);
    effects.run = (effect: Effect) => {
      this.#effects.push(effect);
      carryOut(effect);
    };
    const run = stepper.run.bind(stepper);
    stepper.run = (input: EngineInput, correlationId: string) => {
      const atMs = engine.deps.clock.nowMs();
      const recorded: RecordedStep = {
        envelope: { atMs, entropy: "", correlationId, input },
        reply: null,
      };
      this.#steps.push(recorded);
      try {
        const done = run(input, correlationId);
        recorded.reply = done.reply;
        return done;
      } finally {
        const entropy = input.kind === "request" ? this.#drawn : "";
        recorded.envelope = { atMs, entropy, correlationId, input };
      }
    };
    replace(engine, "receive", async (command) => {
      const { unkept } = this.#around;
      this.life.after(receiveTimeoutMs, () => {
        if (!this.#around.disk.received.has(command.commandId)) unkept.add(command.commandId);
      });
      const kept = await receive(command);
      if (kept === "ledger_failed") unkept.add(command.commandId);
      return kept;
    });
    replace(engine, "confirm", async (actor, commandId, nonce) => {
      const outcome = await confirm(actor, commandId, nonce);
      this.#told(outcome);
      return outcome;
    });
    replace(engine, "confirmResume", async (actor, commandId, nonce) => {
      const kills = this.#kills;
      const done = await confirmResume(actor, commandId, nonce);
      if (done.ok && this.#kills === kills) this.#killed = false;
      return done;
    });
  }

  /** A trader is told that his orders are being sent. */
  #told(outcome: ConfirmOutcome): void {
    if (outcome.kind !== "accepted" || !this.life.isAlive) return;
    const { judge, disk } = this.#around;
    for (const order of outcome.orders) {
      const kept = disk.bodies.has(order.orderHash);
      judge.must(kept, "told", () => `${order.orderHash} is called accepted but is not durable`);
    }
  }

  #botFailed(message: string, detail: string): void {
    if (!this.life.isAlive || this.#diskFailed || message !== "a command failed") return;
    // A process that stood still for long gives up on what it was doing, and says so.
    if (this.life.wasSuspended) return;
    this.#around.judge.violate("engine", `${message}: ${detail}`);
  }

  onDelivered(updates: readonly ChatUpdate[]): void {
    if (!updates.some(isKill)) return;
    this.#killed = true;
    this.#kills++;
  }

  view(): ProcessView | null {
    const { engine, leaseHeld } = this;
    if (!this.life.isAlive || engine === null) return null;
    return {
      state: engine.state,
      witness: this.#witness,
      killed: this.#killed,
      gateClosed: engine.gateClosed,
      leaseHeld,
      diskFailed: this.#diskFailed,
      ranMs: this.life.ranMs,
      isRunning: this.life.isRunning,
    };
  }

  get diskFailed(): boolean {
    return this.#diskFailed;
  }

  crash(): void {
    if (!this.life.isAlive) return;
    this.judgeReplay();
    this.life.die();
    this.log.crash();
    const { lease } = this.#around;
    if (lease.holder === this.number) lease.holder = null;
    this.#onDeath();
  }

  /** The ledger tells the state that this life ended in, and so do its recorded inputs when they are run again. */
  judgeReplay(): void {
    const { judge, settings, disk } = this.#around;
    if (this.engine === null || judge.violation !== null) return;
    const { state } = this.engine;
    const text = canonicalState(state);
    if (!this.#diskFailed) this.#witness.judgeDigest(state, text);
    // Running every input again costs as much as the life itself: every second life is enough.
    if (this.number % 2 === 0) return;
    judgeReplay(judge, settings, {
      before: disk.records.slice(0, this.#before),
      steps: this.#steps,
      effects: this.#effects,
      bodies: this.#witness.bodies,
      state: text,
      diskFailed: this.#diskFailed,
    });
  }

  #hit(point: FaultPoint): void {
    if (!this.life.isAlive) throw new ProcessDied(point);
    if (this.#dieAt?.point !== point || !this.#around.faults.on) return;
    if (--this.#dieAt.left > 0) return;
    this.#around.faults.count("crash.at-point");
    this.crash();
    throw new ProcessDied(point);
  }
}

/** Puts another function in the place of one of the engine's own. */
export function replace<K extends keyof Engine>(engine: Engine, name: K, by: Engine[K]): void {
  Object.defineProperty(engine, name, { value: by, configurable: true });
}
