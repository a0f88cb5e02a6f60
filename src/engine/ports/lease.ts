/** Who holds a lease, for the sentence that refuses a second one. */
export type LeaseInfo = {
  readonly pid: number;
  readonly sinceMs: number;
  /** What it does: "run-service desk". */
  readonly purpose: string;
};

/** The right to be the one writer and signer of a place: a file on this machine, or a database. */
export type Lease = {
  /** What is held: a file's path, or the database without its password. */
  readonly place: string;
  /** False once released, or when a second holder became possible: the file was replaced, the connection is gone. */
  readonly isHeld: () => boolean;
  readonly release: () => void;
};

export type LeaseResult =
  | { readonly ok: true; readonly lease: Lease }
  /** `heldBy` is null when the holder left no readable note. */
  | { readonly ok: false; readonly place: string; readonly heldBy: LeaseInfo | null };
