import type { ApiCredentials } from "./auth.ts";
import type { HttpTimeouts } from "./http-client.ts";

/** What the thread is started with. */
export type HeartbeatWorkerData = {
  readonly baseUrl: string;
  readonly signer: string;
  readonly timeouts: HttpTimeouts;
  readonly intervalMs: number;
  /** Without an accepted beat for longer, the venue may cancel soon. */
  readonly lateMs: number;
  /** Two Int32: ticks of the main loop, and the venue's clock less the machine's in milliseconds. */
  readonly shared: SharedArrayBuffer;
};

export const ticksIndex = 0;
export const clockOffsetIndex = 1;

export type HeartbeatRequest =
  | { readonly do: "arm"; readonly credentials: ApiCredentials }
  | { readonly do: "disarm" }
  | { readonly do: "close" };

/** Why the venue does not hear us; null when it does. */
export type HeartbeatAnswer = { readonly detail: string | null };
