// Which crash each cycle plays, drawn from the seed alone.
import type { FaultPoint } from "../../src/engine/ports/system.ts";
import { Chance } from "../sim/chance.ts";

export const orderKinds = ["fak", "fok", "gtc", "gtd", "set", "sell"] as const;
export type OrderKind = (typeof orderKinds)[number];

const points: readonly FaultPoint[] = Array.from({ length: 18 }, (_, i) => `K${i}` as FaultPoint);
/** A desk lives for one round over all points, and its next life starts on an empty state. */
export const cyclesPerDesk = points.length;
const afterMsMax = 4;
const secondCrashChance = 0.2;

export type Draw = {
  readonly cycle: number;
  readonly point: FaultPoint;
  readonly order: OrderKind;
  /** 0: nothing runs after the point. Else the process lives on for so many milliseconds. */
  readonly afterMs: number;
  /** The restarted service is killed again in the moment in which it is ready. */
  readonly isTwice: boolean;
};

/**
 * The draw of a cycle, counted from 0. Every 18 cycles meet every point once; every 216 meet every point with every kind
 * of order both at the point and a moment after it.
 */
export function drawOf(seed: number, cycle: number): Draw {
  const desk = Math.floor(cycle / cyclesPerDesk);
  const place = cycle % cyclesPerDesk;
  const chance = new Chance(seed, `kill:${desk}`);
  const point = shuffled(points, chance)[place] ?? "K0";
  // A step of the kinds for each desk, and the other half of the pairs after all kinds were met.
  const kind = (Number(point.slice(1)) + desk) % orderKinds.length;
  const isAfter = (Math.floor(desk / orderKinds.length) + desk + Number(point.slice(1))) % 2 === 1;
  const own = new Chance(seed, `kill:${desk}:${place}`);
  return {
    cycle,
    point,
    order: orderKinds[kind] ?? "fak",
    afterMs: isAfter ? own.int(1, afterMsMax) : 0,
    isTwice: own.happens(secondCrashChance),
  };
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const left = [...items];
  return items.map(() => left.splice(chance.int(0, left.length - 1), 1)[0] as T);
}
