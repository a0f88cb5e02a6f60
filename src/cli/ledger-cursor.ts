import type { DurableLog, LogRecord } from "../engine/ports/durable-log.ts";
import { LedgerError } from "../engine/runtime/ledger-writer.ts";
import { applyFact } from "../engine/state/apply-fact.ts";
import { createState, type EngineState } from "../engine/state/engine-state.ts";
import type { Fact } from "../engine/state/fact.ts";

const pageRows = 1_000;

/** Rows of a ledger by number, read in pages; made for going forward. */
export class LedgerCursor {
  readonly #log: Pick<DurableLog, "read">;
  #page: readonly LogRecord[] = [];
  #from = 1;

  constructor(log: Pick<DurableLog, "read">) {
    this.#log = log;
  }

  /** The row of this number, or null behind the last one. @throws LedgerError when one is missing in between */
  async at(seq: number): Promise<LogRecord | null> {
    const known = this.#page[seq - this.#from];
    if (known !== undefined) return known;
    this.#page = await this.#log.read(seq, pageRows);
    this.#from = seq;
    const row = this.#page[0];
    if (row === undefined) return null;
    this.#page.forEach((one, i) => {
      if (one.seq !== seq + i) throw new LedgerError(`ledger row ${seq + i} is missing`);
    });
    return row;
  }

  /** The state behind the row before `nextSeq`; null when the ledger ends before it. @throws LedgerError */
  async foldedTo(nextSeq: number): Promise<EngineState | null> {
    const state = createState();
    for (let seq = 1; seq < nextSeq; seq++) {
      const row = await this.at(seq);
      if (row === null) return null;
      applyFact(state, JSON.parse(row.body) as Fact, row.atMs);
    }
    return state;
  }
}
