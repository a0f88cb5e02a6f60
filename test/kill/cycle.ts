// One cycle: a command or a press, the death at its point, the restart, and both sides' books afterwards.
import { existsSync, mkdirSync, renameSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { openLedger } from "../../src/adapters/sqlite/ledger.ts";
import type { Draw, OrderKind } from "./draw.ts";
import { CycleFailure, type KillDesk } from "./kill-desk.ts";
import { scaledFaultMs } from "./scaled-waits.ts";

const market = "selby-strait-reopens";
const setLeg = "selby-strait-talks-host-lundholm";
const sellShares = 5_000_000;
/** Lengths of faults in production: an answer that hangs, a queue at the venue's edge. */
const hangMs = 30_000;
const queueMs = 6_000;
const readQueueMs = 30_000;
const deathMaxMs = 6_000;

export type CyclePlace = {
  readonly desk: KillDesk;
  readonly draw: Draw;
  readonly timeScale: number;
};

/** Plays a cycle to its end. Throws CycleFailure when a property or the cycle itself does not hold. */
export async function playCycle(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await prepare(desk, draw.order);
  await acts[draw.point](place);
  if (draw.isTwice) {
    await desk.desk.crash("now");
    await desk.restart();
  }
  await desk.clearFaults();
  await desk.settle();
  await expectKept(place);
  // What the crash left open is pressed once more: a card still makes one plan, or is answered.
  if (desk.pressAll(/^Confirm/u) > 0) await desk.settle();
  await tidy(desk);
}

/** Sales need something to sell, sets a price at which they pay. */
async function prepare(desk: KillDesk, order: OrderKind): Promise<void> {
  if (order === "set" && !desk.hasCheapSet) {
    desk.hasCheapSet = true;
    await desk.desk.moveMarket(setLeg, -12);
  }
  if (order !== "sell") return;
  const id = conditionIdOf(desk);
  if (id !== null && desk.sharesOf(id, 0) >= sellShares) return;
  await desk.play(`/buy ${market} yes 10sh @0.62 fak\n!expect CONFIRM BUY\n!press ^Confirm`);
  await desk.settle();
}

function conditionIdOf(desk: KillDesk): string | null {
  desk.ledger.read();
  const markets = [...desk.ledger.state.markets.values()];
  return markets.find((one) => one.slug === market)?.conditionId ?? null;
}

/** The message that leads to a card; a set's is found by looking and pressed. */
const asks: Readonly<Record<OrderKind, string>> = {
  fak: `/buy ${market} yes 5sh @0.62 fak`,
  fok: `/buy ${market} yes 5sh @0.62 fok`,
  gtc: `/buy ${market} yes 5sh @0.50`,
  gtd: `/buy ${market} yes 5sh @0.50 gtd=1h`,
  sell: `/sell ${market} yes 5sh @0.55 fak`,
  set: "!press ^Execute",
};
const setShown = "/arb\n!expect ARB · [1-9]\n!press Details$\n!expect every YES of";
/** Orders that rest below the market until it comes to them. */
const restingNear: Readonly<Record<string, string>> = {
  gtc: `/buy ${market} yes 5sh @0.61`,
  gtd: `/buy ${market} yes 5sh @0.61 gtd=1h`,
};
const fallTicks = -4;

async function showAsk(desk: KillDesk, order: OrderKind): Promise<void> {
  if (order === "set") await desk.play(setShown);
}

async function showCard(desk: KillDesk, order: OrderKind): Promise<void> {
  await showAsk(desk, order);
  await desk.play(`${asks[order]}\n!expect CONFIRM`);
}

async function arm({ desk, draw }: CyclePlace): Promise<void> {
  await desk.desk.crash(draw.point, draw.afterMs);
}

/** K0 to K3: the death on the way from a message to its card. */
async function onTheWayToTheCard(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await showAsk(desk, draw.order);
  await arm(place);
  await desk.play(asks[draw.order]);
  await desk.restart();
  await desk.settle();
}

/** K4 to K7 and K9 to K13 where nothing rests: the death between the press and the booked fill. */
async function afterThePress(place: CyclePlace): Promise<void> {
  const { desk } = place;
  await showCard(desk, place.draw.order);
  await arm(place);
  await desk.play("!press ^Confirm");
  await desk.restart();
  await desk.play("!again");
}

async function muteStream({ desk, timeScale }: CyclePlace): Promise<void> {
  const ms = scaledFaultMs(timeScale, hangMs * 10);
  await desk.play(`!fault venue ws-mute ms=${ms}`);
}

async function holdAnswers({ desk, timeScale }: CyclePlace): Promise<void> {
  const ms = scaledFaultMs(timeScale, hangMs);
  await desk.play(`!fault venue delay-answer method=POST path=^/order$ times=10 ms=${ms}`);
}

/** K8: the request is cut in its head or in its body, and its sender is dead in the same moment. */
async function inTheMiddleOfTheRequest(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await showCard(desk, draw.order);
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  desk.proxy.add({
    do: "cut-request",
    method: "POST",
    path: /^\/order$/,
    part: draw.afterMs === 0 ? 0 : 0.5,
    onHit: () => resolve(desk.desk.crash("now")),
  });
  await desk.play("!press ^Confirm");
  await within(cut, "K8: no order request came");
  await desk.restart();
  await desk.play("!again");
}

/** K12, K13 and K17 of an order that rests: only the market's move fills it. */
async function onTheFillOfAResting(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await rest(desk, restingNear[draw.order] ?? asks.gtc);
  await arm(place);
  await desk.desk.moveMarket(market, fallTicks);
  await desk.restart();
  await desk.desk.moveMarket(market, -fallTicks);
}

async function rest(desk: KillDesk, ask: string): Promise<void> {
  await desk.play(`${ask}\n!expect CONFIRM\n!press ^Confirm\n!expect RESTING`);
  await desk.settle();
}

/** K17: the stream is silent, so that only a reading of the account can tell of the fill; it dies on that reading. */
async function onTheCorrection(place: CyclePlace): Promise<void> {
  const { desk, draw, timeScale } = place;
  const isResting = draw.order === "gtc" || draw.order === "gtd";
  if (isResting) await rest(desk, restingNear[draw.order] ?? asks.gtc);
  else await showCard(desk, draw.order);
  await muteStream(place);
  const { promise: queued, resolve } = Promise.withResolvers<void>();
  const ms = scaledFaultMs(timeScale, readQueueMs);
  desk.proxy.add({ do: "queue", ms, path: /^\/data\/trades/, onHit: resolve });
  await within(queued, "K17: the account was not read");
  if (isResting) {
    await desk.desk.moveMarket(market, fallTicks);
    await arm(place);
  } else {
    await holdAnswers(place);
    await arm(place);
    await desk.play("!press ^Confirm");
  }
  await desk.restart();
  if (isResting) await desk.desk.moveMarket(market, -fallTicks);
  else await desk.play("!again");
}

/** K14: the cancel of everything that rests is on its way. */
async function onTheCancel(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await takeOne(desk, draw.order);
  await rest(desk, draw.order === "gtd" ? asks.gtd : asks.gtc);
  await arm(place);
  await desk.play("/cancel all");
  await desk.restart();
}

/** An order of this kind that is over before the crash; the kinds that rest come right after. */
async function takeOne(desk: KillDesk, order: OrderKind): Promise<void> {
  if (order === "gtc" || order === "gtd") return;
  await showCard(desk, order);
  await desk.play("!press ^Confirm");
  await desk.settle();
}

/** K15: a kill with one order at rest and another one whose request is held up on its way. */
async function onTheKill(place: CyclePlace): Promise<void> {
  const { desk, draw, timeScale } = place;
  await rest(desk, asks.gtc);
  await showCard(desk, draw.order);
  const { promise: queued, resolve } = Promise.withResolvers<void>();
  const ms = scaledFaultMs(timeScale, queueMs);
  desk.proxy.add({ do: "queue", method: "POST", path: /^\/order$/, ms, times: 10, onHit: resolve });
  await desk.play("!press ^Confirm");
  await within(queued, "K15: no order request came");
  await arm(place);
  await desk.play(`/kill cycle ${draw.cycle}`);
  await desk.restart();
}

/** K16: the death while the ledger's file is made, or while it is closed and its log is written back. */
async function inTheFile(place: CyclePlace): Promise<void> {
  const { desk, draw } = place;
  await showCard(desk, draw.order);
  await desk.play("!press ^Confirm");
  await desk.settle();
  if (draw.afterMs > 0) {
    await arm(place);
    process.kill(desk.desk.servicePid ?? 0, "SIGTERM");
    await desk.restart();
    return;
  }
  await desk.desk.crash("now");
  await dieWhileMaking(desk);
  await desk.restart();
}

/** Starts the service without its ledger, kills it while a new one is made, and puts the old one back. */
async function dieWhileMaking(desk: KillDesk): Promise<void> {
  const names = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];
  const aside = join(desk.dir, "aside");
  mkdirSync(aside);
  const move = (from: string, to: string): void => {
    for (const name of names) {
      if (existsSync(join(from, name))) renameSync(join(from, name), join(to, name));
    }
  };
  move(desk.dir, aside);
  const deaths: Promise<void>[] = [];
  const watcher = watch(desk.dir, (_event, name) => {
    if (name?.startsWith("ledger.db.new") !== true || deaths.length > 0) return;
    deaths.push(desk.desk.crash("now"));
  });
  const ended = await desk.restart().then(
    () => "it started",
    () => null,
  );
  watcher.close();
  await Promise.all(deaths);
  if (ended !== null || deaths.length === 0) throw new CycleFailure("K16: no file was made");
  // Whatever was left is either no ledger or a whole one, and the next start takes it.
  const log = await openLedger(join(desk.dir, "ledger.db"));
  const rows = await log.lastSeq();
  await log.close();
  if (rows !== 0) throw new CycleFailure(`K16: a new ledger has ${rows} rows`);
  for (const name of names) rmSync(join(desk.dir, name), { force: true });
  move(aside, desk.dir);
  rmSync(aside, { recursive: true });
}

async function within(work: Promise<void>, otherwise: string): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new CycleFailure(otherwise)), deathMaxMs);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

const restingKinds: readonly OrderKind[] = ["gtc", "gtd"];

async function onTheFill(place: CyclePlace): Promise<void> {
  if (restingKinds.includes(place.draw.order)) return onTheFillOfAResting(place);
  // The answer is held back, so that the stream is the first to tell of the fill.
  await holdAnswers(place);
  return afterThePress(place);
}

async function afterTheAnswer(place: CyclePlace): Promise<void> {
  await muteStream(place);
  return afterThePress(place);
}

async function beforeTheAnswer(place: CyclePlace): Promise<void> {
  await muteStream(place);
  await holdAnswers(place);
  return afterThePress(place);
}

const acts: Readonly<Record<Draw["point"], (place: CyclePlace) => Promise<void>>> = {
  K0: onTheWayToTheCard,
  K1: onTheWayToTheCard,
  K2: onTheWayToTheCard,
  K3: onTheWayToTheCard,
  K4: afterThePress,
  K5: afterThePress,
  K6: afterThePress,
  K7: afterThePress,
  K8: inTheMiddleOfTheRequest,
  K9: beforeTheAnswer,
  K10: afterTheAnswer,
  K11: afterTheAnswer,
  K12: onTheFill,
  K13: onTheFill,
  K14: onTheCancel,
  K15: onTheKill,
  K16: inTheFile,
  K17: onTheCorrection,
};

/**
 * P4: what was killed before the crash is killed after it, and after one more crash that finds the kill's command answered:
 * then only what the ledger says keeps it killed. What is asked for is refused.
 */
async function expectKept({ desk, draw }: CyclePlace): Promise<void> {
  if (draw.point !== "K15") return;
  await desk.desk.crash("now");
  await desk.restart();
  await desk.settle();
  if (desk.desk.carriedOver.killedSinceMs === null || desk.ledger.state.killed === null) {
    throw new CycleFailure("P4 the kill did not survive");
  }
  if (desk.venue.orders.some(({ status }) => status === "LIVE")) {
    throw new CycleFailure("P4 an order rests although trading is killed");
  }
  await desk.play(`${asks.fak}\n!expect kill switch is on`);
}

/** Leaves nothing open behind and trading on, for the next cycle. */
async function tidy(desk: KillDesk): Promise<void> {
  if (desk.ledger.state.killed !== null) {
    await desk.play("/resume\n!expect RESUME trading\n!press ^Resume trading$\n!expect TRADING ON");
    await desk.settle();
  }
  if (desk.venue.orders.some(({ status }) => status === "LIVE")) {
    await desk.play("/cancel all\n!expect CANCEL asked for");
    await desk.until("nothing rests", () =>
      desk.venue.orders.every(({ status }) => status !== "LIVE"),
    );
    await desk.settle();
  }
}
