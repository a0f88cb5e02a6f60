import { createHash } from "node:crypto";

function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** 32-byte id as 0x-hex, derived from a text. */
export function hashId(text: string): string {
  return `0x${sha256Hex(text)}`;
}

/** Token id: the decimal of the 256 bits of a text's SHA-256. */
export function hashTokenId(text: string): string {
  return BigInt(hashId(text)).toString();
}

/** Stable condition id of a recorded book that came without one. */
export function conditionIdOfToken(yesTokenId: string): string {
  return hashId(`pitboss:c:${yesTokenId}`);
}

/** Stable NO token of a recorded book that came without one. */
export function noTokenOfToken(yesTokenId: string): string {
  return hashTokenId(`pitboss:n:${yesTokenId}`);
}

/** Ids of a neg-risk market share 31 bytes; the last byte counts the questions, 00 is the market itself. */
export function negRiskIds(text: string): {
  readonly negRiskMarketId: string;
  readonly questionId: (index: number) => string;
} {
  const stem = hashId(text).slice(0, 64);
  return {
    negRiskMarketId: `${stem}00`,
    questionId: (index) => `${stem}${(index + 1).toString(16).padStart(2, "0")}`,
  };
}

export type PositionIds = {
  /** 64 hex digits: what the CLOB answers to. */
  readonly conditionId: string;
  /** Decimal position ids of outcome 0 and 1. */
  readonly tokenIds: readonly [string, string];
};

const MODULE_BINARY = 1n;
const MODULE_NEG_RISK = 2n;

/**
 * Ids of a protocol V2 market. Layout, high to low bits: moduleId 8, baseHash 128, arity 16, reserved 64,
 * resolutionChain 16, conditionIndex 16, outcomeIndex 8. The condition id is the position id without its last
 * byte (31 bytes), padded right to 64 hex digits where the CLOB wants it.
 */
export function positionIds(text: string, negRisk: boolean, conditionIndex: number): PositionIds {
  const baseHash = BigInt(hashId(text)) >> 128n;
  const module = negRisk ? MODULE_NEG_RISK : MODULE_BINARY;
  const base = (module << 248n) | (baseHash << 120n) | (BigInt(conditionIndex) << 8n);
  return {
    conditionId: `0x${base.toString(16).padStart(64, "0")}`,
    tokenIds: [base.toString(), (base | 1n).toString()],
  };
}

/** Gamma shows the condition id of a V2 market with 31 bytes. */
export function gammaConditionId(conditionId: string, version: "v1" | "v2"): string {
  return version === "v2" ? conditionId.slice(0, 64) : conditionId;
}
