import type { ClobClient } from "./clob-client.ts";

/** Bits 40 to 103 of a position id are reserved and zero (polymarket-trading 1.3); a token id is a hash. */
const reserved = ((1n << 64n) - 1n) << 40n;

function assetTypeOf(tokenId: string): string {
  return (BigInt(tokenId) & reserved) === 0n ? "CONDITIONAL-V2" : "CONDITIONAL";
}

/**
 * Asks the venue to read cash and these tokens on the chain again: after a contract call or an approval it keeps what it
 * knew before (polymarket-trading 5.2). Best effort: the next comparison shows what came of it.
 */
export async function refreshBalances(
  clob: ClobClient,
  signatureType: number,
  tokenIds: readonly string[],
): Promise<void> {
  const assets = tokenIds.map((id) => `${assetTypeOf(id)}&token_id=${id}`);
  for (const asset of ["COLLATERAL", ...assets]) {
    const query = `asset_type=${asset}&signature_type=${signatureType}`;
    // One that fails leaves the others to be tried: nothing depends on any of them.
    await clob
      .call({ method: "GET", path: "/balance-allowance/update", query })
      .catch(() => undefined);
  }
}
