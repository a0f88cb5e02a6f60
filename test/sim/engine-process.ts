import type { LogRecord } from "../../src/engine/ports/durable-log.ts";
import type { FaultPoint } from "../../src/engine/ports/system.ts";
import type { EngineSettings } from "../../src/engine/protocol/settings.ts";
import { Desk, type DeskDeps } from "../../src/engine/runtime/desk.ts";
import { Engine } from "../../src/engine/runtime/engine.ts";
import { plainHasher } from "../engine/support/hasher.ts";
import { Chance } from "./chance.ts";
import type { Checkers, ProcessView } from "./checkers.ts";
import type { Exchange } from "./exchange.ts";
import { type Defect, type Faults, ProcessDied } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Disk, SimLog } from "./sim-log.ts";
import { SimMarket } from "./sim-market.ts";
import { SimVenue, type Wire } from "./sim-venue.ts";

export type Surroundings = {
  readonly seed: number;
  readonly settings: EngineSettings;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly exchange: Exchange;
  readonly disk: Disk;
  readonly wire: Wire;
  readonly defects: ReadonlySet<Defect>;
  readonly checkers: Checkers;
  /** Wall clock of this machine less virtual time, in milliseconds. */
  readonly clockOffsetMs: () => number;
};

/** One life of the engine on simulated ports. After `crash` nothing of it reaches the outside any more. */
export class EngineProcess {
  readonly venue: SimVenue;
  readonly market: SimMarket;
  readonly log: SimLog;
  leaseHeld = true;
  /** Accepted in this life; the ledger's word is looked at besides. */
  killed = false;
  /** How many kills were asked of this life, so that an earlier resume does not end a later kill. */
  kills = 0;
  engine: Engine | null = null;
  readonly #around: Surroundings;
  readonly #deps: DeskDeps;
  readonly #onDeath: () => void;
  #isAlive = true;
  #diskFailed = false;
  #dieAt: { readonly point: FaultPoint; left: number } | null;

  constructor(around: Surroundings, life: number, onDeath: () => void) {
    this.#around = around;
    this.#onDeath = onDeath;
    const { scheduler, faults, exchange, wire, defects, disk } = around;
    const forgetsEnded = new Chance(around.seed, "forgets").happens(0.25);
    const chance = new Chance(around.seed, `life:${life}`);
    const isAlive = () => this.#isAlive;
    this.#dieAt = chance.happens(0.5)
      ? { point: `K${chance.int(0, 17)}` as FaultPoint, left: chance.int(1, 12) }
      : null;
    const onPostStart = (order: Parameters<Checkers["postStarted"]>[0]) =>
      around.checkers.postStarted(order);
    const parts = { exchange, scheduler, faults, isAlive };
    this.venue = new SimVenue({ ...parts, wire, defects, forgetsEnded, onPostStart });
    this.market = new SimMarket(parts);
    const onAppend = (records: readonly LogRecord[]) => around.checkers.appended(records);
    const onPowerLoss = () => this.crash();
    this.log = new SimLog({
      disk,
      scheduler,
      faults,
      chance,
      isAlive,
      onPowerLoss,
      onAppend,
      defects,
    });
    this.#deps = this.#depsOf(new Chance(around.seed, `entropy:${life}`));
  }

  #depsOf(entropy: Chance): DeskDeps {
    const { scheduler, settings, clockOffsetMs, defects } = this.#around;
    return {
      settings,
      log: this.log,
      venue: this.venue,
      marketData: this.market,
      catalog: this.market,
      hasher: plainHasher,
      clock: {
        nowMs: () => scheduler.nowMs + clockOffsetMs(),
        monotonicMs: () => scheduler.nowMs,
        after: (delayMs, callback) =>
          scheduler.after(delayMs, () => {
            if (this.#isAlive) callback();
          }),
      },
      entropy: {
        hex: (bytes) => entropy.hex(bytes),
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
      leaseHeld: () => this.leaseHeld || defects.has("lease-not-looked-at"),
      tickMs: 250,
      snapshotWaitMs: 2_000,
      bookRefreshAgeMs: 2_000,
      ledgerCommitMaxMs: 2_000,
      canaryMs: 15_000,
      maxSetMarkets: 100,
    };
  }

  /** Folds the ledger and starts. */
  async start(): Promise<void> {
    const folded = await Desk.prepare(this.#deps);
    if (!this.#isAlive) return;
    this.engine = new Engine(this.#deps, folded);
    this.killed = this.#around.disk.killed;
    this.#around.checkers.restarted(folded.state);
    this.engine.start();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  view(): ProcessView | null {
    if (!this.#isAlive || this.engine === null) return null;
    const { killed, leaseHeld } = this;
    return { state: this.engine.state, killed, leaseHeld, diskFailed: this.#diskFailed };
  }

  get diskFailed(): boolean {
    return this.#diskFailed;
  }

  crash(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.log.crash();
    this.#around.checkers.crashed();
    this.#onDeath();
  }

  #hit(point: FaultPoint): void {
    if (!this.#isAlive) throw new ProcessDied(point);
    if (this.#dieAt?.point !== point || !this.#around.faults.on) return;
    if (--this.#dieAt.left > 0) return;
    this.#around.faults.count("crash.at-point");
    this.crash();
    throw new ProcessDied(point);
  }
}
