import fc from "fast-check";
import type { PostOutcome } from "../../../src/engine/protocol/venue-report.ts";

/** One thing that happens to a desk. Orders and fills are picked by number among those that exist then. */
export type Happening =
  | {
      readonly do: "trade";
      readonly taxed: boolean;
      readonly outcome: 0 | 1;
      readonly side: "buy" | "sell";
      readonly hundredths: number;
      readonly limit: number | null;
    }
  | { readonly do: "post"; readonly pick: number; readonly outcome: PostOutcome }
  | { readonly do: "fill"; readonly pick: number; readonly ppm: number; readonly better: number }
  | { readonly do: "settle"; readonly pick: number; readonly fails: boolean }
  | {
      readonly do: "report";
      readonly pick: number;
      readonly state: "live" | "matched" | "ended" | "delayed";
    }
  | { readonly do: "absent"; readonly pick: number }
  | { readonly do: "cancel"; readonly pick: number }
  | { readonly do: "replace"; readonly pick: number; readonly limit: number }
  /** The venue ends an order whose price is being changed, and the new one's signature comes. */
  | { readonly do: "sign" }
  | { readonly do: "time"; readonly ms: number }
  | { readonly do: "book"; readonly taxed: boolean; readonly bid: number; readonly spread: number }
  | { readonly do: "command"; readonly n: number }
  | { readonly do: "cash" }
  /** Somebody else on the account; `n` names his order. */
  | {
      readonly do: "outside";
      readonly n: number;
      readonly what: "order" | "fill" | "gone" | "settle" | "cancel";
      readonly side: "buy" | "sell";
      readonly hundredths: number;
    }
  /** Three reads that find this part of the shares that we hold. */
  | { readonly do: "shares"; readonly ppm: number }
  | { readonly do: "restart" }
  | { readonly do: "kill" }
  | { readonly do: "resume" };

const pick = fc.nat({ max: 20 });
const outcomes: readonly PostOutcome[] = [
  { kind: "accepted", state: "live" },
  { kind: "accepted", state: "matched" },
  { kind: "accepted", state: "delayed" },
  { kind: "duplicated" },
  { kind: "rejected", reason: "balance", detail: "" },
  { kind: "not_taken", reason: "venue_restarting", retryAfterMs: null, detail: "" },
  { kind: "not_sent", detail: "" },
  { kind: "unknown", detail: "" },
  { kind: "blocked", denial: { code: "killed" } },
];

const usual: readonly fc.WeightedArbitrary<Happening>[] = [
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant("trade" as const),
      taxed: fc.boolean(),
      outcome: fc.constantFrom(0 as const, 1 as const),
      side: fc.constantFrom("buy" as const, "buy" as const, "buy" as const, "sell" as const),
      hundredths: fc.integer({ min: 100, max: 8_000 }),
      limit: fc.option(fc.integer({ min: 40, max: 60 }), { nil: null }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("post" as const),
      pick,
      outcome: fc.constantFrom(...outcomes),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("fill" as const),
      pick,
      ppm: fc.oneof(fc.constant(1_000_000), fc.integer({ min: 1, max: 1_000_000 })),
      better: fc.nat({ max: 10 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("settle" as const), pick, fails: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("report" as const),
      pick,
      state: fc.constantFrom(
        ...(["live", "matched", "ended", "delayed"] as const satisfies readonly string[]),
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("absent" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("replace" as const),
      pick,
      limit: fc.integer({ min: 40, max: 60 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: "sign" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("time" as const),
      ms: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("book" as const),
      taxed: fc.boolean(),
      bid: fc.integer({ min: 40, max: 55 }),
      spread: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("command" as const), n: fc.nat({ max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "cash" }) },
];

const rare: readonly fc.WeightedArbitrary<Happening>[] = [
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("shares" as const),
      ppm: fc.constantFrom(0, 500_000, 1_000_000, 1_500_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("outside" as const),
      n: fc.nat({ max: 4 }),
      what: fc.constantFrom(...(["order", "fill", "gone", "settle", "cancel"] as const)),
      side: fc.constantFrom("buy" as const, "sell" as const),
      hundredths: fc.integer({ min: 1, max: 2_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" }) },
  { weight: 1, arbitrary: fc.constant({ do: "kill" }) },
  { weight: 1, arbitrary: fc.constant({ do: "resume" }) },
];

/** Days of trading without a kill or a restart. */
export const quietRun: fc.Arbitrary<Happening[]> = fc.array(fc.oneof(...usual), {
  minLength: 30,
  maxLength: 80,
  size: "max",
});

export const anyRun: fc.Arbitrary<Happening[]> = fc.array(fc.oneof(...usual, ...rare), {
  minLength: 30,
  maxLength: 80,
  size: "max",
});
