/** hash(planId, leg): the key under which an order exists before anybody else knows it. */
export function clientOidOf(
  sha256Hex: (text: string) => string,
  planId: string,
  leg: number,
): string {
  return sha256Hex(`pitboss:oid:${planId}:${leg}`);
}

/** 32 hex digits out of an envelope's entropy: nonces and ids are made by the step, from recorded chance. */
export function derivedId(
  sha256Hex: (text: string) => string,
  entropy: string,
  tag: string,
): string {
  return sha256Hex(`pitboss:${tag}:${entropy}`).slice(0, 32);
}
