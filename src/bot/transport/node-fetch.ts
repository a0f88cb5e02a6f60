/** What is needed of a signal, whoever made it. */
type Signal = {
  readonly aborted: boolean;
  addEventListener(kind: "abort", listener: () => void, options: { once: true }): void;
};

/**
 * A call that is not a long poll and has no answer after this is given up: what comes after it in the same chat, a kill's
 * acknowledgement for one, must not wait for as long as a poll may. Its message may come twice.
 */
const callLimitMs = 8_000;

/**
 * Node's own `fetch`, for grammY. The one that grammY brings (node-fetch 2) never ends when an answer is cut off in its body:
 * the next poll would wait for its whole time limit, and a kill with it.
 */
export async function nodeFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const { signal, body, ...rest } = init;
  const signals = signal ? [ownSignal(signal)] : [];
  if (!url.endsWith("/getUpdates")) signals.push(AbortSignal.timeout(callLimitMs));
  return fetch(url, {
    ...rest,
    signal: AbortSignal.any(signals),
    // An upload is a stream, and Node wants to hear that nothing is read before it was written.
    ...(body !== null && body !== undefined && { body, duplex: "half" }),
  });
}

/** grammY makes its signals with a polyfill, which Node's `fetch` does not take for a signal. */
function ownSignal(signal: Signal): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener("abort", () => controller.abort(), { once: true });
  return controller.signal;
}
