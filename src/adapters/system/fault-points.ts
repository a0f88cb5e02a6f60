import type { FaultPoint, FaultPoints } from "../../engine/ports/system.ts";

const disabled: FaultPoints = { hit: () => undefined };

/**
 * Named points where a crash test kills this process. Enabled, it listens on the parent's channel for `{"arm":"K9"}`,
 * answers `{"armed":"K9"}`, and the next `hit("K9")` ends the process by SIGKILL before anything after it runs.
 * Not enabled, it never looks at the channel and `hit` does nothing.
 */
export function createFaultPoints(enabled: boolean): FaultPoints {
  if (!enabled) return disabled;
  const armed = new Set<string>();
  process.on("message", (message: unknown) => {
    if (typeof message !== "object" || message === null || !("arm" in message)) return;
    const { arm } = message;
    if (typeof arm !== "string" || !isFaultPoint(arm)) return;
    armed.add(arm);
    process.send?.({ armed: arm });
  });
  // The channel alone must not keep a finished process alive.
  process.channel?.unref();
  return { hit: (point) => (armed.has(point) ? die() : undefined) };
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal may arrive a moment later; until then nothing else may run.
  for (;;);
}

function isFaultPoint(text: string): text is FaultPoint {
  return /^K(\d|1[0-7])$/.test(text);
}
