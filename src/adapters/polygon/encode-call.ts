import { Interface } from "ethers/abi";
import type { ActionCall, ContractMarket } from "../../engine/domain/position-action.ts";
import { assert, unreachable } from "../../engine/lib/assert.ts";
import type { AddressBook } from "./address-book.ts";

/** One call of a contract: no value is ever sent along. */
export type EncodedCall = { readonly to: string; readonly data: string };

const zero32 = `0x${"0".repeat(64)}`;
/** Index sets of the two outcomes of a binary condition. */
const partition = [1, 2] as const;

/** Signatures of polymarket-trading 5.3. */
export const contractAbi = new Interface([
  "function wrap(address asset, address to, uint256 amount)",
  "function splitPosition(address collateralToken, bytes32 parentCollectionId, bytes32 conditionId, uint256[] partition, uint256 amount)",
  "function mergePositions(address collateralToken, bytes32 parentCollectionId, bytes32 conditionId, uint256[] partition, uint256 amount)",
  "function redeemPositions(address collateralToken, bytes32 parentCollectionId, bytes32 conditionId, uint256[] indexSets)",
  "function convertPositions(bytes32 marketId, uint256 indexSet, uint256 amount)",
  "function split(bytes31 conditionId, uint256 amount)",
  "function merge(bytes31 conditionId, uint256 amount)",
  "function redeem(bytes31 conditionId, uint256 outcomeIndex, uint256 amount)",
  "function approve(address spender, uint256 amount)",
  "function allowance(address owner, address spender) view returns (uint256)",
  "function setApprovalForAll(address operator, bool approved)",
  "function isApprovedForAll(address account, address operator) view returns (bool)",
  "function balanceOf(address account, uint256 id) view returns (uint256)",
  "function getFeeBips(bytes32 marketId) view returns (uint256)",
  "function getQuestionCount(bytes32 marketId) view returns (uint256)",
]);

/** The contract call behind an action; `account` holds the money. */
export function encodeCall(book: AddressBook, account: string, call: ActionCall): EncodedCall {
  switch (call.kind) {
    case "wrap":
      return encoded(book.onramp, "wrap", [book.usdce, account, call.amount]);
    case "split":
    case "merge":
      return encodePair(book, call.kind, call.market, call.size);
    case "redeem":
      return encodeRedeem(book, call);
    case "convert":
      return encoded(book.negRiskCollateralAdapter, "convertPositions", [
        call.marketId,
        indexSetOf(call.questions),
        call.size,
      ]);
    default:
      return unreachable(call);
  }
}

function encoded(to: string, name: string, args: readonly unknown[]): EncodedCall {
  return { to, data: contractAbi.encodeFunctionData(name, [...args]) };
}

function adapterOf(book: AddressBook, market: ContractMarket): string {
  return market.negRisk ? book.negRiskCollateralAdapter : book.collateralAdapter;
}

/** Version "v2" ids have 31 bytes; the catalog pads them on the right. */
function bytes31(conditionId: string): string {
  return conditionId.slice(0, 64);
}

function encodePair(
  book: AddressBook,
  kind: "split" | "merge",
  market: ContractMarket,
  size: number,
): EncodedCall {
  const { conditionId, version } = market;
  if (version === "v2") return encoded(book.router, kind, [bytes31(conditionId), size]);
  const name = kind === "split" ? "splitPosition" : "mergePositions";
  return encoded(adapterOf(book, market), name, [book.pusd, zero32, conditionId, partition, size]);
}

/** Losing shares are worth nothing: of a "v2" market only the winning ones are redeemed, or the first when none won. */
function encodeRedeem(
  book: AddressBook,
  call: Extract<ActionCall, { readonly kind: "redeem" }>,
): EncodedCall {
  const { market, legs, winningTokenId } = call;
  if (market.version === "v1") {
    const args = [book.pusd, zero32, market.conditionId, partition];
    return encoded(adapterOf(book, market), "redeemPositions", args);
  }
  const leg = legs.find((one) => one.tokenId === winningTokenId) ?? legs[0];
  assert(leg !== undefined, "a redemption has shares");
  return encoded(book.router, "redeem", [bytes31(market.conditionId), leg.outcome, leg.size]);
}

/** Bit n stands for the question with index n. */
export function indexSetOf(questions: readonly number[]): bigint {
  let set = 0n;
  for (const index of questions) set |= 1n << BigInt(index);
  return set;
}
