import { createHash } from "node:crypto";

export const identity = { codeVersion: "test", configHash: "0".repeat(64) };
export const startMs = 1_790_000_000_000;

const digestOf = (text: string, kind: string) => createHash(kind).update(text).digest("hex");

/** Ids of a made-up market, as long as real ones. */
export function marketOf(n: number): { readonly conditionId: string; readonly tokens: string[] } {
  const digits = (token: number) =>
    BigInt(`0x${digestOf(`token ${n} ${token}`, "sha256")}`)
      .toString()
      .padStart(77, "1")
      .slice(0, 77);
  return { conditionId: `0x${digestOf(`market ${n}`, "sha256")}`, tokens: [digits(0), digits(1)] };
}

/** The n-th frame of a made-up stream: mostly changes, now and then something else. */
export function frameOf(n: number): string {
  if (n % 50 === 7) return n % 100 === 7 ? "PONG" : "";
  const market = marketOf(n % 5);
  if (n % 20 === 3) {
    const name = "naïve – 試す 🂡";
    return JSON.stringify({ event_type: "last_trade_price", market: market.conditionId, n, name });
  }
  const price = (1 + (n % 98)) / 100;
  const entry = (token: 0 | 1) => ({
    asset_id: market.tokens[token],
    price: String(token === 0 ? price : Math.round((1 - price) * 100) / 100),
    size: String((n % 700) / 4),
    side: token === 0 ? "BUY" : "SELL",
    hash: n % 9 === 0 ? "" : digestOf(`${n} ${token}`, "sha1"),
    best_bid: n % 11 === 0 ? "0" : token === 0 ? "0.41" : "0.57",
    best_ask: n % 11 === 0 ? "1" : token === 0 ? "0.43" : "0.59",
  });
  return JSON.stringify({
    market: market.conditionId,
    price_changes: [entry(0), entry(1)],
    timestamp: String(startMs + 3 * n),
    event_type: "price_change",
  });
}
