import { spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { acquireLease, acquireLeases, leaseFiles } from "../../../src/adapters/sqlite/lease.ts";
import type { Lease, LeaseResult } from "../../../src/engine/ports/lease.ts";
import { scratchFolder } from "./support.ts";

const holdLease = new URL("./hold-lease.ts", import.meta.url).pathname;
const info = { pid: process.pid, sinceMs: 1_700_000_000_000, purpose: "run-service test" };

function leaseOf(result: LeaseResult): Lease {
  if (!result.ok) expect.fail(`held by ${JSON.stringify(result.heldBy)}`);
  return result.lease;
}

async function startHolder(file: string) {
  const child = spawn(process.execPath, [holdLease, file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, line, ended };
}

describe("a lease", () => {
  test("is refused to a second process, with who holds it, and is free after kill -9", async () => {
    const file = join(scratchFolder(), "state", "service.lease");
    const holder = await startHolder(file);
    expect(holder.line).toBe("held");
    const refused = acquireLease(file, info);
    expect(refused).toMatchObject({
      ok: false,
      heldBy: { pid: holder.child.pid, purpose: "held by a test" },
    });
    const second = await startHolder(file);
    expect(second.line).toBe(`refused ${holder.child.pid}`);
    await second.ended;

    holder.child.kill("SIGKILL");
    await holder.ended;
    const lease = leaseOf(acquireLease(file, info));
    expect(lease.isHeld()).toBe(true);
    lease.release();
  });

  test("is refused to a second taker in the same process, which leaves the lock in place, and free after release", async () => {
    const file = join(scratchFolder(), "service.lease");
    const lease = leaseOf(acquireLease(file, info));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(acquireLease(file, info)).toEqual({ ok: false, place: file, heldBy: info });
    const other = await startHolder(file);
    expect(other.line).toBe(`refused ${process.pid}`);
    await other.ended;
    lease.release();
    lease.release();
    expect(lease.isHeld()).toBe(false);
    leaseOf(acquireLease(file, info)).release();
  });

  test("is still refused when the holder's note is gone or damaged", () => {
    const file = join(scratchFolder(), "service.lease");
    const lease = leaseOf(acquireLease(file, info));
    writeFileSync(`${file}.json`, "{half");
    expect(acquireLease(file, info)).toEqual({ ok: false, place: file, heldBy: null });
    rmSync(`${file}.json`);
    expect(acquireLease(file, info)).toEqual({ ok: false, place: file, heldBy: null });
    lease.release();
  });

  test("knows when its file was taken away", () => {
    const file = join(scratchFolder(), "service.lease");
    const lease = leaseOf(acquireLease(file, info));
    renameSync(file, `${file}.moved`);
    expect(lease.isHeld()).toBe(false);
    const usurper = leaseOf(acquireLease(file, info));
    expect(usurper.isHeld()).toBe(true);
    expect(lease.isHeld()).toBe(false);
    usurper.release();
    lease.release();
  });

  test("lives in a folder that only its owner can open", () => {
    const folder = join(scratchFolder(), "a", "b");
    const lease = leaseOf(acquireLease(join(folder, "x.lease"), info));
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    lease.release();
  });
});

describe("several leases", () => {
  test("are taken all or none", () => {
    const folder = scratchFolder();
    const files = ["a", "b", "c"].map((name) => join(folder, `${name}.lease`));
    const other = leaseOf(acquireLease(join(folder, "c.lease"), info));
    expect(acquireLeases(files, info)).toMatchObject({ ok: false, place: files[2], heldBy: info });
    other.release();
    const all = leaseOf(acquireLeases(files, info));
    for (const file of files) expect(acquireLease(file, info).ok).toBe(false);
    rmSync(join(folder, "b.lease"));
    expect(all.isHeld()).toBe(false);
    all.release();
    for (const file of files) leaseOf(acquireLease(file, info)).release();
  });

  test("one signer at one venue has one file, whatever its state folder", () => {
    const place = {
      stateDir: "/s/one",
      venueHost: "127.0.0.1:8790",
      signer: "0xABCDEF0000000000000000000000000000000001",
      userStateDir: "/u",
    };
    const files = leaseFiles(place);
    expect(files).toEqual([
      "/s/one/service.lease",
      "/u/pitboss/leases/127.0.0.1_8790-0xabcdef0000000000000000000000000000000001.lease",
    ]);
    const elsewhere = leaseFiles({
      ...place,
      stateDir: "/s/two",
      signer: place.signer.toLowerCase(),
    });
    expect(elsewhere[1]).toBe(files[1]);
    expect(leaseFiles({ ...place, venueHost: "../../etc" })[1]).not.toContain("/../");
  });
});
