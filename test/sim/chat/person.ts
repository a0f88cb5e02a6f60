import type { Chance } from "../chance.ts";
import type { Faults } from "../faults.ts";
import type { Scheduler } from "../scheduler.ts";
import { markets } from "../sim-market.ts";
import type { SimTelegram } from "./telegram.ts";
import type { ShownMessage } from "./updates.ts";

/** Two people on the whitelist, and one who is not. */
export const trader = 7;
export const otherTrader = 8;
const stranger = 666;
export const whitelist: readonly number[] = [trader, otherTrader];

/** Older than this a command that raises risk is refused. */
const messageMaxAgeMs = 60_000;
/** More commands than the bot lets wait. */
const floodSize = 230;

const resumeEveryMs = 12_000;
/** How soon people want to trade again after a kill, at the earliest. */
const killedForMs = 2_500;

const killWords = ["/kill", "KILL", "kill it all", "/kill now please", "kill!"] as const;

const actions = {
  buy: 46,
  rest: 18,
  sell: 13,
  arb: 5,
  split: 6,
  merge: 6,
  orders: 14,
  "cancel-all": 1,
  kill: 0.5,
  resume: 5,
  status: 5,
  nonsense: 3,
  stranger: 1,
  flood: 0.08,
} as const;

type Action = keyof typeof actions;

export type PersonParts = {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly telegram: SimTelegram;
};

/** People with a chat: they write, read what is shown, press once, twice, late or what is not theirs. */
export class Person {
  kills = 0;
  readonly #parts: PersonParts;
  #isActive = true;
  #isHasty = true;
  #resumedAtMs = 0;
  /** When somebody killed last and nobody has pressed Resume since. */
  #killedAtMs: number | null = null;

  constructor(parts: PersonParts) {
    this.#parts = parts;
  }

  start(): void {
    const { scheduler, chance } = this.#parts;
    const waitMs = this.#isHasty ? chance.int(100, 1_500) : chance.int(1_500, 3_500);
    scheduler.after(waitMs, () => {
      if (!this.#isActive) return;
      this.#act(this.#wantsResume() && chance.happens(0.6) ? "resume" : chance.weighted(actions));
      this.start();
    });
  }

  /** From now on nobody kills or hurries, so that trading comes to something. */
  settle(): void {
    this.#isHasty = false;
  }

  stop(): void {
    this.#isActive = false;
  }

  /** Reads a message and perhaps presses one of its buttons. */
  read(message: ShownMessage): void {
    if (!this.#isActive || message.chatId !== trader) return;
    for (const data of message.buttons) this.#consider(message, data);
  }

  kill(): void {
    const { chance, faults } = this.#parts;
    if (!this.#isHasty) return;
    this.kills++;
    this.#killedAtMs = this.#parts.scheduler.nowMs;
    const isEdit = chance.happens(0.15);
    const words = chance.pick(killWords) ?? "/kill";
    const isLate = chance.happens(0.2);
    if (isLate) faults.count("chat.late-kill");
    const delayMs = isLate ? chance.int(messageMaxAgeMs, messageMaxAgeMs + 20_000) : this.#lag();
    this.#write(words, { delayMs, isEdit });
  }

  #act(action: Action): void {
    const { chance } = this.#parts;
    switch (action) {
      case "buy":
      case "sell":
      case "rest":
        return this.#trade(action);
      case "arb":
        return this.#write("/arb");
      case "split":
        return this.#write(`/split ${this.#slug()} $${chance.int(2, 25)}`);
      case "merge":
        return this.#write(`/merge ${this.#slug()} max`);
      case "orders":
        return this.#write(chance.happens(0.8) ? "/orders" : "/positions");
      case "cancel-all":
        return this.#write("/cancel all");
      case "kill":
        return this.kill();
      case "resume":
        return this.#resume();
      case "status":
        return this.#write("/status");
      case "nonsense":
        return this.#write(chance.pick(nonsense) ?? "");
      case "stranger":
        this.#parts.faults.count("chat.stranger");
        return this.#write(chance.happens(0.5) ? "/kill" : "/buy market-1 yes $10", {
          userId: stranger,
        });
      default:
        return this.#flood();
    }
  }

  #slug(): string {
    return this.#parts.chance.pick(markets)?.slug ?? "";
  }

  #wantsResume(): boolean {
    const sinceMs = this.#killedAtMs;
    return sinceMs !== null && this.#parts.scheduler.nowMs - sinceMs > killedForMs;
  }

  /** A newer offer ends the older one: nobody asks again before he has pressed. */
  #resume(): void {
    const { nowMs } = this.#parts.scheduler;
    if (nowMs - this.#resumedAtMs < resumeEveryMs) return;
    this.#resumedAtMs = nowMs;
    this.#write("/resume");
  }

  #trade(action: "buy" | "sell" | "rest"): void {
    const { chance, faults } = this.#parts;
    const market = chance.pick(markets);
    if (market === undefined) return;
    const isYes = chance.happens(0.7);
    const base = market.groupId === null ? 48 : isYes ? 30 : 70;
    const sells = action === "sell" || (action === "rest" && chance.happens(0.2));
    const dollars = (chance.int(100, 4_500) / 100).toFixed(2);
    const amount = sells
      ? `${chance.int(10, 100)}%`
      : action === "rest"
        ? `${chance.int(5, 60)}sh`
        : `$${dollars}`;
    const limit = action === "rest" ? ` @0.${base + chance.int(-4, 4)}` : "";
    const life =
      action === "rest" && chance.happens(0.9)
        ? " gtd=90s"
        : action !== "rest" && chance.happens(0.15)
          ? " fok"
          : "";
    const verb = sells ? "sell" : "buy";
    const isLate = chance.happens(0.02);
    if (isLate) faults.count("chat.late-command");
    this.#write(`/${verb} ${market.slug} ${isYes ? "yes" : "no"} ${amount}${limit}${life}`, {
      delayMs: isLate ? messageMaxAgeMs + chance.int(1_000, 30_000) : this.#lag(),
    });
  }

  #flood(): void {
    if (!this.#isHasty) return;
    this.#parts.faults.count("chat.flood");
    for (let i = 0; i < floodSize; i++) this.#write("/help", { delayMs: 5 });
    if (this.#parts.chance.happens(0.5)) this.kill();
  }

  #consider(message: ShownMessage, data: string): void {
    const { chance } = this.#parts;
    const verb = data.split(":")[1];
    switch (verb) {
      case "ok":
      case "okset":
      case "okcall":
        return this.#confirm(message, data);
      case "discard":
        if (chance.happens(0.04)) this.#press(message, data, chance.int(30, 2_500));
        return undefined;
      case "quote":
        if (chance.happens(0.02)) this.#press(message, data, chance.int(30, 2_500));
        return undefined;
      case "resumenow":
        if (chance.happens(0.2)) this.#press(message, data, chance.int(100, 2_000));
        this.#killedAtMs = null;
        return this.#press(message, data, 3_500);
      case "arbset":
        if (chance.happens(0.4)) this.#press(message, data, chance.int(100, 1_000));
        return undefined;
      case "arbquote":
        return this.#press(message, data, chance.int(100, 1_000));
      case "askprice":
        if (chance.happens(0.7)) this.#press(message, data, chance.int(100, 2_000));
        return undefined;
      case "reprice":
        if (chance.happens(0.6)) this.#press(message, data, chance.int(100, 2_000));
        return undefined;
      case "cancel":
        if (chance.happens(0.15)) this.#press(message, data, chance.int(100, 3_000));
        return undefined;
      default:
        return undefined;
    }
  }

  /** Confirms, sometimes twice, sometimes too late, sometimes together with somebody who may not. */
  #confirm(message: ShownMessage, data: string): void {
    const { chance, faults } = this.#parts;
    if (chance.happens(0.04)) return;
    const isLate = chance.happens(0.04);
    if (isLate) faults.count("chat.late-press");
    const waitMs = isLate ? chance.int(44_000, 50_000) : chance.int(30, 2_500);
    this.#press(message, data, waitMs);
    if (chance.happens(0.2)) {
      faults.count("chat.second-press");
      this.#press(message, data, waitMs + chance.int(0, 400));
    }
    if (chance.happens(0.05)) {
      faults.count("chat.foreign-press");
      this.#press(message, data, waitMs - 20, otherTrader);
    }
    if (chance.happens(0.02)) {
      faults.count("chat.kill-with-press");
      this.#parts.scheduler.after(waitMs, () => this.kill());
    }
  }

  #press(message: ShownMessage, data: string, waitMs: number, userId = trader): void {
    const { scheduler, telegram } = this.#parts;
    const { messageId } = message;
    scheduler.after(waitMs, () => {
      const press = { messageId, data };
      telegram.happen({ userId, text: "", isEdit: false, press }, this.#lag());
    });
  }

  #write(
    text: string,
    how: { readonly delayMs?: number; readonly userId?: number; readonly isEdit?: boolean } = {},
  ): void {
    const { delayMs = this.#lag(), userId = trader, isEdit = false } = how;
    this.#parts.telegram.happen({ userId, text, isEdit, press: null }, delayMs);
  }

  #lag(): number {
    return this.#parts.chance.int(10, 150);
  }
}

const nonsense = [
  "hello",
  "/buy",
  "/buy market-1 yes $0",
  "/buy market-99 yes $5",
  "/sell market-1 yes 1e9sh",
  "$25",
  "\u202e<b>kill</b>",
  "/unknown",
  "/merge market-1 max",
  "/split market-1 $5",
  "/redeem",
] as const;
