import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LiveGround, openLiveGround } from "./live-ground.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

let ground: LiveGround;
beforeEach(async () => {
  ground = await openLiveGround();
});
afterEach(async () => ground.close());

/** A command as an operator starts it for real money: without core dumps and without foreign options. */
function run(...args: string[]) {
  const { NODE_OPTIONS: _, DEBUG: __, ...env } = process.env;
  const child = spawn(
    "sh",
    ["-c", 'ulimit -c 0; exec "$@"', "sh", process.execPath, mainFile, ...args],
    {
      env: { ...env, XDG_STATE_HOME: ground.folder },
    },
  );
  let out = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const code = new Promise<number | null>((ended) => child.on("close", ended));
  const says = async (pattern: RegExp) => {
    while (!pattern.test(out) && child.exitCode === null) {
      await new Promise((next) => child.stdout.once("data", next).once("end", next));
    }
    expect(out, errors).toMatch(pattern);
  };
  return { child, code, says, out: () => out, errors: () => errors };
}

const live = { type: "real", dryRun: false } as const;

describe("a live service", () => {
  test("starts only after a passed preflight of the same configuration, and starts halted", {
    timeout: 120_000,
  }, async () => {
    const file = ground.config(live);
    const early = run("run-service", "--config", file);
    expect(await early.code).toBe(2);
    expect(early.errors()).toContain("no preflight has passed");

    const check = run("preflight", "--config", file);
    expect(await check.code, check.out()).toBe(0);
    expect(check.out()).toContain("preflight passed");
    const service = run("run-service", "--config", file, "--ready-json");
    await service.says(/"ready":true/);
    const status = run("status", "--config", file);
    expect(await status.code, status.errors()).toBe(0);
    expect(status.out()).toMatch(/^LIVE · HALTED .*live_start/);
    service.child.kill("SIGTERM");
    expect(await service.code).toBe(0);

    const changed = run(
      "run-service",
      "--config",
      ground.config({ ...live, service: { tick_ms: 100 } }),
    );
    expect(await changed.code).toBe(2);
    expect(changed.errors()).toContain("the configuration changed since the preflight");
    expect(await ground.requests("POST", /^\/orders?$/)).toEqual([]);
  });

  test("fails its preflight line by line with exit code 1, and as one object for programs", {
    timeout: 120_000,
  }, async () => {
    await ground.post("/paper/access", { blocked: true });
    const file = ground.config(live);
    const [lines, object] = [
      run("preflight", "--config", file),
      run("preflight", "--config", file, "--json"),
    ];
    expect(await lines.code).toBe(1);
    expect(lines.out()).toMatch(/^FAIL geoblock: blocked \(XX\); orders are refused from here/m);
    expect(lines.out()).toMatch(/\npreflight FAILED: 1 of \d+\n$/);
    expect(await object.code).toBe(1);
    expect(JSON.parse(object.out())).toMatchObject({ passed: false });
  });
});
