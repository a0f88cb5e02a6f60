/** The native half of the package alone: it throws where the package's own entry falls back to slow JavaScript. */
declare module "secp256k1/bindings.js" {
  type Secp256k1 = {
    /** Blinds the curve's arithmetic with 32 random bytes; the signatures stay the same. */
    contextRandomize(seed: Uint8Array): void;
    ecdsaSign(
      digest: Uint8Array,
      key: Uint8Array,
    ): { readonly signature: Uint8Array; readonly recid: number };
  };
  const secp256k1: Secp256k1;
  export default secp256k1;
}
