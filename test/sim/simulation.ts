import type { AccountEvent } from "../../src/engine/protocol/venue-report.ts";
import { dollars, testSettings } from "../engine/support/settings.ts";
import { Chance } from "./chance.ts";
import { Checkers, type Property, type Violation } from "./checkers.ts";
import { EngineProcess, type Surroundings } from "./engine-process.ts";
import { Exchange, type SimTrade } from "./exchange.ts";
import { type Defect, Faults, ProcessDied } from "./faults.ts";
import { judgeEnd } from "./final-check.ts";
import { Scheduler, settlePromises } from "./scheduler.ts";
import { Disk } from "./sim-log.ts";
import { markets, moveBook } from "./sim-market.ts";
import { Trader, trader } from "./trader.ts";

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
/** How long faults strike and the trader trades. */
const activeMs = 300_000;
/** How long the engine has to agree with the venue afterwards: a quarantine, late bookings and settlements fit in. */
const quietMs = 240_000;
/** More events than any seed needs; reaching it is a livelock. */
const maxSteps = 100_000;
const firstCash = 1_000_000_000;

export type SimOptions = {
  /** Deliberate defects to switch on. */
  readonly defects?: readonly Defect[];
  readonly ignored?: readonly Property[];
};

/** One run of the engine in a simulated world, drawn from one seed. */
export class Simulation {
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #scheduler = new Scheduler(startMs);
  readonly #faults: Faults;
  readonly #disk = new Disk();
  readonly #exchange: Exchange;
  readonly #checkers: Checkers;
  readonly #trader: Trader;
  readonly #around: Surroundings;
  #process: EngineProcess | null = null;
  #life = 0;
  #crashes = 0;
  #steps = 0;
  #digest = 0;
  #clockOffsetMs = 0;
  /** A kill whose ledger row is not known to be durable: its message is delivered again after a crash. */
  #killWaits = false;
  readonly #commandsKept = new Set<string>();

  constructor(seed: number, options: SimOptions) {
    const defects = new Set(options.defects);
    const ignored = new Set(options.ignored);
    this.#seed = seed;
    this.#chance = new Chance(seed, "world");
    this.#faults = new Faults(seed);
    const scheduler = this.#scheduler;
    this.#exchange = new Exchange(
      {
        nowMs: () => scheduler.nowMs,
        tell: (event) => this.#tell(event),
        traded: (trade) => this.#settleLater(trade),
      },
      firstCash,
    );
    for (const market of markets) {
      const book = { market, bids: [], asks: [] };
      moveBook(book, this.#chance);
      this.#exchange.books.set(market.conditionId, book);
    }
    const settings = settingsOf(defects);
    const parts = { settings, exchange: this.#exchange, disk: this.#disk, wire: new Map() };
    const checkers = new Checkers({
      ...parts,
      ignored,
      process: () => this.#process?.view() ?? null,
    });
    this.#checkers = checkers;
    const faults = this.#faults;
    const clockOffsetMs = () => this.#clockOffsetMs;
    this.#around = { ...parts, seed, scheduler, faults, defects, checkers, clockOffsetMs };
    this.#trader = new Trader({
      chance: new Chance(seed, "trader"),
      scheduler,
      faults,
      exchange: this.#exchange,
      engine: () => (this.#process?.isAlive === true ? this.#process.engine : null),
      kill: () => this.#kill(),
      resume: (nonce) => this.#resume(nonce),
      onKept: (commandId) => this.#commandsKept.add(commandId),
      onAccepted: (outcome) => this.#checkers.accepted(outcome),
      onError: (error) => this.#broken(error),
    });
  }

  async run(): Promise<SimResult> {
    this.#startProcess();
    this.#trader.start();
    this.#planWorld();
    await this.#runUntil(startMs + activeMs);
    this.#calm();
    await this.#runUntil(startMs + activeMs + quietMs);
    const now = this.#process?.view() ?? null;
    if (now === null) this.#checkers.violate("P10", "the engine does not stay up");
    else if (this.#checkers.violation === null) this.#judgeEnd(now.state);
    return {
      seed: this.#seed,
      steps: this.#steps,
      intents: this.#disk.plansByNonce.size,
      orders: this.#disk.bodies.size,
      kills: this.#trader.kills,
      crashes: this.#crashes,
      faults: this.#faults.counts,
      violation: this.#checkers.violation,
      digest: this.#digest,
    };
  }

  #judgeEnd(state: Parameters<typeof judgeEnd>[2]): void {
    judgeEnd(this.#checkers, this.#around, state);
    for (const commandId of this.#commandsKept) {
      if (this.#disk.answered.has(commandId)) continue;
      this.#checkers.violate("P7", `command ${commandId} was never answered`);
    }
  }

  async #runUntil(untilMs: number): Promise<void> {
    while (this.#checkers.violation === null) {
      const event = this.#scheduler.take(untilMs);
      if (event === null) return;
      this.#steps++;
      if (this.#steps > maxSteps) this.#checkers.violate("P11", `more than ${maxSteps} events`);
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
    this.#checkers.violate("engine", detail);
  }

  #startProcess(): void {
    const process = new EngineProcess(this.#around, ++this.#life, () => this.#afterDeath());
    this.#process = process;
    process.start().catch((error: unknown) => this.#broken(error));
    if (this.#killWaits && !this.#disk.killed) this.#scheduler.after(50, () => this.#kill());
  }

  #afterDeath(): void {
    this.#crashes++;
    const downMs = this.#chance.int(100, 15_000);
    this.#scheduler.after(this.#faults.on ? downMs : 100, () => this.#startProcess());
  }

  #crash(): void {
    if (this.#process?.isAlive !== true) return;
    this.#faults.count("crash.between-events");
    this.#process.crash();
  }

  #kill(): void {
    const process = this.#process;
    this.#killWaits = true;
    if (process === null || !process.isAlive || process.engine === null) return;
    process.killed = true;
    process.kills++;
    process.engine
      .kill(trader, `tg:kill:${process.kills}`, "")
      .then(() => {
        if (this.#disk.killed) this.#killWaits = false;
      })
      .catch((error: unknown) => this.#broken(error));
  }

  #resume(nonce: string): void {
    const process = this.#process;
    if (process?.isAlive !== true || process.engine === null) return;
    const { kills } = process;
    process.engine
      .confirmResume(trader, "tg:resume", nonce)
      .then((resumed) => {
        if (resumed.ok && process.kills === kills) process.killed = false;
      })
      .catch((error: unknown) => this.#broken(error));
  }

  /** Everything that happens by itself while faults are on: books, takers, links, crashes, clock, lease. */
  #planWorld(): void {
    const at = (part: number) => this.#chance.int(activeMs * 0.1, activeMs * part);
    this.#scheduler.after(at(0.9), () => this.#crash());
    this.#scheduler.after(at(0.9), () => this.#crash());
    this.#scheduler.after(at(0.7), () => this.#trader.kill());
    this.#every(300, 2_500, () => this.#moveMarket());
    this.#every(2_000, 12_000, () => this.#fillResting());
    this.#every(20_000, 120_000, () => this.#loseUserStream());
    this.#every(20_000, 120_000, () => this.#loseMarketStream());
    this.#every(30_000, 300_000, () => this.#stepClock());
    this.#every(100_000, 900_000, () => this.#loseLease());
    this.#every(1_000, 1_000, () => this.#answerCommands());
    this.#every(5_000, 5_000, () => this.#operate());
  }

  #every(fromMs: number, toMs: number, happen: () => void): void {
    this.#scheduler.after(this.#chance.int(fromMs, toMs), () => {
      happen();
      this.#every(fromMs, toMs, happen);
    });
  }

  #moveMarket(): void {
    const book = this.#chance.pick([...this.#exchange.books.values()]);
    if (book === undefined) return;
    moveBook(book, this.#chance);
    if (this.#process?.isAlive === true) this.#process.market.publish(book.market.conditionId);
  }

  #fillResting(): void {
    if (!this.#faults.on) return;
    const order = this.#chance.pick(this.#exchange.live());
    if (order === undefined) return;
    const part = this.#chance.happens(0.5) ? 1 : this.#chance.next();
    this.#exchange.fillResting(order, Math.ceil(order.draft.size * part));
  }

  #loseUserStream(): void {
    if (!this.#faults.on || this.#process?.isAlive !== true) return;
    this.#faults.count("link.user");
    this.#process.venue.loseStream(this.#chance.int(500, 25_000));
  }

  #loseMarketStream(): void {
    if (!this.#faults.on || this.#process?.isAlive !== true) return;
    this.#faults.count("link.market");
    this.#process.market.lose(this.#chance.int(500, 15_000));
  }

  #stepClock(): void {
    if (!this.#faults.on) return;
    this.#faults.count("clock.step");
    this.#clockOffsetMs = this.#chance.int(-1_500, 1_500);
  }

  #loseLease(): void {
    if (!this.#faults.on || this.#process?.isAlive !== true) return;
    this.#faults.count("lease.lost");
    this.#process.leaseHeld = false;
  }

  /** The chat's side: every command that the ledger holds is answered. */
  #answerCommands(): void {
    const engine = this.#process?.isAlive === true ? this.#process.engine : null;
    if (engine === null) return;
    for (const { commandId } of engine.pendingCommands()) {
      engine.answer(commandId, "answered", "", []).catch(() => undefined);
    }
  }

  /** The operator: a process without lease or with a failed disk is started anew after a while. */
  #operate(): void {
    const process = this.#process;
    if (process?.isAlive !== true || (process.leaseHeld && !process.diskFailed)) return;
    if (!this.#faults.on || this.#chance.happens(0.3)) process.crash();
  }

  #tell(event: AccountEvent): void {
    if (this.#process?.isAlive === true) this.#process.venue.tell(event);
  }

  #settleLater(trade: SimTrade): void {
    const { fault, chance } = this.#faults.decide("settle", trade.tradeId, {
      none: 88,
      failed: 12,
    });
    this.#scheduler.after(chance.int(1_500, 30_000), () => {
      this.#exchange.settle(trade, fault === "failed" ? "failed" : "confirmed");
    });
  }

  /** Faults stop: the venue answers, the disk works, one process is up. */
  #calm(): void {
    this.#faults.on = false;
    this.#trader.stop();
    this.#operate();
  }
}

/** Tight caps, so that they are reached; the waits of production. */
function settingsOf(defects: ReadonlySet<Defect>) {
  const hasty = defects.has("released-on-first-absence");
  return testSettings({
    risk: {
      maxNotionalPerOrderUsd: dollars(40),
      maxExposurePerOutcomeUsd: dollars(90),
      maxExposurePerMarketUsd: dollars(130),
      maxExposureTotalUsd: dollars(300),
      maxOpenOrders: 20,
      duplicateWindowMs: 500,
    },
    ...(hasty ? { waits: { quarantineMs: 0, quarantineCleanReads: 1 } } : {}),
  });
}

/** Runs one seed to its end or to the first violation. */
export function simulate(seed: number, options: SimOptions = {}): Promise<SimResult> {
  return new Simulation(seed, options).run();
}
