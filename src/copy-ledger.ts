import { createHash } from "node:crypto";
import type { DurableLog, LogRecord } from "./engine/ports/durable-log.ts";
import { applyFact } from "./engine/state/apply-fact.ts";
import { canonicalState } from "./engine/state/digest.ts";
import { createState, type EngineState } from "./engine/state/engine-state.ts";
import type { Fact } from "./engine/state/fact.ts";
import { ServiceError } from "./service-error.ts";

/** What both ledgers hold after a copy. */
export type CopiedLedger = {
  readonly rows: number;
  /** SHA-256 of the state that either ledger folds to. */
  readonly digest: string;
  /** Rows that an earlier attempt had copied. */
  readonly alreadyThere: number;
};

const pageRows = 500;

/**
 * Brings the target's ledger up to the source's, row by row in order, and proves it: every row is read back from both and
 * compared, and both fold to the same state. The source is only read. Rows that the target has already must be the
 * source's first ones. @throws ServiceError when they are not, LogError when a row cannot be read or kept
 */
export async function copyLedger(source: DurableLog, target: DurableLog): Promise<CopiedLedger> {
  const rows = await source.lastSeq();
  const alreadyThere = await target.lastSeq();
  if (alreadyThere > rows) throw differs(rows + 1);
  await compare(source, target, alreadyThere, () => undefined);
  for (let next = alreadyThere + 1; next <= rows; ) {
    const page = await source.read(next, pageRows);
    if (page.length === 0) throw differs(next);
    await target.append(page);
    next += page.length;
  }
  const states = [createState(), createState()] as const;
  await compare(source, target, rows, (one, other) => {
    fold(states[0], one);
    fold(states[1], other);
  });
  const [digest, copied] = states.map(digestOf);
  if (digest === undefined || digest !== copied || (await target.lastSeq()) !== rows) {
    throw differs(rows);
  }
  return { rows, digest, alreadyThere };
}

/** Reads the first `rows` rows of both and hands each pair on. @throws ServiceError at the first that differ */
async function compare(
  source: DurableLog,
  target: DurableLog,
  rows: number,
  each: (one: LogRecord, other: LogRecord) => void,
): Promise<void> {
  for (let next = 1; next <= rows; ) {
    const limit = Math.min(pageRows, rows - next + 1);
    const [ones, others] = await Promise.all([source.read(next, limit), target.read(next, limit)]);
    for (let i = 0; i < limit; i++) {
      const [one, other] = [ones[i], others[i]];
      if (one === undefined || other === undefined || !same(one, other)) throw differs(next + i);
      each(one, other);
    }
    next += limit;
  }
}

function same(a: LogRecord, b: LogRecord): boolean {
  return (
    a.seq === b.seq &&
    a.atMs === b.atMs &&
    a.stepId === b.stepId &&
    a.kind === b.kind &&
    a.correlationId === b.correlationId &&
    a.body === b.body
  );
}

function fold(state: EngineState, record: LogRecord): void {
  applyFact(state, JSON.parse(record.body) as Fact, record.atMs);
}

function digestOf(state: EngineState): string {
  return createHash("sha256").update(canonicalState(state)).digest("hex");
}

function differs(seq: number): ServiceError {
  return new ServiceError(
    "copy_differs",
    `the copy differs from the ledger at row ${seq}: it is not a copy of this ledger. The ledger itself was not changed; name an empty target`,
  );
}
