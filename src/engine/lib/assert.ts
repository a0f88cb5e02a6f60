/** A broken invariant: a bug in this program, never the fault of its input. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Stops instead of continuing wrongly. Stays on in production. */
export function assert(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new AssertionError(`Invariant: ${rule}`);
}

/** For the default branch of a switch that must be complete. */
export function unreachable(value: never): never {
  throw new AssertionError(`Invariant: unreachable case, was ${JSON.stringify(value)}`);
}
