import fc from "fast-check";
import type { WatchedMarket } from "../../../src/engine/ports/market-data.ts";

/** Two markets that a reader is told of; the ids of the second differ from the first one's in one late digit. */
export const watched: readonly WatchedMarket[] = [
  {
    conditionId: `0x${"ab".repeat(32)}`,
    tokenIds: [
      "98363508340521183245318514190141507723903436429495480957027693706491694401465",
      "75879263676589080764642307318779959876010671548499848551489954130914348794263",
    ],
  },
  {
    conditionId: `0x${"ab".repeat(31)}ac`,
    tokenIds: [
      "98363508340521183245318514190141507723903436429495480957027693706491694401466",
      "111604417349377875799825956621596386269673370070912696668140891647145772186047",
    ],
  },
];

const digits = (min: number, max: number) =>
  fc.stringMatching(new RegExp(`^[0-9]{${min},${max}}$`));

/** Prices on every tick, and now and then text that is no price or no shortest one. */
const priceText = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 9_999 }).map((n) => String(n / 10_000)) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 999 }).map((n) => String(n / 1_000)) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 99 }).map((n) => String(n / 100)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("0.50", "00.5", ".5", "5.", "0", "1", "1.0", "0.00001", "5e-1", ""),
  },
);

const sizeText = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 2_100_000_000 }).map((n) => String(n / 100)) },
  { weight: 4, arbitrary: fc.tuple(digits(1, 8), digits(1, 6)).map((parts) => parts.join(".")) },
  { weight: 2, arbitrary: digits(1, 12) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "21006065.123457",
      "9007199254.740991",
      "9007199254.740992",
      "999999999999999",
      "0000000000000001",
      "0.0000010",
      "1.0000001",
      "-1",
      "1e3",
      "0x1",
      "NaN",
      "٣",
    ),
  },
);

const hashText = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[0-9a-f]{40}$/) },
  { weight: 2, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom("AB".repeat(20), "ab".repeat(19), "zz".repeat(20)) },
);

const sideText = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("BUY", "SELL") },
  { weight: 1, arbitrary: fc.constantFrom("buy", "sell", "Buy", "SELLS", "") },
);

const timestampText = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.integer({ min: 1_780_000_000_000, max: 1_790_000_000_000 }).map(String),
  },
  { weight: 2, arbitrary: digits(1, 17) },
);

const anyId = fc
  .constantFrom(...watched)
  .chain(({ conditionId, tokenIds }) =>
    fc.constantFrom(
      { market: conditionId, token: tokenIds[0] },
      { market: conditionId, token: tokenIds[1] },
    ),
  );

type Message = Readonly<Record<string, unknown>>;

const change = (tokens: fc.Arbitrary<string>): fc.Arbitrary<Message> =>
  fc
    .tuple(tokens, priceText, sizeText, sideText, hashText, priceText, priceText)
    .map(([token, price, size, side, hash, best_bid, best_ask]) => {
      return { asset_id: token, price, size, side, hash, best_bid, best_ask };
    });

const foreignToken = anyId.map(({ token }) => token);

export const priceChange: fc.Arbitrary<Message> = fc
  .constantFrom(...watched)
  .chain(({ conditionId, tokenIds }) => {
    const own = fc.constantFrom(...tokenIds);
    const token = fc.oneof({ weight: 9, arbitrary: own }, { weight: 1, arbitrary: foreignToken });
    const list = fc.array(change(token), { minLength: 1, maxLength: 4 });
    return fc.tuple(list, timestampText).map(([price_changes, timestamp]) => {
      return { market: conditionId, price_changes, timestamp, event_type: "price_change" };
    });
  });

const levels = (order: 1 | -1) =>
  fc
    .tuple(
      fc.array(fc.record({ price: priceText, size: sizeText }), { maxLength: 12 }),
      fc.boolean(),
    )
    .map(([rows, sorted]) =>
      sorted ? rows.toSorted((a, b) => order * (Number(a.price) - Number(b.price))) : rows,
    );

export const book: fc.Arbitrary<Message> = fc
  .tuple(anyId, timestampText, hashText, levels(1), levels(-1))
  .chain(([{ market, token }, timestamp, hash, bids, asks]) => {
    const always = { market, asset_id: token, timestamp, hash, bids, asks, event_type: "book" };
    return fc
      .record(
        {
          tick_size: fc.constantFrom("0.01", "0.001", "0.3", "1", ""),
          last_trade_price: fc.constantFrom("0.620", "", "1", ".5", "x", "0.6200000"),
          min_order_size: fc.constantFrom("5", "0", "-5"),
          neg_risk: fc.constantFrom<unknown>(true, false, "true", null),
        },
        { requiredKeys: [] },
      )
      .map((more) => ({ ...always, ...more }));
  });

const about = fc
  .tuple(anyId, timestampText)
  .map(([{ market, token }, timestamp]) => ({ market, asset_id: token, timestamp }));

const others: fc.Arbitrary<Message> = fc.oneof(
  fc.tuple(about, priceText, sizeText, sideText).map(([head, price, size, side]) => {
    const rest = { fee_rate_bps: "0", event_type: "last_trade_price", transaction_hash: "0xab" };
    return { ...head, price, size, side, ...rest };
  }),
  fc.tuple(about, priceText, priceText).map(([head, best_bid, best_ask]) => {
    return { ...head, best_bid, best_ask, spread: "0.01", event_type: "best_bid_ask" };
  }),
  fc.tuple(about, fc.constantFrom("0.01", "0.001", "0.02", "0.0025")).map(([head, tick]) => {
    return { event_type: "tick_size_change", ...head, old_tick_size: "0.1", new_tick_size: tick };
  }),
);

export const message = fc.oneof(
  { weight: 4, arbitrary: priceChange },
  { weight: 3, arbitrary: book },
  { weight: 2, arbitrary: others },
);

/** Messages and frames of them as the venue writes them: compact, one or an array. */
export const frameText = fc.oneof(
  { weight: 3, arbitrary: message.map((one) => JSON.stringify(one)) },
  {
    weight: 1,
    arbitrary: fc.array(message, { maxLength: 3 }).map((list) => JSON.stringify(list)),
  },
);

/** A frame in which only values are left that both ways read, so that the fast one has no excuse. */
export const ordinaryFrame: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...(watched[0]?.tokenIds ?? [])),
      fc.integer({ min: 1, max: 9_999 }),
      fc.integer({ min: 0, max: 2_100_600_512_345 }),
      fc.stringMatching(/^[0-9a-f]{40}$/),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((rows) =>
    JSON.stringify({
      market: watched[0]?.conditionId,
      price_changes: rows.map(([token, price, size, hash], i) => ({
        asset_id: token,
        price: String(price / 10_000),
        size: size < 1 ? "0" : (size / 1_000_000).toFixed(6).replace(/\.?0+$/, ""),
        side: i % 2 === 0 ? "BUY" : "SELL",
        hash,
        best_bid: "0",
        best_ask: String((10_000 - price) / 10_000),
      })),
      timestamp: "1784574617346",
      event_type: "price_change",
    }),
  );
