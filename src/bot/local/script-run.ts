// Runs the actions of a script against a chat and a desk. The prompt uses the same runner, line by line.
import type { BotApiEmulator } from "./emulator.ts";
import { readFault } from "./emulator-faults.ts";
import { EmulatorUseError } from "./emulator-refusal.ts";
import type { ChatEvent, ChatType } from "./emulator-types.ts";
import { describeEvent } from "./script-transcript.ts";
import type { CodeChoice, FaultParams, ScriptAction, ScriptLine, Wanted } from "./script-types.ts";
import { ScriptFailure } from "./script-types.ts";

/** What a script does beside the chat. Every method throws `ScriptFailure` when it could not. */
export interface ScriptDesk {
  holdMarket(slug: string, hold: boolean): Promise<void>;
  moveMarket(slug: string, ticks: number): Promise<void>;
  editRules(slug: string, description: string): Promise<void>;
  /** Body of a GET as the account's owner, as compact JSON. */
  readVenue(path: string): Promise<string>;
  faultVenue(name: string, params: FaultParams): Promise<void>;
  /** Arms a named point, or kills at once for "now". */
  crash(point: string): Promise<void>;
  restart(): Promise<void>;
  /** One-time code so many 30-second steps from now. */
  resumeCode(stepsAhead: 0 | 1): string;
}

/** Times that hold when a line names none. */
export interface ScriptTimes {
  readonly pressMs: number;
  readonly expectMs: number;
  readonly refuteMs: number;
  readonly venueMs: number;
  readonly venuePollMs: number;
}

export const scriptTimes: ScriptTimes = {
  pressMs: 5_000,
  expectMs: 10_000,
  refuteMs: 2_000,
  venueMs: 5_000,
  venuePollMs: 100,
};

export interface ScriptRunnerOptions {
  readonly emulator: BotApiEmulator;
  readonly desk: ScriptDesk;
  /** The first sender, in a private chat. */
  readonly userId: number;
  readonly times?: ScriptTimes;
  /** Fires when the desk broke: every wait ends at once. */
  readonly signal?: AbortSignal;
}

export interface ScriptResult {
  /** Null when every expectation held. */
  readonly failed: { readonly line: ScriptLine; readonly reason: string } | null;
  readonly seen: readonly ChatEvent[];
}

export class ScriptRunner {
  readonly #emulator: BotApiEmulator;
  readonly #desk: ScriptDesk;
  readonly #times: ScriptTimes;
  readonly #signal: AbortSignal | undefined;
  #userId: number;
  #chatType: ChatType = "private";
  #ageSeconds = 0;
  #lastQueryId: string | null = null;
  #lastCode: string | null = null;
  /** Events after this one count for expectations. */
  #sinceSeq: number;

  constructor(options: ScriptRunnerOptions) {
    this.#emulator = options.emulator;
    this.#desk = options.desk;
    this.#userId = options.userId;
    this.#times = options.times ?? scriptTimes;
    this.#signal = options.signal;
    this.#sinceSeq = options.emulator.chats.lastSeq;
  }

  get userId(): number {
    return this.#userId;
  }

  get chatId(): number {
    return this.#emulator.chats.chatOf(this.#userId, this.#chatType).chat.id;
  }

  /** What the bot showed in the current chat since the last line that sent something. */
  get seen(): readonly ChatEvent[] {
    const { chatId } = this;
    return this.#emulator.events.filter(
      (event) =>
        event.seq > this.#sinceSeq &&
        event.dir === "out" &&
        event.chatId === chatId &&
        event.kind !== "delete" &&
        (event.kind !== "callback_answer" || event.userId === this.#userId),
    );
  }

  async runAll(lines: readonly ScriptLine[]): Promise<ScriptResult> {
    for (const line of lines) {
      try {
        await this.run(line.action);
      } catch (error) {
        if (!(error instanceof ScriptFailure)) throw error;
        return { failed: { line, reason: error.message }, seen: this.seen };
      }
    }
    return { failed: null, seen: this.seen };
  }

  /** Throws `ScriptFailure` when the action could not be done or the expectation did not hold. */
  async run(action: ScriptAction): Promise<void> {
    if (this.#signal?.aborted === true) throw new ScriptFailure("the desk stopped");
    switch (action.kind) {
      case "say":
        return this.#say(action.text);
      case "code":
        return this.#say(action.before + this.#code(action.which));
      case "as":
        this.#userId = action.userId;
        this.#chatType = action.chatType;
        return;
      case "age":
        this.#ageSeconds = action.seconds;
        return;
      case "sleep":
        // A script asks for this wait by name; nothing else in the desk sleeps.
        await this.#emulator.until(() => undefined, action.seconds * 1000, this.#signal);
        return;
      case "press":
        return this.#pressVisible(action.wanted);
      case "again":
        return this.#pressAgain();
      case "stale":
        return this.#pressStale(action.wanted);
      case "expect":
        return this.#expect(action.wanted);
      case "refute":
        return this.#refute(action.wanted);
      case "count":
        return this.#count(action.times, action.wanted);
      case "hold":
        return this.#desk.holdMarket(action.slug, action.hold);
      case "move":
        return this.#desk.moveMarket(action.slug, action.ticks);
      case "rules":
        return this.#desk.editRules(action.slug, action.description);
      case "venue":
        return this.#matchVenue(action.path, action.wanted);
      case "fault":
        return this.#fault(action.target, action.name, action.params);
      case "crash":
        return this.#desk.crash(action.point);
      case "restart":
        return this.#desk.restart();
    }
  }

  /** Body of a GET at the paper venue as the account's owner, for the prompt. */
  readVenue(path: string): Promise<string> {
    return this.#desk.readVenue(path);
  }

  /** Presses a button of a given message, as the prompt does by number. */
  pressButton(messageId: number, data: string): void {
    const options = { chatType: this.#chatType, ageSeconds: this.#takeAge() };
    this.#markSent();
    this.#lastQueryId = this.#emulator.press(this.#userId, messageId, { data }, options);
  }

  #say(text: string): void {
    const options = { chatType: this.#chatType, ageSeconds: this.#takeAge() };
    this.#markSent();
    this.#emulator.send(this.#userId, text, options);
  }

  #code(which: CodeChoice): string {
    if (which !== "last") this.#lastCode = this.#desk.resumeCode(which === "next" ? 1 : 0);
    if (this.#lastCode === null) throw new ScriptFailure("no code was said yet");
    return this.#lastCode;
  }

  #markSent(): void {
    this.#sinceSeq = this.#emulator.chats.lastSeq;
  }

  #takeAge(): number {
    const seconds = this.#ageSeconds;
    this.#ageSeconds = 0;
    return seconds;
  }

  async #pressVisible({ pattern, seconds }: Wanted): Promise<void> {
    const { chatId } = this;
    const find = (): ReturnType<BotApiEmulator["chats"]["visibleButton"]> =>
      this.#emulator.chats.visibleButton(chatId, pattern);
    const button = await this.#wait(find, seconds, this.#times.pressMs);
    if (button === undefined)
      throw new ScriptFailure(`no visible button matches ${pattern.source}`);
    this.pressButton(button.messageId, button.data);
  }

  async #pressStale({ pattern, seconds }: Wanted): Promise<void> {
    const { chatId } = this;
    const find = (): ReturnType<BotApiEmulator["chats"]["staleButton"]> =>
      this.#emulator.chats.staleButton(chatId, pattern);
    const button = await this.#wait(find, seconds, this.#times.pressMs);
    if (button === undefined) {
      throw new ScriptFailure(`no removed or replaced button matches ${pattern.source}`);
    }
    this.pressButton(button.messageId, button.data);
  }

  #pressAgain(): void {
    if (this.#lastQueryId === null) throw new ScriptFailure("nothing was pressed yet");
    this.#markSent();
    this.#lastQueryId = this.#emulator.pressAgain(this.#lastQueryId);
  }

  async #expect({ pattern, seconds }: Wanted): Promise<void> {
    const hit = await this.#wait(
      () => this.seen.find((event) => matches(event, pattern)),
      seconds,
      this.#times.expectMs,
    );
    if (hit === undefined) throw new ScriptFailure("nothing seen matches");
  }

  async #refute({ pattern, seconds }: Wanted): Promise<void> {
    const hit = await this.#wait(
      () => this.seen.find((event) => matches(event, pattern)),
      seconds,
      this.#times.refuteMs,
    );
    if (hit !== undefined) throw new ScriptFailure(`seen although refuted: ${describeEvent(hit)}`);
  }

  /** Waits for N as `expect` does, then as long as `refute` does for one too many. */
  async #count(times: number, { pattern, seconds }: Wanted): Promise<void> {
    const count = (): number => this.seen.filter((event) => matches(event, pattern)).length;
    const reached = (wanted: number) => (): true | undefined =>
      count() >= wanted ? true : undefined;
    await this.#wait(reached(times), seconds, this.#times.expectMs);
    if (count() === times) await this.#wait(reached(times + 1), null, this.#times.refuteMs);
    if (count() !== times) throw new ScriptFailure(`seen ${count()} times instead of ${times}`);
  }

  async #matchVenue(path: string, { pattern, seconds }: Wanted): Promise<void> {
    const endMs = Date.now() + (seconds === null ? this.#times.venueMs : seconds * 1000);
    let body = await this.#desk.readVenue(path);
    while (!pattern.test(body)) {
      if (Date.now() >= endMs || this.#signal?.aborted === true) {
        throw new ScriptFailure(`GET ${path} answered ${body.slice(0, 2_000)}`);
      }
      await this.#emulator.until(() => undefined, this.#times.venuePollMs, this.#signal);
      body = await this.#desk.readVenue(path);
    }
  }

  async #fault(target: "venue" | "chat", name: string, params: FaultParams): Promise<void> {
    if (target === "venue") return this.#desk.faultVenue(name, params);
    try {
      this.#emulator.fault(readFault(name, params));
    } catch (error) {
      throw error instanceof EmulatorUseError ? new ScriptFailure(error.message) : error;
    }
  }

  async #wait<T>(
    check: () => T | undefined,
    seconds: number | null,
    defaultMs: number,
  ): Promise<T | undefined> {
    const timeoutMs = seconds === null ? defaultMs : seconds * 1000;
    const found = await this.#emulator.until(check, timeoutMs, this.#signal);
    if (this.#signal?.aborted === true) throw new ScriptFailure("the desk stopped");
    return found;
  }
}

/** Whether the text, the caption, the callback answer or a button label of an event matches. */
function matches(event: ChatEvent, pattern: RegExp): boolean {
  const labels = event.buttons.flat().map((button) => button.text);
  return [event.text, ...labels].some((part) => part !== "" && pattern.test(part));
}
