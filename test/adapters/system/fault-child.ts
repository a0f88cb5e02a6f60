// Child process of the fault point tests: passes K9 each time it is told to and reports what happened.
import { createFaultPoints } from "../../../src/adapters/system/fault-points.ts";

const faults = createFaultPoints(process.argv[2] === "enabled");
process.send?.({ listeners: process.listenerCount("message") });
process.on("message", (message: unknown) => {
  if (typeof message !== "object" || message === null || !("pass" in message)) return;
  faults.hit("K8");
  faults.hit("K9");
  process.send?.({ survived: message.pass });
});
// The fault points do not keep a process alive by themselves.
const awake = setInterval(() => undefined, 60_000);
process.on("disconnect", () => clearInterval(awake));
