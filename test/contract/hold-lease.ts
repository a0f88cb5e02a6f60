// Child process of the lease tests: takes a lease, says so, and holds it until it is killed or its input ends.
import { acquirePlace, type LeasePlace } from "./homes.ts";

const place = JSON.parse(process.argv[2] ?? "{}") as LeasePlace;
const result = await acquirePlace(place, {
  pid: process.pid,
  sinceMs: Date.now(),
  purpose: "held by a test",
});
process.stdout.write(`${result.ok ? "held" : `refused ${result.heldBy?.pid}`}\n`);
// Lives as long as the test that started it; the open pipe keeps the process alive.
if (result.ok) process.stdin.resume();
else process.stdin.destroy();
