import type { HttpClient } from "./http-client.ts";

/** Orders that can leave at once without opening a connection: the legs of a large set. */
const spares = 10;
/**
 * Servers close idle connections: Node's own after 5 s (the client stops using one a second earlier), others say nothing.
 * A connection that has to be opened costs an order two or three round trips.
 */
const everyMs = 3_000;
const answerBytes = 64 * 1024;

/** `open` opens them and keeps them open until `close`. */
export type SpareConnections = { readonly open: () => void; readonly close: () => void };

/**
 * Connections that are open before they are needed: the venue's time is asked on all of them at once, and what comes back
 * does not matter. Nothing here is an order: those go through their gate, one by one.
 */
export function spareConnections(http: HttpClient): SpareConnections {
  let timer: NodeJS.Timeout | null = null;
  const ask = (): void => {
    for (let i = 0; i < spares; i++) {
      const answer = http.request({ method: "GET", path: "/time", maxBytes: answerBytes });
      // A venue that does not answer is noticed by the reads and feeds that matter.
      answer.catch(() => undefined);
    }
  };
  return {
    open: () => {
      if (timer !== null) return;
      ask();
      timer = setInterval(ask, everyMs);
      timer.unref();
    },
    close: () => clearInterval(timer ?? undefined),
  };
}
