import { Interface } from "ethers/abi";
import { getAddress } from "ethers/address";
import type { Account } from "./account.ts";
import { convert, merge, redeemShares, split } from "./positions.ts";
import { badRequest } from "./venue-error.ts";
import type { VenueState } from "./venue-state.ts";

/** Contracts that the emulated relayer lets an account call, at the venue's addresses. */
const targets = {
  adapter: "0xAdA100Db00Ca00073811820692005400218FcE1f",
  negRiskAdapter: "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
  router: "0x12121212006e4CD160D18e3f00711DA5c3372600",
  pusd: "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
  ctf: "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
  positionManager: "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF",
} as const;

const abi = new Interface([
  "function splitPosition(address, bytes32, bytes32, uint256[], uint256)",
  "function mergePositions(address, bytes32, bytes32, uint256[], uint256)",
  "function redeemPositions(address, bytes32, bytes32, uint256[])",
  "function convertPositions(bytes32, uint256, uint256)",
  "function split(bytes31, uint256)",
  "function merge(bytes31, uint256)",
  "function redeem(bytes31, uint256, uint256)",
  "function approve(address, uint256)",
  "function setApprovalForAll(address, bool)",
  "function proxy((uint8, address, uint256, bytes)[])",
]);

function isOne(target: string, ...names: readonly (keyof typeof targets)[]): boolean {
  return names.some((name) => getAddress(targets[name]) === getAddress(target));
}

function shares(value: unknown): bigint {
  if (typeof value !== "bigint" || value <= 0n) throw badRequest("amount is not above zero");
  return value;
}

/** Adapters take pUSD, no parent, and both outcomes of a condition, nothing else. */
function pairOf(args: readonly unknown[]): string {
  const [token, parent, condition, sets] = args;
  const whole = Array.from(sets as Iterable<bigint>).join() === "1,2";
  const bare = /^0x0{64}$/.test(String(parent));
  if (getAddress(String(token)) !== getAddress(targets.pusd) || !bare || !whole) {
    throw badRequest("unexpected collateral, parent or partition");
  }
  return String(condition).toLowerCase();
}

function padded(condition: unknown): string {
  return `${String(condition).toLowerCase()}00`;
}

/** Questions of a neg-risk market by the bits of an index set: the index is a question id's last byte. */
function convertBy(state: VenueState, account: Account, args: readonly unknown[]): void {
  const marketId = String(args[0]).toLowerCase();
  const set = args[1] as bigint;
  const chosen = state.markets
    .all()
    .filter(({ spec }) => spec.negRiskMarketId?.toLowerCase() === marketId)
    .filter(({ spec }) => (set >> BigInt(`0x${spec.questionId.slice(-2)}`)) & 1n)
    .map((market) => market.id);
  convert(state, account, marketId, chosen, shares(args[2]));
}

/** Carries out one call of an account. Throws VenueError for what the contracts would undo. */
function execute(state: VenueState, account: Account, target: string, data: string): void {
  const call = abi.parseTransaction({ data });
  if (call === null) throw badRequest("unknown function");
  const args = [...call.args] as readonly unknown[];
  const name = call.name;
  if (isOne(target, "adapter", "negRiskAdapter")) {
    if (name === "splitPosition") return split(state, account, pairOf(args), shares(args[4]));
    if (name === "mergePositions") return merge(state, account, pairOf(args), shares(args[4]));
    if (name === "redeemPositions") return redeemShares(state, account, pairOf(args));
    if (name === "convertPositions" && isOne(target, "negRiskAdapter")) {
      return convertBy(state, account, args);
    }
  }
  if (isOne(target, "router")) {
    if (name === "split") return split(state, account, padded(args[0]), shares(args[1]));
    if (name === "merge") return merge(state, account, padded(args[0]), shares(args[1]));
    if (name === "redeem") return redeemShares(state, account, padded(args[0]));
  }
  // Accounts of this venue have full allowances; giving them again changes nothing.
  if (name === "approve" && isOne(target, "pusd")) return undefined;
  if (name === "setApprovalForAll" && isOne(target, "ctf", "positionManager")) return undefined;
  throw badRequest("the relayer does not allow this call");
}

/** The one call inside a proxy factory's `proxy`. */
function unwrapProxy(data: string): { readonly target: string; readonly data: string } {
  const call = abi.parseTransaction({ data });
  const calls = call?.name === "proxy" ? Array.from(call.args[0] as Iterable<unknown[]>) : [];
  const [only] = calls;
  if (only === undefined || calls.length !== 1) throw badRequest("exactly one call is supported");
  return { target: String(only[1]), data: String(only[3]) };
}

export const relayedCall = { execute, unwrapProxy };
