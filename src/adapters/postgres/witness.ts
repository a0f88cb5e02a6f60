// What this machine saw acknowledged, beside the database: a server that forgot some of it is found out at the start.
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { LogError } from "../../engine/ports/log-error.ts";
import type { LedgerTip } from "./ledger-rows.ts";

const bytes = 128;
const ownerOnly = 0o600;

/**
 * The newest acknowledged row, in one block that is overwritten in place. It is not synced: it must outlive a loss of
 * the database's machine, not of this one.
 */
export class Witness {
  readonly #handle: number;
  readonly #block = Buffer.alloc(bytes, " ");

  /** @throws the file system's error when the file cannot be made */
  constructor(file: string) {
    // Opened without truncation, made when it is missing.
    this.#handle = openSync(file, "a", ownerOnly);
    closeSync(this.#handle);
    this.#handle = openSync(file, "r+");
  }

  /** Null when nothing was noted, or what stands there was torn. */
  read(): LedgerTip | null {
    const block = Buffer.alloc(bytes);
    const length = readSync(this.#handle, block, 0, bytes, 0);
    const match = /^(\d{1,16}) (\d{1,10}) end\s*$/.exec(block.toString("latin1", 0, length));
    return match === null ? null : { seq: Number(match[1]), chain: Number(match[2]) };
  }

  note({ seq, chain }: LedgerTip): void {
    this.#block.fill(" ");
    this.#block.write(`${seq} ${chain} end`, "latin1");
    writeSync(this.#handle, this.#block, 0, bytes, 0);
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** Refuses a database that has less than was acknowledged, or something else in its place. @throws LogError */
export function requireSeen(
  seen: LedgerTip,
  found: { readonly tip: LedgerTip; readonly chainAtSeen: number | null },
  place: string,
  file: string,
): void {
  const then = `Trading does not start. Connect the server that has these rows; or, when they are lost for good, move ${file} away: the next start asks the venue for the missing trades`;
  if (found.tip.seq < seen.seq) {
    throw new LogError(
      "ledger_rows_lost",
      `database ${place} ends at row ${found.tip.seq}, but row ${seen.seq} was acknowledged: it is a server without the last commits, or an old backup. ${then}`,
    );
  }
  if (found.chainAtSeen !== seen.chain) {
    throw new LogError(
      "ledger_second_writer",
      `database ${place} has another row ${seen.seq} than the one that was written from here. ${then}`,
    );
  }
}
