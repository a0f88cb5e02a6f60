// A desk inside the test's own process: the paper venue and the service are its children, so a crash test can kill the
// service while the venue and the chat live on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { Desk, traders } from "../../src/bot/local/desk.ts";
import { openDeskState } from "../../src/bot/local/desk-state.ts";
import type { ChatEvent } from "../../src/bot/local/emulator-types.ts";
import { parseScript } from "../../src/bot/local/script-parse.ts";
import { ScriptRunner } from "../../src/bot/local/script-run.ts";
import { describeEvent } from "../../src/bot/local/script-transcript.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const untilMs = 20_000;
const pollMs = 50;
const tailMax = 40;

/** Waits of the protocol a tenth as long, so that a quarantine passes in a second; time limits keep their length. */
const scaledWaits = [
  "venue_waits.time_scale=10",
  "venue_waits.quarantine_ms=30000",
  "venue_waits.post_timeout_ms=30000",
  "venue_waits.read_timeout_ms=30000",
  "venue_waits.connect_timeout_ms=30000",
  "venue_waits.order_deadline_ms=30000",
  "venue_waits.ledger_commit_max_ms=60000",
  "venue_waits.feed_lost_after_ms=120000",
  // A service that stays dead for long on a busy machine must find its resting orders again.
  "relayer.heartbeat=off",
  "telegram.trouble_clear_ms=8000",
] as const;

/** One request as the venue received it; status 0 was never answered. */
export interface VenueRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface VenueTrade {
  readonly taker_order_id: string;
  readonly asset_id: string;
  readonly side: "BUY" | "SELL";
  readonly size: string;
  readonly price: string;
  readonly status: string;
  readonly maker_orders: readonly { readonly price: string; readonly matched_amount: string }[];
}

export interface VenueOrder {
  readonly id: string;
  readonly original_size: string;
  readonly size_matched: string;
}

interface Page<T> {
  readonly data: readonly T[];
}

export class DeskRig implements AsyncDisposable {
  readonly desk: Desk;
  /** The desk's folder; the service's state folder is in it. */
  readonly dir: string;
  readonly #runner: ScriptRunner;
  readonly #release: () => void;

  private constructor(desk: Desk, dir: string, release: () => void) {
    this.desk = desk;
    this.dir = dir;
    this.#release = release;
    this.#runner = new ScriptRunner({
      emulator: desk.emulator,
      desk,
      userId: traders[0].id,
      signal: desk.broken,
    });
  }

  /**
   * Starts a desk on a state of its own; `venueArgs` go to the paper venue, `overrides` (section.key=value) to the service.
   * `withCodes`: resuming needs one-time codes.
   */
  static async open(
    venueArgs: readonly string[] = ["--still"],
    overrides: readonly string[] = [],
    withCodes = false,
  ): Promise<DeskRig> {
    const dir = mkdtempSync(join(tmpdir(), "desk-rig-"));
    const state = openDeskState(dir, false, withCodes);
    const desk = new Desk({
      state,
      transport: "poll",
      mainFile,
      venueArgs,
      overrides: [...scaledWaits, ...overrides],
    });
    const rig = new DeskRig(desk, dir, () => state[Symbol.dispose]());
    try {
      await desk.start();
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
    return rig;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.desk.stop();
    this.#release();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Runs lines of the script language and fails the test where a line does not hold. */
  async play(script: string): Promise<void> {
    const { failed } = await this.#runner.runAll(parseScript(script));
    if (failed === null) return;
    expect.fail(`${failed.line.source}\n  ${failed.reason}\n${this.transcript()}`);
  }

  /** What was said, for the reader of a red test. */
  transcript(): string {
    const said = this.desk.emulator.events.slice(-tailMax).map(describeEvent);
    return [...said, "service log tail:", ...this.desk.serviceLogTail(15)].join("\n");
  }

  /** Messages to the first trader that match, over the whole life of the desk; edits do not count. */
  told(pattern: RegExp): readonly ChatEvent[] {
    return this.desk.emulator.events.filter(
      (event) =>
        event.dir === "out" &&
        event.kind === "message" &&
        event.chatId === traders[0].id &&
        pattern.test(event.text),
    );
  }

  /** Presses every visible button whose label matches, oldest first; returns how many there were. */
  pressAll(pattern: RegExp): number {
    const pressed = this.desk.emulator.history(traders[0].id).flatMap((message) => {
      const rows = message.reply_markup?.inline_keyboard ?? [];
      const hits = rows.flat().filter((button) => pattern.test(button.text));
      return hits.map((button) => ({ id: message.message_id, data: button.callback_data ?? "" }));
    });
    for (const { id, data } of pressed) this.#runner.pressButton(id, data);
    return pressed.length;
  }

  /** Waits until `check` holds, looking again and again; fails with the transcript after a bound. */
  async until(what: string, check: () => Promise<boolean> | boolean): Promise<void> {
    const endMs = Date.now() + untilMs;
    while (!(await check())) {
      if (Date.now() > endMs) expect.fail(`never: ${what}\n${this.transcript()}`);
      await this.desk.emulator.until(() => undefined, pollMs);
    }
  }

  /** The requests that would place an order, as the venue received them. */
  async posts(): Promise<readonly VenueRequest[]> {
    const log = await this.#read<readonly VenueRequest[]>("/paper/log?path=^/orders?$");
    return log.filter((one) => one.method === "POST");
  }

  async trades(): Promise<readonly VenueTrade[]> {
    return (await this.#read<Page<VenueTrade>>("/data/trades")).data;
  }

  async openOrders(): Promise<readonly VenueOrder[]> {
    return (await this.#read<Page<VenueOrder>>("/data/orders")).data;
  }

  /** Free collateral in micro-dollars, or shares of a token in micro-shares. */
  async balance(tokenId: string | null = null): Promise<number> {
    const asset =
      tokenId === null ? "asset_type=COLLATERAL" : `asset_type=CONDITIONAL&token_id=${tokenId}`;
    const { balance } = await this.#read<{ balance: string }>(`/balance-allowance?${asset}`);
    return Number(balance);
  }

  async #read<T>(path: string): Promise<T> {
    return JSON.parse(await this.desk.readVenue(path)) as T;
  }
}
