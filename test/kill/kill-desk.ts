// A desk for crashes: venue, chat and proxy live on while the service is killed. Everything waits on conditions.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Desk, traders } from "../../src/bot/local/desk.ts";
import { type DeskState, openDeskState } from "../../src/bot/local/desk-state.ts";
import { parseScript } from "../../src/bot/local/script-parse.ts";
import { ScriptRunner } from "../../src/bot/local/script-run.ts";
import { describeEvent } from "../../src/bot/local/script-transcript.ts";
import { FaultProxy } from "../faults/proxy.ts";
import { judge } from "./judge.ts";
import { LedgerRecord, readVenue } from "./records.ts";
import { scaledOverrides, scaledSettleMs } from "./scaled-waits.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const settleMaxMs = 20_000;
const pollMs = 25;
const armedDeathMs = 6_000;

/** Something that had to happen did not; the cycle it happened in is judged by it. */
export class CycleFailure extends Error {
  override readonly name = "CycleFailure";
}

/** Caps and breakers out of the way: they have their own tests, and a cycle must be able to trade. */
const unbounded = [
  ...["per_outcome", "per_market", "per_event", "per_strategy", "total"].map(
    (what) => `risk.max_exposure_${what}_usd=1000000`,
  ),
  "risk.max_daily_loss_usd=1000000",
  "risk.max_daily_volume_usd=10000000",
  "risk.breaker_rejects_per_minute=10000",
  "risk.breaker_orders_per_minute=100000",
  "risk.breaker_failures_in_row=1000",
  "risk.breaker_slow_acks=1000",
  "risk.repeat_max_executions=10000",
  "risk.message_rate_max=100000",
  "risk.duplicate_window_ms=0",
  "service.tick_ms=20",
  "telegram.resume_wait_ms=0",
  "dutch.max_size=10",
] as const;

export class KillDesk implements AsyncDisposable {
  readonly desk: Desk;
  readonly proxy: FaultProxy;
  readonly dir: string;
  readonly ledger: LedgerRecord;
  readonly #state: DeskState;
  readonly #runner: ScriptRunner;
  restarts = 0;
  /** A leg of the set was made cheap once, so that the set pays. */
  hasCheapSet = false;

  private constructor(parts: {
    readonly desk: Desk;
    readonly proxy: FaultProxy;
    readonly dir: string;
    readonly state: DeskState;
  }) {
    const { desk, proxy, dir, state } = parts;
    this.desk = desk;
    this.proxy = proxy;
    this.dir = dir;
    this.ledger = new LedgerRecord(dir);
    this.#state = state;
    this.#runner = new ScriptRunner({
      emulator: desk.emulator,
      desk,
      userId: traders[0].id,
      signal: desk.broken,
    });
  }

  static async open(timeScale: number): Promise<KillDesk> {
    const dir = mkdtempSync(join(tmpdir(), "kill-desk-"));
    const state = openDeskState(dir, false);
    const settle = String(scaledSettleMs(timeScale));
    const proxy = await FaultProxy.open(() => Number(new URL(desk.venueUrl).port));
    const desk: Desk = new Desk({
      state,
      transport: "poll",
      mainFile,
      venueArgs: ["--still", "--settle-ms", settle],
      overrides: [...scaledOverrides(timeScale), ...unbounded, `relayer.base_url=${proxy.url}`],
      armedDeathMs,
    });
    const one = new KillDesk({ desk, proxy, dir, state });
    try {
      await desk.start();
    } catch (error) {
      await one[Symbol.asyncDispose]();
      throw error;
    }
    return one;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.desk.stop();
    await this.proxy[Symbol.asyncDispose]();
    this.#state[Symbol.dispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs lines of the script language. Throws CycleFailure where one does not hold. */
  async play(script: string): Promise<void> {
    const { failed } = await this.#runner.runAll(parseScript(script));
    if (failed !== null) throw new CycleFailure(`${failed.line.source}: ${failed.reason}`);
  }

  /** Presses every visible button that matches; returns how many there were. */
  pressAll(pattern: RegExp): number {
    const pressed = this.desk.emulator.history(traders[0].id).flatMap((message) => {
      const rows = message.reply_markup?.inline_keyboard ?? [];
      const hits = rows.flat().filter((button) => pattern.test(button.text));
      return hits.map((button) => ({ id: message.message_id, data: button.callback_data ?? "" }));
    });
    for (const { id, data } of pressed) this.#runner.pressButton(id, data);
    return pressed.length;
  }

  /** Waits for a death that was armed, and starts the service again on the same files. */
  async restart(): Promise<void> {
    await this.play("!restart");
    this.restarts += 1;
  }

  /** Removes every fault of the venue and of the way to it. */
  async clearFaults(): Promise<void> {
    this.proxy.clear();
    await fetch(`${this.desk.venueUrl}/paper/faults`, { method: "DELETE" });
  }

  async until(what: string, check: () => boolean): Promise<void> {
    const endMs = Date.now() + settleMaxMs;
    while (!check()) {
      if (Date.now() > endMs) throw new CycleFailure(`never: ${what}`);
      await this.desk.emulator.until(() => undefined, pollMs);
    }
  }

  /** Waits until both sides agree and nothing is under way. Throws CycleFailure with what does not hold. */
  async settle(): Promise<void> {
    let faults: readonly string[] = ["not looked yet"];
    const look = (): boolean => {
      faults = this.#judge();
      return faults.length === 0;
    };
    try {
      await this.until("both sides agree", look);
    } catch (error) {
      throw error instanceof CycleFailure ? new CycleFailure(faults.join("; ")) : error;
    }
  }

  get venue(): ReturnType<typeof readVenue> {
    return readVenue(this.dir);
  }

  /** Confirmed shares of an outcome of one market that may be sold, in millionths. */
  sharesOf(conditionId: string, outcome: 0 | 1): number {
    this.ledger.read();
    const held = [...this.ledger.state.positions.values()];
    const one = held.find((held) => held.conditionId === conditionId && held.outcome === outcome);
    return one === undefined ? 0 : one.confirmed - one.provisionalSold;
  }

  /**
   * A commit or the loop was slower than the limit, so the service halted as it must: true of a machine that is busy with
   * other work, and nothing that the crash did.
   */
  get wasTooSlow(): boolean {
    this.ledger.read();
    return this.ledger.state.halt?.reason === "ledger_failed";
  }

  /** What was said last and what the service logged, for the reader of a violation. */
  transcript(): string {
    const said = this.desk.emulator.events.slice(-30).map(describeEvent);
    return [...said, "service log tail:", ...this.desk.serviceLogTail(20)].join("\n");
  }

  #judge(): readonly string[] {
    const { emulator } = this.desk;
    this.ledger.read();
    return judge({
      ledger: this.ledger,
      venue: this.venue,
      updatesSent: emulator.events.filter((event) => event.dir === "in").length,
      updatesPending: emulator.pendingUpdates,
      requests: this.proxy.requests,
    });
  }
}
