import type { KeysetRow, MoreRows } from "./gamma-keyset.ts";
import { hashId } from "./ids.ts";
import { createPrng, type Prng } from "./prng.ts";

export type SyntheticListing = {
  /** Markets of all events together. */
  readonly marketCount: number;
  /** Events by id. */
  readonly rowsAfter: MoreRows;
};

/** Ids stand between those of the built markets and those of the up/down windows, which are made of times. */
const FIRST_ID = 1_000_000_000;
/** Of ten events one is a group of many outcomes, as on the venue; with it an event has 2.5 markets. */
const GROUP_EVERY = 10;
const GROUP_SIZE = 16;
const DAY_MS = 86_400_000;

const people =
  "Avery Brennan Castell Dovany Ellsworth Farrow Grantham Hollis Ivers Jessup Kerrigan".split(" ");
const places =
  "Aldmoor Brightwater Corvale Dunmere Eastholm Fenwick Glenrath Harrowgate Inverlyn".split(" ");
const things =
  "election championship merger treaty referendum launch verdict strike budget harvest festival summit".split(
    " ",
  );
const deeds = "win lose sign approve reject announce delay cancel exceed match reach leave".split(
  " ",
);
const tagNames = "politics sports crypto economics culture weather tech world".split(" ");

/**
 * A seeded universe of any size that is written when it is read: it costs no memory and its markets have no books. For
 * readers of the listings (tests, benchmarks).
 */
export function createSyntheticListing(options: {
  readonly seed: number;
  readonly markets: number;
  readonly nowMs: number;
}): SyntheticListing {
  const perTen = GROUP_EVERY - 1 + GROUP_SIZE;
  const events = Math.ceil((options.markets * GROUP_EVERY) / perTen);
  return {
    marketCount: Math.floor(events / GROUP_EVERY) * perTen + (events % GROUP_EVERY),
    rowsAfter(id, ascending, limit) {
      const rows: KeysetRow[] = [];
      const step = ascending ? 1 : -1;
      const edge = ascending ? 0 : events - 1;
      const from = id === null ? edge : indexBehind(Number(id), events, ascending);
      for (let i = from; i >= 0 && i < events && rows.length < limit; i += step) {
        rows.push({ id: String(FIRST_ID + i), key: null, json: () => eventJson(options, i) });
      }
      return rows;
    },
  };
}

/** Index of the first event behind an id that may be none of ours. */
function indexBehind(id: number, events: number, ascending: boolean): number {
  // What is no number stands behind all numbers.
  const at = Number.isNaN(id) ? Number.POSITIVE_INFINITY : id - FIRST_ID;
  return ascending ? Math.max(0, at + 1) : Math.min(events - 1, at - 1);
}

function eventJson({ seed, nowMs }: { seed: number; nowMs: number }, index: number): unknown {
  const prng = createPrng(seed, `listing:${index}`);
  const isGroup = index % GROUP_EVERY === GROUP_EVERY - 1;
  const title = titleOf(prng);
  const slug = `${slugOf(title)}-${index}`;
  const tags = [prng.pick(tagNames), prng.pick(tagNames)];
  const endMs = nowMs + prng.int(1, 400) * DAY_MS;
  const endDate = `${new Date(endMs).toISOString().slice(0, 19)}Z`;
  const stem = hashId(`pitboss:listing:${seed}:${index}`).slice(0, 64);
  const names = isGroup
    ? Array.from({ length: GROUP_SIZE }, (_, n) => `${prng.pick(people)} ${prng.pick(places)} ${n}`)
    : [""];
  return {
    id: String(FIRST_ID + index),
    slug,
    title,
    negRisk: isGroup,
    enableNegRisk: isGroup,
    negRiskAugmented: isGroup && prng.chance(0.5),
    closed: false,
    active: true,
    archived: false,
    endDate,
    tags: tags.map((tag) => ({ id: tag, label: tag, slug: tag })),
    markets: names.map((name, n) => ({
      id: String((FIRST_ID + index) * 100 + n),
      question: name === "" ? `${title}?` : `Will ${name} be the one of the ${title}?`,
      conditionId: `${stem}${byte(n)}`,
      slug: name === "" ? slug : `${slug}-${slugOf(name)}`,
      description: `Resolves by what is published about the ${title}.`,
      questionID: `${stem}${byte(n + 1)}`,
      resolutionSource: "",
      groupItemTitle: name,
      outcomes: ["Yes", "No"],
      clobTokenIds: [tokenOf(stem, n, 0), tokenOf(stem, n, 1)],
      outcomePrices: ["0.5", "0.5"],
      volumeNum: prng.int(0, 5_000_000),
      liquidityNum: prng.int(0, 400_000),
      orderPriceMinTickSize: 0.01,
      orderMinSize: 5,
      startDate: `${new Date(nowMs - DAY_MS).toISOString().slice(0, 19)}Z`,
      endDate,
      negRisk: isGroup,
      ...(isGroup && { negRiskMarketID: `${stem}00` }),
      feesEnabled: true,
      feeType: "other",
      feeSchedule: { exponent: 1, rate: 0.05, takerOnly: true, rebateRate: 0.25 },
      version: "v1",
      active: true,
      closed: false,
      archived: false,
      acceptingOrders: true,
      enableOrderBook: true,
    })),
  };
}

function titleOf(prng: Prng): string {
  const [person, deed, thing] = [prng.pick(people), prng.pick(deeds), prng.pick(things)];
  return `Will ${person} ${deed} the ${prng.pick(places)} ${thing} in ${prng.int(2027, 2060)}`;
}

function slugOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

function byte(n: number): string {
  return (n % 256).toString(16).padStart(2, "0");
}

/** 256 bits as decimal digits. */
function tokenOf(stem: string, n: number, outcome: 0 | 1): string {
  return BigInt(`${stem}${byte(2 * n + outcome)}`).toString();
}
