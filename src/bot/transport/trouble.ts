import { GrammyError } from "grammy";

/** Something about the connection to Telegram that a person should know. */
export type TransportTrouble =
  /** Somebody else polls with this token: a second service, or a thief. */
  | { readonly kind: "conflict"; readonly detail: string }
  /** The token is not accepted any more. */
  | { readonly kind: "unauthorized"; readonly detail: string }
  /** Telegram cannot be reached; it is tried again. */
  | { readonly kind: "unreachable"; readonly detail: string; readonly retryInMs: number };

/** How a transport is doing, for health and status. */
export type TransportHealth = {
  readonly up: boolean;
  /** Time of the last answer or update; null when there was none. */
  readonly lastContactMs: number | null;
};

/** A running transport. */
export type Transport = {
  health(): TransportHealth;
  /** Takes no more updates and waits for those being handled. Does not remove a webhook: updates are to wait for us. */
  stop(): Promise<void>;
};

/** What an error of getUpdates or getMe means. */
export function troubleOf(error: unknown, detail: string, retryInMs: number): TransportTrouble {
  if (error instanceof GrammyError && error.error_code === 409) return { kind: "conflict", detail };
  if (error instanceof GrammyError && (error.error_code === 401 || error.error_code === 404)) {
    return { kind: "unauthorized", detail };
  }
  return { kind: "unreachable", detail, retryInMs };
}

/** Update types that the bot reads; everything else is not even delivered. */
export const allowedUpdates = ["message", "edited_message", "callback_query"] as const;

/** Waits, but not longer than until `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
}
