import { dollars, testSettings } from "../engine/support/settings.ts";
import { Chain } from "./chain.ts";
import { Chance } from "./chance.ts";
import { Person } from "./chat/person.ts";
import { SimTelegram } from "./chat/telegram.ts";
import { Checkers } from "./checkers.ts";
import type { Sabotage } from "./defects.ts";
import { EngineProcess, type Surroundings } from "./engine-process.ts";
import { Exchange } from "./exchange.ts";
import { Faults, ProcessDied } from "./faults.ts";
import { judgeEnd } from "./final-check.ts";
import { Judge, type Property, type Violation } from "./judge.ts";
import type { Wire } from "./post-wire.ts";
import { PressRecord } from "./press-record.ts";
import { Scheduler, settlePromises } from "./scheduler.ts";
import { Disk } from "./sim-log.ts";
import { markets, moveBook } from "./sim-market.ts";
import { VenueMode } from "./venue-mode.ts";
import { realTime, virtualTime } from "./virtual-timers.ts";
import { WorldEvents } from "./world-events.ts";

export type SimResult = {
  readonly seed: number;
  readonly steps: number;
  /** Cards that became plans, and the orders of these. */
  readonly intents: number;
  readonly orders: number;
  readonly kills: number;
  readonly crashes: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly violation: Violation | null;
  /** Folds every event's time and every ledger row; equal for equal runs. */
  readonly digest: number;
};

const startMs = 1_800_000_000_000;
/** How long faults strike and people trade. */
const activeMs = 150_000;
/** A world in which little was traded goes on for as long as this. */
const longestActiveMs = 1_800_000;
const leastIntents = 20;
/**
 * How long the engine has to agree with the venue afterwards: a sleep of the machine that has just begun, then a quarantine
 * (of an order, after that of a call), late bookings, settlements, and the reads that a higher balance takes.
 */
const quietMs = 320_000;
/** How often it is asked whether they agree already: then nothing is left that could still happen. */
const agreedEveryMs = 20_000;
/** More events than any seed needs; reaching it is a livelock. */
const maxSteps = 200_000;
const firstCash = 1_000_000_000;

export type SimOptions = {
  /** A deliberate defect to switch on. */
  readonly sabotage?: Sabotage;
  readonly ignored?: readonly Property[];
};

/** One run of the service in a simulated world, drawn from one seed. */
export class Simulation {
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #scheduler = new Scheduler(startMs);
  readonly #faults: Faults;
  readonly #disk = new Disk();
  readonly #exchange: Exchange;
  readonly #mode: VenueMode;
  readonly #telegram: SimTelegram;
  readonly #judge: Judge;
  readonly #checkers: Checkers;
  readonly #person: Person;
  readonly #world: WorldEvents;
  readonly #around: Surroundings;
  readonly #lease: { holder: number | null } = { holder: null };
  readonly #unkept = new Set<string>();
  /** Those that live, the newest last. */
  #processes: EngineProcess[] = [];
  #life = 0;
  #crashes = 0;
  #steps = 0;
  #digest = 0;
  #clockOffsetMs = 0;

  constructor(seed: number, options: SimOptions) {
    this.#seed = seed;
    this.#chance = new Chance(seed, "world");
    this.#faults = new Faults(seed);
    this.#judge = new Judge(new Set(options.ignored));
    const scheduler = this.#scheduler;
    const faults = this.#faults;
    this.#mode = new VenueMode(scheduler, faults, new Chance(seed, "mode"));
    this.#exchange = this.#newExchange();
    this.#telegram = new SimTelegram({
      scheduler,
      faults,
      chance: new Chance(seed, "chat"),
      onShown: (message) => this.#person.read(message),
    });
    const settings = settingsOf();
    const wire: Wire = new Map();
    const parts = {
      judge: this.#judge,
      settings,
      exchange: this.#exchange,
      chain: new Chain(this.#exchange, scheduler),
      disk: this.#disk,
      wire,
    };
    this.#checkers = new Checkers({
      ...parts,
      processes: () => this.#processes.flatMap((process) => process.view() ?? []),
    });
    const telegram = this.#telegram;
    this.#around = {
      ...parts,
      seed,
      scheduler,
      faults,
      telegram,
      mode: this.#mode,
      presses: new PressRecord(() => telegram),
      sabotage: options.sabotage ?? {},
      checkers: this.#checkers,
      lease: this.#lease,
      unkept: this.#unkept,
      clockOffsetMs: () => this.#clockOffsetMs,
      changeTick: (conditionId) => {
        const book = this.#exchange.books.get(conditionId);
        if (book !== undefined) this.#world.changeTick(book);
      },
    };
    this.#person = new Person({ chance: new Chance(seed, "person"), scheduler, faults, telegram });
    this.#world = new WorldEvents({
      chance: this.#chance,
      scheduler,
      faults,
      exchange: this.#exchange,
      telegram,
      processes: () => this.#processes,
    });
  }

  #newExchange(): Exchange {
    const scheduler = this.#scheduler;
    const forgets = new Chance(this.#seed, "forgets");
    const exchange = new Exchange(
      {
        nowMs: () => scheduler.nowMs,
        after: (delayMs, run) => scheduler.after(delayMs, run),
        tell: (event) => {
          for (const process of this.#processes) process.venue.tell(event);
        },
        traded: (trade) => this.#world.settleLater(trade),
        takenAgain: (hash) => this.#judge.violate("P1", `${hash} was taken a second time`),
        bookChanged: (conditionId) => this.#world.publish(conditionId),
        count: (what) => this.#faults.count(what),
      },
      {
        cash: firstCash,
        forgetsAfterMs: forgets.happens(0.3) ? forgets.int(2_000, 30_000) : null,
      },
    );
    for (const market of markets) {
      const tick = market.tickSize;
      const book = { market, bids: [], asks: [], tick, changedAtMs: startMs, winner: null };
      moveBook(book, this.#chance, startMs);
      exchange.books.set(market.conditionId, book);
    }
    return exchange;
  }

  async run(): Promise<SimResult> {
    virtualTime((delayMs, run) => {
      const newest = this.#processes.at(-1);
      return newest === undefined
        ? this.#scheduler.after(delayMs, run)
        : newest.life.after(delayMs, run);
    });
    try {
      this.#startProcess();
      this.#person.start();
      this.#planMachine();
      this.#world.plan(activeMs);
      this.#mode.plan(activeMs);
      const endMs = await this.#trade();
      this.#calm();
      for (let forMs = 0; forMs < quietMs && !this.#hasAgreed(); forMs += agreedEveryMs) {
        await this.#runUntil(endMs + forMs + agreedEveryMs);
      }
    } finally {
      realTime();
    }
    if (this.#judge.violation === null) this.#judgeEnd();
    return {
      seed: this.#seed,
      steps: this.#steps,
      intents: this.#disk.plansByNonce.size,
      orders: this.#disk.bodies.size,
      kills: this.#person.kills,
      crashes: this.#crashes,
      faults: this.#faults.counts,
      violation: this.#judge.violation,
      digest: this.#digest,
    };
  }

  /** Lets faults strike until enough was traded; returns when that was. */
  async #trade(): Promise<number> {
    for (let forMs = activeMs; ; forMs += 30_000) {
      await this.#runUntil(startMs + forMs);
      const enough = this.#disk.plansByNonce.size >= leastIntents;
      if (enough || forMs >= longestActiveMs) return startMs + forMs;
      this.#person.settle();
    }
  }

  #judgeEnd(): void {
    const process = this.#processes.find((one) => one.leaseHeld);
    const state = process?.engine?.state;
    if (process === undefined || state === undefined) {
      this.#judge.violate("P10", "the service does not stay up");
      return;
    }
    process.judgeReplay();
    judgeEnd({ ...this.#around }, state);
  }

  /** True when nothing is under way any more and the end would be judged as good. */
  #hasAgreed(): boolean {
    if (this.#judge.violation !== null) return true;
    const state = this.#processes.find((one) => one.leaseHeld)?.engine?.state;
    const isUnderWay =
      this.#around.wire.size > 0 ||
      this.#around.chain.open().length > 0 ||
      this.#exchange.trades.some((trade) => trade.status === "provisional");
    if (state === undefined || isUnderWay || this.#processes.length !== 1) return false;
    const judge = new Judge(new Set());
    judgeEnd({ ...this.#around, judge }, state);
    return judge.violation === null;
  }

  async #runUntil(untilMs: number): Promise<void> {
    while (this.#judge.violation === null) {
      const event = this.#scheduler.take(untilMs);
      if (event === null) return;
      this.#steps++;
      if (this.#steps > maxSteps) this.#judge.violate("P11", `more than ${maxSteps} events`);
      try {
        event();
      } catch (error) {
        this.#broken(error);
      }
      await settlePromises();
      this.#checkers.afterEvent();
      const mark = this.#scheduler.nowMs - startMs + this.#disk.records.length * 31;
      this.#digest = (Math.imul(this.#digest, 16_777_619) ^ mark) >>> 0;
    }
  }

  /** An error that left every fence ends the process; the simulator calls it what it is. */
  #broken(error: unknown): void {
    if (error instanceof ProcessDied) return;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#judge.violate("engine", detail);
  }

  /** Starts the service, unless another one holds the lease. */
  #startProcess(): void {
    if (this.#lease.holder !== null) {
      this.#faults.count("instance.refused");
      return;
    }
    const number = ++this.#life;
    this.#lease.holder = number;
    const process = new EngineProcess(this.#around, number, () => this.#afterDeath(process));
    this.#processes = [...this.#processes, process];
    process.start().catch((error: unknown) => this.#broken(error));
  }

  #afterDeath(dead: EngineProcess): void {
    this.#crashes++;
    this.#processes = this.#processes.filter((process) => process !== dead);
    const downMs = this.#chance.int(100, 15_000);
    this.#scheduler.after(this.#faults.on ? downMs : 100, () => this.#startProcess());
  }

  /** The newest process; the one that the operator watches. */
  get #newest(): EngineProcess | undefined {
    return this.#processes.at(-1);
  }

  /** What happens to the machine: crashes, a stopped process, clock, lease, a second service. */
  #planMachine(): void {
    const at = (part: number) => this.#chance.int(activeMs * 0.1, activeMs * part);
    this.#scheduler.after(at(0.9), () => this.#crash());
    this.#scheduler.after(at(0.9), () => this.#crash());
    this.#scheduler.after(at(0.7), () => this.#person.kill());
    this.#every(20_000, 180_000, () => this.#stepClock());
    this.#every(30_000, 270_000, () => this.#loseLease());
    this.#every(30_000, 360_000, () => this.#startSecond());
    this.#every(25_000, 240_000, () => this.#suspend());
    this.#every(5_000, 5_000, () => this.#operate());
  }

  #every(fromMs: number, toMs: number, happen: () => void): void {
    this.#scheduler.after(this.#chance.int(fromMs, toMs), () => {
      happen();
      this.#every(fromMs, toMs, happen);
    });
  }

  #crash(): void {
    if (this.#newest === undefined) return;
    this.#faults.count("crash.between-events");
    this.#newest.crash();
  }

  #suspend(): void {
    if (!this.#faults.on || this.#newest?.life.isRunning !== true) return;
    const isMachine = this.#chance.happens(0.5);
    this.#faults.count(isMachine ? "machine.slept" : "process.suspended");
    this.#newest.life.suspend(this.#chance.int(3_000, 90_000), isMachine);
  }

  #stepClock(): void {
    if (!this.#faults.on) return;
    const size = this.#chance.weighted({ step: 56, jump: 24, hour: 20 });
    this.#faults.count(`clock.${size}`);
    const mostMs = { step: 1_500, jump: 20_000, hour: 3_600_000 }[size];
    this.#clockOffsetMs = this.#chance.int(-mostMs, mostMs);
    // The operator's time service sets a clock right that is far off.
    if (size !== "step")
      this.#scheduler.after(this.#chance.int(1_000, 40_000), () => this.#setClock());
  }

  #setClock(): void {
    this.#clockOffsetMs = this.#chance.int(-300, 300);
  }

  #loseLease(): void {
    if (!this.#faults.on || this.#newest === undefined) return;
    this.#faults.count("lease.lost");
    this.#lease.holder = null;
    if (this.#chance.happens(0.1)) return;
    // Two services live side by side; only the one with the lease may do anything.
    this.#faults.count("instance.second-live");
    this.#scheduler.after(this.#chance.int(1, 2_000), () => this.#startProcess());
  }

  /** Somebody starts the service once more while it runs. */
  #startSecond(): void {
    if (this.#faults.on && this.#newest !== undefined) this.#startProcess();
  }

  /** The operator: a process without lease, with a failed disk or a wrong clock is started anew after a while. */
  #operate(): void {
    for (const process of this.#processes) {
      if (process.leaseHeld && !process.diskFailed && !this.#isOffClock(process)) continue;
      if (!this.#faults.on || this.#chance.happens(0.3)) process.crash();
    }
  }

  /** Started while the machine's clock was wrong: it says so itself, and refuses to trade. */
  #isOffClock(process: EngineProcess): boolean {
    const ownMs = process.engine?.deps.clock.nowMs() ?? this.#scheduler.nowMs;
    const isMachineRight = Math.abs(this.#clockOffsetMs) < 2_000;
    return isMachineRight && Math.abs(ownMs - this.#scheduler.nowMs) > 4_000;
  }

  /** Faults stop: the venue answers, the disk works, one process is up. */
  #calm(): void {
    this.#faults.on = false;
    this.#setClock();
    this.#mode.end();
    this.#telegram.calm();
    this.#person.stop();
    this.#operate();
  }
}

/** Tight caps, so that they are reached; the waits of production. */
function settingsOf() {
  return testSettings({
    risk: {
      maxNotionalPerOrderUsd: dollars(40),
      maxExposurePerOutcomeUsd: dollars(90),
      maxExposurePerMarketUsd: dollars(130),
      maxExposureTotalUsd: dollars(300),
      maxOpenOrders: 20,
      duplicateWindowMs: 500,
    },
  });
}

/** Runs one seed to its end or to the first violation. */
export function simulate(seed: number, options: SimOptions = {}): Promise<SimResult> {
  return new Simulation(seed, options).run();
}
