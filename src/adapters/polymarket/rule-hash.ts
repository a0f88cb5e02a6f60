import { createHash } from "node:crypto";
import type { RuleHash } from "../../engine/domain/market.ts";
import { type Fields, freeText, listOf } from "./wire.ts";

/**
 * SHA-256 (hex) of what decides how a market pays: question, description, resolution source, outcomes and dates, as
 * Gamma words them. A different hash means that the terms were edited, and that somebody has to read them again.
 * `umaEndDate` is no term: Gamma writes it when the market is resolved.
 */
export function ruleHash(market: Fields): RuleHash {
  const texts = ["question", "description", "resolutionSource", "startDate", "endDate"];
  const terms = [
    ...texts.map((name) => freeText(market[name])),
    (listOf(market["outcomes"]) ?? []).map((name) => freeText(name)),
  ];
  return createHash("sha256").update(JSON.stringify(terms)).digest("hex");
}
