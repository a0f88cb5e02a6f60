import type { ConfirmOutcome } from "../../src/engine/api/engine-api.ts";
import type { Actor, TradeRequest } from "../../src/engine/api/requests.ts";
import { price, shares, usd } from "../../src/engine/domain/numbers.ts";
import { isOpen } from "../../src/engine/domain/order.ts";
import type { Engine } from "../../src/engine/runtime/engine.ts";
import { LedgerError } from "../../src/engine/runtime/ledger-writer.ts";
import type { Chance } from "./chance.ts";
import type { Exchange } from "./exchange.ts";
import type { Faults } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";
import { markets } from "./sim-market.ts";

export const trader: Actor = { userId: 7, chatId: 7 };
const other: Actor = { userId: 8, chatId: 8 };

export type TraderParts = {
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly exchange: Exchange;
  /** The engine while a process is up. */
  readonly engine: () => Engine | null;
  readonly kill: () => void;
  readonly resume: (nonce: string) => void;
  /** The engine said that it keeps this command. */
  readonly onKept: (commandId: string) => void;
  /** The engine said that this plan is accepted. */
  readonly onAccepted: (outcome: ConfirmOutcome) => void;
  readonly onError: (error: unknown) => void;
};

const actions = {
  buy: 44,
  rest: 16,
  sell: 16,
  set: 4,
  cancel: 5,
  "cancel-all": 1,
  kill: 0.6,
  resume: 12,
  command: 6,
} as const;

/** A person with a chat: asks for cards, presses once or twice or late, cancels, kills, resumes. */
export class Trader {
  intents = 0;
  kills = 0;
  readonly #parts: TraderParts;
  #commands = 0;
  #stopped = false;

  constructor(parts: TraderParts) {
    this.#parts = parts;
  }

  start(): void {
    const { scheduler, chance } = this.#parts;
    scheduler.after(chance.int(100, 1_500), () => {
      if (this.#stopped) return;
      this.#act(chance.weighted(actions));
      this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  #act(action: keyof typeof actions): void {
    const { chance } = this.#parts;
    const engine = this.#parts.engine();
    if (engine === null) return;
    switch (action) {
      case "buy":
      case "rest":
      case "sell":
        return this.#trade(engine, action);
      case "set":
        return this.#set(engine);
      case "cancel": {
        const open = [...engine.state.orders.values()].filter(isOpen);
        const one = chance.pick(open);
        if (one !== undefined) this.#run(engine.cancelOrders(trader, this.#id(), [one.clientOid]));
        return undefined;
      }
      case "cancel-all":
        return this.#run(engine.cancelOrders(trader, this.#id(), "all"));
      case "kill":
        return this.kill();
      case "resume":
        return this.#resume(engine);
      default:
        return this.#command(engine);
    }
  }

  kill(): void {
    this.kills++;
    this.#parts.kill();
  }

  #id(): string {
    return `tg:${++this.#commands}`;
  }

  #run<T>(promise: Promise<T>, then: (value: T) => void = () => undefined): void {
    promise.then(then).catch((error: unknown) => {
      if (!(error instanceof LedgerError)) this.#parts.onError(error);
    });
  }

  #trade(engine: Engine, action: "buy" | "rest" | "sell"): void {
    const { chance } = this.#parts;
    const market = chance.pick(markets);
    if (market === undefined) return;
    const sells = action === "sell" || (action === "rest" && chance.happens(0.2));
    const outcome = chance.happens(0.7) ? 0 : 1;
    const base = market.groupId === null ? 48 : outcome === 0 ? 30 : 70;
    const request: TradeRequest = {
      conditionId: market.conditionId,
      outcome,
      side: sells ? "sell" : "buy",
      amount: sells
        ? { unit: "part", value: chance.int(100_000, 1_000_000) }
        : action === "rest"
          ? { unit: "shares", value: shares(chance.int(500, 6_000) * 10_000) }
          : { unit: "usd", value: usd(chance.int(100, 4_500) * 10_000) },
      limit: action === "rest" ? price((base + chance.int(-4, 4)) * 100) : null,
      timeInForce: action === "rest" ? "gtc" : chance.happens(0.15) ? "fok" : null,
      goodForMs: null,
      slippagePpm: null,
    };
    engine
      .quoteTrade(trader, this.#id(), request)
      .then((card) => {
        if (card.ok) this.#press(card.value.nonce);
      })
      .catch(this.#parts.onError);
  }

  #set(engine: Engine): void {
    const scan = async () => {
      const view = await engine.scanSets();
      const set = view.sets.find((one) => one.verdict === "profitable");
      if (set === undefined) return;
      const card = await engine.quoteSet(trader, this.#id(), set.setId, null);
      if (card.ok) this.#press(card.value.nonce);
    };
    this.#run(scan());
  }

  /** Confirms, sometimes twice: the same update again, or a second tap as an update of its own, or by a stranger. */
  #press(nonce: string): void {
    const { chance, scheduler, faults } = this.#parts;
    const commandId = this.#id();
    const press = (id: string, actor: Actor) => {
      const engine = this.#parts.engine();
      if (engine !== null) this.#run(engine.confirm(actor, id, nonce), (o) => this.#count(o));
    };
    const waitMs = chance.int(30, 2_500);
    if (chance.happens(0.05)) {
      const engine = this.#parts.engine();
      if (engine !== null) this.#run(engine.discardCard(trader, nonce));
    }
    scheduler.after(waitMs, () => press(commandId, trader));
    if (chance.happens(0.2)) {
      faults.count("chat.same-press");
      scheduler.after(waitMs + chance.int(0, 400), () => press(commandId, trader));
    }
    if (chance.happens(0.15)) {
      faults.count("chat.second-press");
      const id = this.#id();
      scheduler.after(waitMs + chance.int(0, 400), () => press(id, trader));
    }
    if (chance.happens(0.05)) {
      faults.count("chat.stranger");
      const id = this.#id();
      scheduler.after(waitMs - 1, () => press(id, other));
    }
  }

  #count(outcome: ConfirmOutcome): void {
    if (outcome.kind !== "accepted") return;
    this.intents++;
    this.#parts.onAccepted(outcome);
  }

  #resume(engine: Engine): void {
    const { state } = engine;
    if (state.killed === null && state.halt === null) return;
    engine
      .askResume(trader, this.#id())
      .then((offer) => {
        if (!offer.ok) return;
        const waitMs = Math.max(0, offer.value.readyAtMs - state.live.nowMs) + 100;
        this.#parts.scheduler.after(waitMs, () => this.#parts.resume(offer.value.nonce));
      })
      .catch(this.#parts.onError);
  }

  #command(engine: Engine): void {
    const commandId = this.#id();
    const command = {
      commandId,
      actor: trader,
      text: "/status",
      kind: "message",
      messageId: this.#commands,
      sentAtMs: engine.deps.clock.nowMs(),
    } as const;
    const keep = (kept: string) => {
      if (kept === "new") this.#parts.onKept(commandId);
    };
    this.#run(engine.receive(command), keep);
    if (!this.#parts.chance.happens(0.3)) return;
    this.#parts.faults.count("chat.same-update");
    this.#run(engine.receive(command), keep);
  }
}
