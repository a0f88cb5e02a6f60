import { join } from "node:path";
import type { ClobClient } from "@polymarket/clob-client-v2";
import type { Market } from "../../src/engine/domain/market.ts";
import { parsePrice, parseShares } from "../../src/engine/domain/numbers.ts";
import { officialClient } from "../baseline/official-client.ts";
import {
  type BenchCase,
  type BenchContext,
  type CaseResult,
  durationText,
  ratioAim,
  rowsAgainst,
} from "../support/bench-case.ts";
import { BenchError, demand } from "../support/bench-error.ts";
import { diskSync } from "../support/disk-sync.ts";
import { type LocalDesk, openLocalDesk } from "../support/local-desk.ts";
import { openLocalVenue } from "../support/local-venue.ts";
import {
  type EarlyRequests,
  type OrderRace,
  ours,
  plainMarkets,
  postOfficially,
  showAndConfirm,
  theirBatch,
  theirs,
} from "../support/order-race.ts";
import { type Contender, race, type Timing } from "../support/race.ts";
import { openRequestRecorder } from "../support/request-recorder.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** From the call to the moment at which one and the same server has read the last order's last byte. */
export const orderCase: BenchCase = { name: "order", run };

const legs = 10;
const warmUpOrders = 200;
const callsPerRound = { one: 40, ten: 20 };
/** Without the ledger's wait and with it. */
const wanted = { one: { memory: 5, disk: 2 }, ten: { memory: 10, disk: 6 } };

/** Keys that guard nothing: one account each, so that nobody's orders are in another's way. */
const keyOf = (n: number): string => `0x${(0xbe0c4n + BigInt(n)).toString(16).padStart(64, "0")}`;

type Sides = {
  readonly disk: LocalDesk;
  readonly memory: LocalDesk;
  readonly official: ClobClient;
  readonly sync: Contender;
};

async function run(context: BenchContext): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const folder = scratchFolder(stack, "order");
  context.progress("order: starting a venue, a door in front of it and two desks");
  const venue = await openLocalVenue(join(folder, "venue"));
  stack.defer(() => venue.close());
  const recorder = await openRequestRecorder(venue.url);
  stack.defer(() => recorder.close());
  const address = { ...venue, clobUrl: recorder.url };
  const disk = await openLocalDesk(address, join(folder, "disk"), keyOf(1), "disk");
  stack.defer(() => disk.stop());
  const memory = await openLocalDesk(address, join(folder, "memory"), keyOf(2), "memory");
  stack.defer(() => memory.stop());
  demand(disk.service.signing.fallback === null, "the desks sign the fast way");
  const markets = await plainMarkets(disk.engine, legs);
  await plainMarkets(memory.engine, legs);
  const creds = await (await officialClient(recorder.url, keyOf(3))).createApiKey();
  const official = await officialClient(recorder.url, keyOf(3), creds);
  const sync = diskSync(folder, callsPerRound.ten);
  stack.defer(() => sync.close());
  const sides: Sides = { disk, memory, official, sync };
  await checkEqual(sides, markets);
  const none = (): EarlyRequests => ({ calls: 0, early: 0, what: new Set() });
  const early = { ours: none(), theirs: none() };
  const one = { recorder, markets, legs: 1, callsPerRound: callsPerRound.one };
  const ten = { recorder, markets, legs, callsPerRound: callsPerRound.ten };
  const single = await raceOf(context, "one order", one, sides, early);
  const several = await raceOf(context, "ten legs", ten, sides, early);
  return resultOf(single, several, early);
}

type Early = { readonly ours: EarlyRequests; readonly theirs: EarlyRequests };

function raceOf(
  context: BenchContext,
  what: string,
  order: OrderRace,
  { disk, memory, official, sync }: Sides,
  early: Early,
): Promise<readonly Timing[]> {
  const batch =
    order.legs === 1
      ? []
      : [theirBatch("official client createOrder x 10, postOrders", order, official, early.theirs)];
  const many = order.legs === 1 ? "" : ` x ${order.legs}, all at once`;
  return race(
    [
      ours("ours: Confirm, ledger on disk", order, disk, early.ours),
      ours("ours: Confirm, ledger without a disk", order, memory, early.ours),
      sync,
      ...batch,
      theirs(`official client createAndPostOrder${many}`, order, official, early.theirs),
    ],
    {
      rounds: context.rounds,
      warmUps: Math.ceil(warmUpOrders / (order.callsPerRound * order.legs)),
    },
    (text) => context.progress(`order, ${what}: ${text}`),
  );
}

function resultOf(single: readonly Timing[], several: readonly Timing[], early: Early): CaseResult {
  const one = figuresOf(single);
  const ten = figuresOf(several);
  return {
    title: "Order: call -> the same server has read the last order's last byte (loopback)",
    rows: [...rowsAgainst("1", one.racers).rows, ...rowsAgainst("10", ten.racers).rows],
    notes: [
      "ours: Confirm of a shown card to its POSTs with every control on (risk, one commit, gate, count at the last hop);",
      "theirs: createAndPostOrder with warm caches, viem account; it checks no risk and keeps no ledger",
      `waiting for the ledger on disk adds ${durationText(one.waitNs)} to one order, ${durationText(ten.waitNs)} to ten legs;`,
      `a bare overwrite of 16 KiB with fdatasync took ${durationText(one.syncNs)} and ${durationText(ten.syncNs)} in the same rounds`,
      earlyText("ours", early.ours),
      earlyText("official client", early.theirs),
    ],
    ratios: {
      order: one.disk,
      order_without_ledger_wait: one.memory,
      ten_legs: ten.disk,
      ten_legs_without_ledger_wait: ten.memory,
      ten_legs_over_batch: ten.batch,
    },
    aims: [
      ratioAim("one order without the ledger's wait", one.memory, wanted.one.memory),
      ratioAim("one order with it", one.disk, wanted.one.disk),
      ratioAim("ten legs without the ledger's wait", ten.memory, wanted.ten.memory),
      ratioAim("ten legs with it", ten.disk, wanted.ten.disk),
      {
        what: "nothing asked before the POST, but for reads of the background in under 1 of 50 calls",
        is: `${early.ours.early} of ${early.ours.calls}`,
        met: early.ours.early * 50 < early.ours.calls,
      },
    ],
  };
}

function figuresOf(timings: readonly Timing[]) {
  const [disk, memory, sync] = timings;
  const official = timings.at(-1);
  const batch = timings.at(-2);
  if (!disk || !memory || !sync || !official || !batch)
    throw new BenchError("a contender is missing");
  return {
    /** The sync is no way to send an order: it stands in a note. */
    racers: timings.filter((timing) => timing !== sync),
    syncNs: sync.medianNs,
    disk: official.medianNs / disk.medianNs,
    memory: official.medianNs / memory.medianNs,
    batch: batch.medianNs / disk.medianNs,
    waitNs: disk.medianNs - memory.medianNs,
  };
}

function earlyText(who: string, { calls, early, what }: EarlyRequests): string {
  const which = early === 0 ? "" : `: ${[...what].join(", ")}`;
  return `calls with a request of anybody before the POST, ${who}: ${early} of ${calls}${which}`;
}

/** The venue must hold the same order from both, by its own account. */
async function checkEqual({ disk, official }: Sides, markets: readonly Market[]): Promise<void> {
  const [market] = markets;
  if (market === undefined) throw new BenchError("there is no market");
  await showAndConfirm(disk.engine, [market]);
  await postOfficially(official, market);
  const open = await disk.service.polymarket.venue.openOrders();
  const [theirOrder] = await official.getOpenOrders();
  const [ourOrder] = open.ok ? open.value : [];
  if (!ourOrder || !theirOrder) throw new BenchError("both orders rest at the venue");
  demand(ourOrder.tokenId === theirOrder.asset_id, "token of the order");
  demand(ourOrder.side === theirOrder.side.toLowerCase(), "side of the order");
  demand(ourOrder.price === parsePrice(theirOrder.price), "price of the order");
  demand(ourOrder.originalSize === parseShares(theirOrder.original_size), "size of the order");
}
