import type { FaultPoint, FaultPoints } from "../../engine/ports/system.ts";

const disabled: FaultPoints = { hit: () => undefined };

const afterMaxMs = 60_000;

/**
 * Named points where a crash test kills this process. Enabled, it listens on the parent's channel for `{"arm":"K9"}`,
 * answers `{"armed":"K9"}`, and the next `hit("K9")` ends the process by SIGKILL before anything after it runs.
 * `{"arm":"K9","afterMs":2}` lets it run on for so many milliseconds after the point.
 * `{"reject":true}` leaves a rejection that nobody handles.
 * Not enabled, it never looks at the channel and `hit` does nothing.
 */
export function createFaultPoints(enabled: boolean): FaultPoints {
  if (!enabled) return disabled;
  const armed = new Map<string, number>();
  process.on("message", (message: unknown) => {
    if (typeof message !== "object" || message === null) return;
    if ("reject" in message) void Promise.reject(new TypeError("asked for by a crash test"));
    if (!("arm" in message)) return;
    const { arm } = message;
    if (typeof arm !== "string" || !isFaultPoint(arm)) return;
    armed.set(arm, "afterMs" in message ? boundedMs(message.afterMs) : 0);
    process.send?.({ armed: arm });
  });
  // The channel alone must not keep a finished process alive.
  process.channel?.unref();
  return {
    hit: (point) => {
      const afterMs = armed.get(point);
      if (afterMs === undefined) return;
      if (afterMs === 0) die();
      armed.delete(point);
      setTimeout(die, afterMs);
    },
  };
}

function boundedMs(value: unknown): number {
  return typeof value === "number" && value >= 0 ? Math.min(value, afterMaxMs) : 0;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal may arrive a moment later; until then nothing else may run.
  for (;;);
}

function isFaultPoint(text: string): text is FaultPoint {
  return /^K(\d|1[0-7])$/.test(text);
}
