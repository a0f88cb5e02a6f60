import { AdapterError } from "../../engine/lib/errors.ts";

export type StoreErrorCode =
  /** Another loader moved the checkpoint meanwhile; nothing of this batch was kept. */
  | "store_checkpoint_moved"
  /** A value that no table can hold. */
  | "store_bad_value"
  | "store_failed";

/** Why rows of the store were not read or not kept. Money does not depend on them: the ledger is elsewhere. */
export class StoreError extends AdapterError {
  override readonly name = "StoreError";
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(code, message, { outcome: "rejected", retryable: false, cause });
  }
}

export function checkpointMoved(name: string, from: number, found: number): StoreError {
  return new StoreError(
    "store_checkpoint_moved",
    `${name} was read from ${from}, but the store has it up to ${found}: another loader is at work; nothing was written, start again`,
  );
}
