// Child process of the lease tests: takes a lease, says so, and holds it until it is killed or its input ends.
import { acquireLease } from "../../../src/adapters/sqlite/lease.ts";

const result = acquireLease(process.argv[2] ?? "", {
  pid: process.pid,
  sinceMs: Date.now(),
  purpose: "held by a test",
});
process.stdout.write(`${result.ok ? "held" : `refused ${result.heldBy?.pid}`}\n`);
// Lives as long as the test that started it; the open pipe keeps the process alive.
if (result.ok) process.stdin.resume();
