import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { killFileIn } from "../../src/adapters/system/kill-file.ts";
import { relayerDryRunCommand } from "../../src/cli/relayer-dry-run.ts";
import { smokeLiveCommand } from "../../src/cli/smoke-live.ts";
import { takeLease } from "../../src/take-lease.ts";
import { standing } from "../engine/support/standing-world.ts";
import {
  type ConfigOver,
  groundKey,
  groundSigner,
  type LiveGround,
  openLiveGround,
} from "./live-ground.ts";

let ground: LiveGround;
let out: string;
let errors: string;
beforeEach(async () => {
  ground = await openLiveGround();
  process.env["XDG_STATE_HOME"] = ground.folder;
  [out, errors] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((errors += String(text)), true));
});
afterEach(async () => {
  vi.restoreAllMocks();
  delete process.env["XDG_STATE_HOME"];
  await ground.close();
});

/** Real orders on the paper venue; waits between the proofs stay short. */
const paper: ConfigOver = { type: "fake", dryRun: false, markets: [standing.slug] };

async function changing(): Promise<string[]> {
  const sent = [
    ...(await ground.requests("POST", /.*/)),
    ...(await ground.requests("DELETE", /.*/)),
  ];
  return sent
    .map(({ method, path }) => `${method} ${path}`)
    .filter((one) => one !== "POST /auth/api-key" && !one.includes("/paper/"));
}

function smoke(...args: string[]): Promise<number> {
  return smokeLiveCommand(["--config", ground.config(paper), ...args]);
}

describe("pitboss smoke-live", () => {
  test("reads everything, then posts one order far from the book, cancels it and proves it gone", async () => {
    expect(await smoke("--yes"), out + errors).toBe(0);
    for (const name of [
      "connect",
      "access",
      "balance",
      "open orders",
      "trades",
      "private stream",
      "market",
      "post",
      "order id",
      "order read",
      "cancel",
      "gone",
    ]) {
      expect(out).toMatch(new RegExp(`^ok {3}${name}: `, "m"));
    }
    expect(out).toContain('the order: BUY 5 Yes @ $0.01 = $0.05, post-only, in "Question 1?"');
    expect(out).toMatch(
      /smoke-live passed: posted, canceled, proved gone; no trade, nothing is locked\n$/,
    );
    expect(await changing()).toEqual(["POST /order", "DELETE /orders"]);
    const kept = JSON.parse(
      readFileSync(join(ground.folder, "state", "check-orders.jsonl"), "utf8"),
    ) as { orderHash: string };
    expect(ground.venue.state.order(kept.orderHash)?.status).toBe("CANCELED");
    expect(out + errors).not.toContain(groundKey.slice(2));
  });

  test("only reads when asked to", async () => {
    expect(await smoke("--read-only"), out + errors).toBe(0);
    expect(await changing()).toEqual([]);
    expect(existsSync(join(ground.folder, "state", "check-orders.jsonl"))).toBe(false);
  });

  test.each([
    ["the balance cannot be read", "status", { path: "/balance-allowance", code: 500, times: 99 }],
    ["the open orders cannot be read", "status", { path: "/data/orders", code: 500, times: 99 }],
    [
      "the place is blocked",
      "status",
      { path: "geoblock", code: 200, body: { blocked: true }, times: 9 },
    ],
    ["the book does not prove itself", "status", { path: "/book", code: 500, times: 99 }],
  ])("sends nothing when %s", async (_, name, params) => {
    const file = ground.config(paper);
    await ground.fault(name, params);
    expect(await smokeLiveCommand(["--config", file, "--yes"])).toBe(1);
    expect(out).toContain("FAILED before anything was sent: no money is locked");
    expect(await changing()).toEqual([]);
  });

  test("an order that the venue refuses ends it, with nothing placed", async () => {
    await ground.fault("status", {
      method: "POST",
      path: "/order",
      code: 400,
      body: "maker address not allowed, please use the deposit wallet flow",
    });
    expect(await smoke("--yes")).toBe(1);
    expect(out).toContain("FAIL post: refused: maker_not_allowed");
    expect(out).toMatch(/NOT PROVED\. nothing was placed: no money is locked\n$/);
    expect(await changing()).toEqual(["POST /order"]);
  });

  test("a lost answer is canceled by hash all the same, and stays in doubt", async () => {
    await ground.fault("drop-after", { method: "POST", path: "/order" });
    expect(await smoke("--yes")).toBe(1);
    expect(out).toContain("FAIL post: unknown");
    expect(out).toContain("ok   cancel: ");
    expect(out).toMatch(/its answer was lost.*up to \$0\.05 may still be locked/);
    expect(await changing()).toEqual(["POST /order", "DELETE /orders"]);
  });

  test("an order that cannot be canceled is named as open, with its money", async () => {
    await ground.fault("status", { method: "DELETE", path: "/order", code: 500, times: 1_000 });
    expect(await smoke("--yes")).toBe(1);
    expect(out).toContain("FAIL cancel: ");
    expect(out).toMatch(
      /MAY BE OPEN \(the order is still live\): up to \$0\.05 is locked or spent\. Cancel it on polymarket\.com now/,
    );
  });

  test("refuses a dry run, a service that holds the key, a killed desk, and to ask without a terminal", async () => {
    expect(
      await smokeLiveCommand(["--config", ground.config({ ...paper, dryRun: true }), "--yes"]),
    ).toBe(2);
    expect(errors).toContain("relayer.dry_run = true");
    const file = ground.config(paper);
    expect(await smokeLiveCommand(["--config", file])).toBe(2);
    expect(errors).toContain("there is no terminal to ask on: use --yes or --read-only");
    const lease = takeLease(loadConfig(file), groundSigner, "run-service");
    expect(await smokeLiveCommand(["--config", file, "--yes"])).toBe(2);
    expect(errors).toMatch(/process \d+ \(run-service ground\).*trades with this key/);
    lease.release();
    writeFileSync(join(ground.folder, "state", "KILL"), "");
    expect(killFileIn(join(ground.folder, "state")).note()).not.toBeNull();
    expect(await smokeLiveCommand(["--config", file, "--yes"])).toBe(2);
    expect(errors).toContain("the desk is KILLED: no order leaves");
    expect(await changing()).toEqual([]);
  });
});

describe("pitboss relayer-dry-run", () => {
  const wish = (over: Readonly<Record<string, string>> = {}) =>
    Object.entries({
      market: standing.slug,
      outcome: "yes",
      side: "buy",
      price: "0.01",
      size: "5",
      ...over,
    }).flatMap(([name, value]) => [`--${name}`, value]);

  test.each([0, 1, 2, 3])(
    "shows an order of signature type %d that a second implementation verifies, and sends nothing",
    async (type) => {
      const relayer: Record<string, string | number> = { signature_type: type };
      if (type !== 0) relayer["funder"] = "0x1212121212121212121212121212121212121212";
      const file = ground.config({ ...paper, relayer });
      expect(await relayerDryRunCommand(["--config", file, "--json", ...wish()]), errors).toBe(0);
      const shown = JSON.parse(out) as Record<string, unknown>;
      expect(shown).toMatchObject({
        signedBy: groundSigner,
        hashAgrees: true,
        domain: { version: "2", chainId: 137 },
      });
      expect(shown["body"]).toMatchObject({
        owner: "(API key)",
        postOnly: true,
        order: { signatureType: type },
      });
      expect(await changing()).toEqual([]);
    },
  );

  test("posts, cancels and proves gone on demand", async () => {
    const file = ground.config(paper);
    expect(
      await relayerDryRunCommand(["--config", file, "--send-and-cancel", ...wish()]),
      out + errors,
    ).toBe(0);
    expect(out).toContain("posted, canceled and proved gone: no trade, nothing is locked");
    expect(await changing()).toEqual(["POST /order", "DELETE /orders"]);
  });

  test("signs a market of version v2 for its own exchange, and the venue takes it", async () => {
    const spec = {
      ...standing,
      conditionId: `0x${"3".repeat(62)}00`,
      slug: "standing-v2",
      version: "v2",
      outcomes: [
        { tokenId: `3${"1".repeat(30)}`, name: "Yes" },
        { tokenId: `3${"2".repeat(30)}`, name: "No" },
      ],
    } as const;
    const levels = [{ price: "0.48", size: "100" }];
    ground.venue.exchange.addMarket(spec, {
      bids: levels,
      asks: [{ price: "0.52", size: "100" }],
      lastTradePrice: "0.500",
    });
    const file = ground.config(paper);
    const args = ["--config", file, "--send-and-cancel", ...wish({ market: "standing-v2" })];
    expect(await relayerDryRunCommand(args), out + errors).toBe(0);
    expect(out).toContain("version 3, chain 137, 0xe3333700cA9d93003F00f0F71f8515005F6c00Aa");
    expect(out).toContain("posted, canceled and proved gone");
  });

  test.each([
    [{ price: "0.47" }, "less than 5 ticks from the best bid (0.48)"],
    [{ side: "sell", price: "0.55" }, "less than 5 ticks from the best ask (0.52)"],
    [{ price: "0.015" }, "not on the market's grid"],
    [{ size: "1" }, "at least 5 shares"],
    [{ size: "50000" }, "larger than risk.max_notional_per_order_usd"],
    [{ outcome: "maybe" }, 'the outcomes are "Yes" and "No"'],
    [{ market: "nobody" }, 'there is no market "nobody"'],
  ])("%o is not posted: %s", async (over, why) => {
    const file = ground.config(paper);
    expect(await relayerDryRunCommand(["--config", file, "--send-and-cancel", ...wish(over)])).toBe(
      1,
    );
    expect(errors).toContain(why);
    expect(errors).toContain("nothing was sent");
    expect(await changing()).toEqual([]);
  });
});
