import type { World } from "../types.ts";

/** A world that a test can also drive by hand instead of by its timer. */
export type DrivenWorld = World & {
  /** Performs everything due up to `nowMs`. */
  advance(nowMs: number): void;
  /** Live additions to Gamma's eventMetadata, or null. */
  eventMetadata(eventId: string): Readonly<Record<string, unknown>> | null;
};
