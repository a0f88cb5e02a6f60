// What a lease promises, whether a file or a database is held.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import type { Lease, LeaseInfo, LeaseResult } from "../../src/engine/ports/lease.ts";
import { acquirePlace, type LeasePlace } from "./homes.ts";

const holdLease = new URL("./hold-lease.ts", import.meta.url).pathname;
const info: LeaseInfo = {
  pid: process.pid,
  sinceMs: 1_700_000_000_000,
  purpose: "run-service test",
};

function leaseOf(result: LeaseResult): Lease {
  if (!result.ok) expect.fail(`held by ${JSON.stringify(result.heldBy)}`);
  return result.lease;
}

/** A server needs a moment to notice that a holder is gone. */
async function acquireSoon(place: LeasePlace): Promise<Lease> {
  let lease: Lease | null = null;
  const attempt = async () => {
    const result = await acquirePlace(place, info);
    if (result.ok) lease = result.lease;
    return result.ok;
  };
  await expect.poll(attempt, { timeout: 30_000 }).toBe(true);
  if (lease === null) expect.fail("unreachable");
  return lease;
}

async function startHolder(place: LeasePlace) {
  const child: ChildProcess = spawn(process.execPath, [holdLease, JSON.stringify(place)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  if (child.stdout === null) throw new Error("the child has no output");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, line, ended };
}

/** `fresh` gives a place that nobody holds. */
export function describeLease(home: string, fresh: () => Promise<LeasePlace>): void {
  describe(`a lease of ${home}`, () => {
    test("is refused to a second process, with who holds it, and is free after kill -9", async () => {
      const place = await fresh();
      const holder = await startHolder(place);
      expect(holder.line).toBe("held");
      expect(await acquirePlace(place, info)).toMatchObject({
        ok: false,
        heldBy: { pid: holder.child.pid, purpose: "held by a test" },
      });
      const second = await startHolder(place);
      expect(second.line).toBe(`refused ${holder.child.pid}`);
      await second.ended;
      holder.child.kill("SIGKILL");
      await holder.ended;
      const lease = await acquireSoon(place);
      expect(lease.isHeld()).toBe(true);
      lease.release();
    });

    test("is refused to a second taker in the same process, and free after release", async () => {
      const place = await fresh();
      const lease = leaseOf(await acquirePlace(place, info));
      expect(await acquirePlace(place, info)).toMatchObject({ ok: false, heldBy: info });
      const other = await startHolder(place);
      expect(other.line).toBe(`refused ${process.pid}`);
      await other.ended;
      expect(lease.isHeld()).toBe(true);
      lease.release();
      lease.release();
      expect(lease.isHeld()).toBe(false);
      (await acquireSoon(place)).release();
    });
  });
}
