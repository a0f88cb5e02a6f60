import { Bot } from "grammy";
import type { Update } from "grammy/types";
import { ButtonMaker } from "./actions/buttons.ts";
import { BotConfigError, type BotDeps } from "./bot-deps.ts";
import { type Card, CardRegistry } from "./card-registry.ts";
import { ChatStates } from "./chat-state.ts";
import { CommandMenu } from "./command-menu.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Intake } from "./intake.ts";
import { scanForKill } from "./kill-scanner.ts";
import { NoticePump } from "./notice-pump.ts";
import { OutboxSender } from "./outbox/sender.ts";
import { describeError } from "./redact.ts";
import { renderDeadCard } from "./render/trade-card.ts";
import { StrangerLog } from "./stranger-log.ts";
import { nodeFetch } from "./transport/node-fetch.ts";
import { message, toOutMessage } from "./turn.ts";
import { TurnHints } from "./turn-hints.ts";

/** A call to Telegram is given up after this; a long poll lasts 25 s of it. */
const telegramTimeoutSeconds = 40;

/** The bot, ready to be given updates by a transport. */
export type TelegramDesk = {
  readonly bot: Bot;
  readonly deps: BotDeps;
  /** Begins to work on commands (first those that the last run left), to tell notices and to send. */
  start(): void;
  /** Finishes what is under way; what is left waits in the ledger for the next start. */
  stop(): Promise<void>;
  /** Looks through updates for a kill and closes the gate at once; for a transport that has no getUpdates. */
  closeGateOnKill(updates: readonly unknown[]): void;
  /** Asks Telegram who we are, once, before updates are handled. Rejects when it does not answer. */
  init(signal?: AbortSignal): Promise<void>;
  handle(update: Update): Promise<void>;
  /** Tells every trader at once, past the outbox: for what cannot be written down. Best effort. */
  announce(text: string): void;
  /** Called when Telegram does not accept the token. */
  onUnauthorized(listener: () => void): void;
};

type Wiring = {
  readonly bot: Bot;
  readonly cards: CardRegistry;
  readonly dispatcher: Dispatcher;
  readonly notices: NoticePump;
  readonly sender: OutboxSender;
  readonly menu: CommandMenu;
  readonly tellDirectly: (chatId: number, text: string) => void;
};

/** Edits a card that nobody pressed, once, when its time is over. */
function expireCard(deps: BotDeps, buttons: ButtonMaker, card: Card): void {
  const edit = toOutMessage(`x:${card.nonce}`, card.chatId, {
    ...message(
      renderDeadCard(card.title, "Expired, nothing was sent"),
      [[buttons.make("Re-quote", card.again)]],
      card.target,
    ),
    priority: "alert",
  });
  deps.api.enqueue([edit]).catch((error: unknown) => {
    deps.log.warn("an expired card was not edited", { error: describeError(error) });
  });
}

/** Tells the other traders that one of them is out of reach. */
function tellDeadChat(deps: BotDeps, chatId: number): void {
  const text = `Telegram does not deliver to trader ${chatId} any more (blocked or left). Alerts do not reach them.`;
  const messages = deps.whitelist
    .filter((other) => other !== chatId)
    .map((other) =>
      toOutMessage(`d:${chatId}:${other}:${deps.randomHex(4)}`, other, {
        ...message({ text, entities: [] }),
        priority: "alert",
      }),
    );
  deps.api.enqueue(messages).catch((error: unknown) => {
    deps.log.warn("the other traders were not told", { error: describeError(error) });
  });
}

function wire(deps: BotDeps, onUnauthorized: () => void): Wiring {
  const bot = new Bot(deps.token, {
    client: {
      timeoutSeconds: telegramTimeoutSeconds,
      fetch: nodeFetch,
      ...(deps.apiRoot === undefined ? {} : { apiRoot: deps.apiRoot }),
    },
  });
  const buttons = new ButtonMaker((bytes) => deps.randomHex(bytes));
  const cards = new CardRegistry(
    () => deps.now(),
    (card) => expireCard(deps, buttons, card),
  );
  const hints = new TurnHints();
  const tellDirectly = (chatId: number, text: string) => {
    bot.api.sendMessage(chatId, text).catch((error: unknown) => {
      deps.log.error("a trader could not be told", { chatId, error: describeError(error) });
    });
  };
  const dispatcher = new Dispatcher(deps, {
    cards,
    chats: new ChatStates(),
    buttons,
    hints,
    tellDirectly,
  });
  const sender = new OutboxSender({
    api: deps.api,
    telegram: bot.api,
    log: deps.log,
    now: () => deps.now(),
    onDeadChat: (chatId) => tellDeadChat(deps, chatId),
    onUnauthorized,
  });
  const menu = new CommandMenu(bot.api, deps.log);
  const intake = new Intake({
    deps,
    cards,
    hints,
    strangers: new StrangerLog(deps.log, () => deps.now()),
    onTrader: (chatId) => {
      sender.revive(chatId);
      void menu.showTo(chatId);
    },
    onReceived: () => dispatcher.pump(),
    tellDirectly,
  });
  // bot.catch is not called for webhooks in this version of grammY, so the boundary is part of the middleware.
  const guarded = bot.errorBoundary(({ error }) => {
    deps.log.error("an update could not be handled", { error: describeError(error) });
  });
  guarded.use((ctx, next) => intake.handle(ctx, next));
  return {
    bot,
    cards,
    dispatcher,
    sender,
    menu,
    tellDirectly,
    notices: new NoticePump(deps, cards, buttons),
  };
}

/**
 * Makes the bot. Nothing runs before `start`, and no update arrives before a transport is started on it.
 * Throws BotConfigError when the whitelist is empty: a bot for nobody would be a bot for everybody one day.
 */
export function createBot(deps: BotDeps): TelegramDesk {
  if (deps.whitelist.length === 0) {
    throw new BotConfigError(
      "The whitelist of Telegram user ids is empty; the bot does not start.",
    );
  }
  const listeners: (() => void)[] = [];
  const wiring = wire(deps, () => {
    for (const listener of listeners) listener();
  });
  const { bot, dispatcher, sender, notices, menu, cards } = wiring;
  const closeGateOnKill = (updates: readonly unknown[]) => {
    scanForKill(updates, deps.whitelist, (actor) => {
      deps.api.closeGate();
      deps.log.warn("kill seen: the gate is closed", { userId: actor.userId });
    });
  };
  installKillScan(bot, closeGateOnKill);
  let unsubscribe: (() => void) | null = null;
  const pump = () => {
    sender.pump();
    void notices.pump();
    dispatcher.pump();
  };
  return {
    bot,
    deps,
    closeGateOnKill,
    start() {
      unsubscribe ??= deps.api.onChange(pump);
      pump();
      void menu.hideFromStrangers();
      for (const chatId of deps.whitelist) void menu.showTo(chatId);
    },
    async stop() {
      cards.stop();
      await dispatcher.stop();
      await sender.stop();
      unsubscribe?.();
      unsubscribe = null;
    },
    async init(signal) {
      // Not bot.init(): that repeats without end and without saying so.
      bot.botInfo = await bot.api.getMe(signal as Parameters<typeof bot.api.getMe>[0]);
    },
    handle: (update) => bot.handleUpdate(update),
    announce(text) {
      for (const chatId of deps.whitelist) wiring.tellDirectly(chatId, text);
    },
    onUnauthorized(listener) {
      listeners.push(listener);
    },
  };
}

/** Every batch of getUpdates is looked through before its first update is handled. */
function installKillScan(bot: Bot, closeGateOnKill: (updates: readonly unknown[]) => void): void {
  bot.api.config.use(async (call, method, payload, signal) => {
    const answer = await call(method, payload, signal);
    if (method === "getUpdates" && answer.ok && Array.isArray(answer.result)) {
      closeGateOnKill(answer.result);
    }
    return answer;
  });
}
