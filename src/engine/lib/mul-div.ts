import { assert } from "./assert.ts";

/**
 * a * b / c on safe integers, rounded as the name says. The product may exceed 2^53 (a real level holds 21 million
 * shares), so it is formed in BigInt when it has to be.
 */
export function mulDivFloor(a: number, b: number, c: number): number {
  checkOperands(a, b, c);
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) {
    const remainder = product % c;
    return (product - remainder) / c;
  }
  return checked(Number((BigInt(a) * BigInt(b)) / BigInt(c)));
}

/** As mulDivFloor, rounded up. */
export function mulDivCeil(a: number, b: number, c: number): number {
  checkOperands(a, b, c);
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) {
    const remainder = product % c;
    return (product - remainder) / c + (remainder === 0 ? 0 : 1);
  }
  const divisor = BigInt(c);
  return checked(Number((BigInt(a) * BigInt(b) + divisor - 1n) / divisor));
}

function checkOperands(a: number, b: number, c: number): void {
  assert(Number.isSafeInteger(a) && a >= 0, "the first factor is a safe integer >= 0");
  assert(Number.isSafeInteger(b) && b >= 0, "the second factor is a safe integer >= 0");
  assert(Number.isSafeInteger(c) && c > 0, "the divisor is a safe integer > 0");
}

function checked(value: number): number {
  assert(Number.isSafeInteger(value), "a product divided stays a safe integer");
  return value;
}
