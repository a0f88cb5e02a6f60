// `/buy` of $25 on real recorded books: what the card shows is what the venue books, to the micro-dollar.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DeskRig } from "./desk-rig.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dataDir = process.env["PITBOSS_DATA"] ?? join(root, "../shared/data");
const hasData = existsSync(join(dataDir, "books"));
const allMs = 60_000;

/** One level is enough for $25 in some of these; in the thin one they walk through several. */
const markets = [
  { slug: "will-naomi-osaka-be-the-2026-womens-wimbledon-winner", levels: 3 },
  { slug: "will-lionel-messi-be-the-top-goalscorer-at-the-2026-fifa-world-cup", levels: 1 },
  { slug: "will-norway-win-the-2026-fifa-world-cup-893", levels: 1 },
] as const;

if (!hasData) {
  process.stdout.write("SKIPPED 1 tests: recorded data not found\n");
}

interface Shown {
  /** All in millionths of a dollar or a share. */
  readonly spend: number;
  readonly shares: number;
  readonly fee: number;
  /** In cents, as shown. */
  readonly average: number;
}

const micro = (text: string | undefined): number =>
  Math.round(Number((text ?? "NaN").replaceAll(",", "")) * 1_000_000);

function readCard(text: string): Shown {
  const spend = /^Spend \$([\d.,]+) → ([\d.,]+) Yes shares$/mu.exec(text);
  const average = /average ([\d.]+)¢/u.exec(text);
  const fee = /^Fee \$([\d.,]+)/mu.exec(text);
  return {
    spend: micro(spend?.[1]),
    shares: micro(spend?.[2]),
    fee: micro(fee?.[1]),
    average: Number(average?.[1]),
  };
}

function readReceipt(text: string): Shown {
  const read = /^([\d.,]+) Yes @ ([\d.]+)¢ average = \$([\d.,]+) · fee \$([\d.,]+)$/mu.exec(text);
  return {
    spend: micro(read?.[3]),
    shares: micro(read?.[1]),
    fee: micro(read?.[4]),
    average: Number(read?.[2]),
  };
}

async function buyAndCompare(rig: DeskRig, slug: string, levels: number): Promise<void> {
  const cashBefore = await rig.balance();
  const cardsBefore = rig.told(/CONFIRM BUY/u).length;
  await rig.play(`!market ${slug} hold\n/buy ${slug} yes $25\n!expect CONFIRM BUY`);
  const card = readCard(rig.told(/CONFIRM BUY/u).at(cardsBefore)?.text ?? "");
  const tradesBefore = new Set((await rig.trades()).map((trade) => trade.taker_order_id));
  await rig.play("!press ^Confirm \\$25\\.00$\n!expect · FILLED BUY Yes");
  const receipt = readReceipt(rig.told(/· FILLED BUY Yes/u).at(-1)?.text ?? "");
  const trades = (await rig.trades()).filter((one) => !tradesBefore.has(one.taker_order_id));
  const tokenId = trades[0]?.asset_id ?? "";
  const cashAfter = await rig.balance();
  expect(card.spend).toBe(25_000_000);
  expect(cashBefore - cashAfter, rig.transcript()).toBe(card.spend + card.fee);
  expect(await rig.balance(tokenId)).toBe(card.shares);
  expect(receipt).toEqual(card);
  expect(card.average).toBe(Number(((card.spend / card.shares) * 100).toFixed(2)));
  expect(card.fee).toBeGreaterThan(0);
  expect(trades.length).toBeGreaterThan(0);
  const matched = trades.flatMap((trade) => trade.maker_orders.map((maker) => maker.price));
  expect(new Set(matched).size).toBeGreaterThanOrEqual(levels);
}

test.skipIf(!hasData)(
  "the card of $25 equals the venue's bookings",
  { timeout: allMs },
  async () => {
    await using rig = await DeskRig.open(["--data", dataDir]);
    for (const { slug, levels } of markets) await buyAndCompare(rig, slug, levels);
  },
);
