/** Something in a benchmark did not hold: two results differ, a server did not answer, a process did not start. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}

/** Ends the benchmark when two implementations disagree: a ratio between different results means nothing. */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BenchError(`not equal, so not comparable: ${what}`);
}
