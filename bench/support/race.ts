/** What one contender did in one round. */
export type Round = {
  /** Nanoseconds of each operation. */
  readonly samplesNs: Float64Array;
  /** Nanoseconds of the whole round; larger than the sum of the samples when something runs between them. */
  readonly elapsedNs: number;
};

/** One way to do the work. Everything that a round prepares outside its own clock is not counted. */
export type Contender = {
  readonly name: string;
  readonly round: () => Round | Promise<Round>;
};

/** Times of one contender over all rounds. */
export type Timing = {
  readonly name: string;
  readonly rounds: number;
  readonly operations: number;
  /** Median of the medians of the rounds. */
  readonly medianNs: number;
  /** Over all operations of all rounds. */
  readonly p99Ns: number;
  /** Lowest and highest median of a round: the spread of the machine. */
  readonly lowestNs: number;
  readonly highestNs: number;
  /** Median over the rounds of operations a second. */
  readonly perSecond: number;
};

export type RaceOptions = { readonly rounds: number; readonly warmUps: number };

/** Runs the contenders in turn, round by round, so that a slow moment of the machine meets all of them. */
export async function race(
  contenders: readonly Contender[],
  options: RaceOptions,
  progress: (text: string) => void,
): Promise<readonly Timing[]> {
  const kept = contenders.map((): Round[] => []);
  for (let round = -options.warmUps; round < options.rounds; round++) {
    // Every second round runs backwards: nobody always comes after the same neighbour.
    const order = contenders.map((contender, i) => ({ contender, i }));
    if (round % 2 !== 0) order.reverse();
    for (const { contender, i } of order) {
      progress(
        `${round < 0 ? "warm-up" : `round ${round + 1}/${options.rounds}`} ${contender.name}`,
      );
      const result = await contender.round();
      if (round >= 0) kept[i]?.push(result);
    }
  }
  return contenders.map(({ name }, i) => timingOf(name, kept[i] ?? []));
}

/** Summary of the rounds of one contender. */
export function timingOf(name: string, rounds: readonly Round[]): Timing {
  const medians = rounds.map((round) => quantile(round.samplesNs, 0.5));
  const all = new Float64Array(rounds.reduce((sum, round) => sum + round.samplesNs.length, 0));
  let at = 0;
  for (const { samplesNs } of rounds) {
    all.set(samplesNs, at);
    at += samplesNs.length;
  }
  return {
    name,
    rounds: rounds.length,
    operations: all.length,
    medianNs: quantile(Float64Array.from(medians), 0.5),
    p99Ns: quantile(all, 0.99),
    lowestNs: Math.min(...medians),
    highestNs: Math.max(...medians),
    perSecond: quantile(
      Float64Array.from(rounds, (one) => (one.samplesNs.length * 1e9) / one.elapsedNs),
      0.5,
    ),
  };
}

/** The value below which this part of the samples lies; NaN without samples. */
export function quantile(samples: Float64Array, part: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

const nsPerMs = 1e6;

/** Times `count` operations one by one. The clock itself costs about 50 ns an operation, which stays in the figures. */
export function timeEach(count: number, operation: (i: number) => void): Round {
  const samplesNs = new Float64Array(count);
  const startedAt = performance.now();
  let last = startedAt;
  for (let i = 0; i < count; i++) {
    operation(i);
    const now = performance.now();
    samplesNs[i] = (now - last) * nsPerMs;
    last = now;
  }
  return { samplesNs, elapsedNs: (last - startedAt) * nsPerMs };
}

/** The same for operations that are over later; one at a time. */
export async function timeEachAsync(
  count: number,
  operation: (i: number) => Promise<unknown>,
): Promise<Round> {
  const samplesNs = new Float64Array(count);
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) {
    const before = performance.now();
    await operation(i);
    samplesNs[i] = (performance.now() - before) * nsPerMs;
  }
  return { samplesNs, elapsedNs: (performance.now() - startedAt) * nsPerMs };
}

/** Keeps a result alive, so that the compiler cannot leave the work out. */
export function keep(value: unknown): void {
  kept = value;
  if (kept === keep) throw new TypeError("unreachable");
}
let kept: unknown = null;
