// Everything that a live configuration names, on loopback: the paper venue, a node that answers JSON-RPC, the Bot API.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createPaperVenue,
  type PaperVenue,
} from "../../src/adapters/paper-venue/http/create-paper-venue.ts";
import type { LoggedRequest } from "../../src/adapters/paper-venue/http/request-log.ts";
import { createDataApiHandler } from "../../src/adapters/paper-venue/world/data-api.ts";
import { createGammaHandler } from "../../src/adapters/paper-venue/world/gamma-handler.ts";
import { startEmulator } from "../../src/bot/local/emulator.ts";
import { listStandingMarkets } from "../engine/support/standing-world.ts";

// Hardhat's published account 0: it guards nothing.
export const groundKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
export const groundSigner = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
export const groundToken = "123456789:AAF3kLm9_canary-canary-canary-42xyz";

export type LiveGround = {
  readonly venue: PaperVenue;
  readonly folder: string;
  readonly base: string;
  /** What the node says; a test changes it. */
  readonly node: { chainId: string; code: string };
  /** Writes a configuration with these lines added to its tables and returns its path. */
  readonly config: (over?: ConfigOver) => string;
  readonly fault: (name: string, params: Record<string, unknown>) => Promise<void>;
  readonly post: (path: string, body: unknown) => Promise<void>;
  readonly requests: (method: string, path: RegExp) => Promise<LoggedRequest[]>;
  readonly close: () => Promise<void>;
};

export type ConfigOver = {
  readonly type?: "fake" | "real";
  readonly dryRun?: boolean;
  /** Lines of [relayer]; a key that stands here replaces the usual one. */
  readonly relayer?: Readonly<Record<string, string | number>>;
  readonly service?: Readonly<Record<string, string | number | boolean>>;
  readonly waits?: Readonly<Record<string, number>>;
  readonly telegram?: Readonly<Record<string, string | number>>;
  readonly telemetry?: Readonly<Record<string, string>>;
  readonly markets?: readonly string[];
  readonly totpSecret?: string;
};

export async function openLiveGround(): Promise<LiveGround> {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-live-"));
  const venue = createPaperVenue({ stateDir: join(folder, "venue"), settleMs: 10 });
  listStandingMarkets(venue.exchange);
  venue.setMounts({
    gamma: createGammaHandler({ exchange: venue.exchange, metadata: () => null }),
    data: createDataApiHandler(venue.state),
  });
  const { port } = await venue.listen(0);
  const node = { chainId: "0x89", code: "0x" };
  const rpc = createServer((request, response) => {
    request.setEncoding("utf8").on("data", (body: string) => {
      const result = body.includes("eth_chainId") ? node.chainId : node.code;
      response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
    });
  });
  await new Promise<void>((listening) => rpc.listen(0, "127.0.0.1", listening));
  const emulator = await startEmulator({ token: groundToken });
  const base = `http://127.0.0.1:${port}`;
  const send = async (path: string, body: unknown) => {
    const answer = await fetch(`${base}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new TypeError(`refused: ${await answer.text()}`);
  };
  const urls = {
    base_url: base,
    gamma_url: `${base}/gamma`,
    data_url: `${base}/data`,
    ws_url: `ws://127.0.0.1:${port}/ws`,
    geoblock_url: base,
    rpc_url: `http://127.0.0.1:${(rpc.address() as AddressInfo).port}`,
  };
  return {
    venue,
    folder,
    base,
    node,
    config: (over = {}) => writeConfig(folder, { urls, apiRoot: emulator.apiRoot }, over),
    fault: (name, params) => send("/paper/fault", { name, ...params }),
    post: send,
    async requests(method, path) {
      const answer = await fetch(`${base}/paper/log?path=${encodeURIComponent(path.source)}`);
      return ((await answer.json()) as LoggedRequest[]).filter((row) => row.method === method);
    },
    async close() {
      await venue.close();
      await emulator.close();
      rpc.close();
      rpc.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Places = { readonly urls: Readonly<Record<string, string>>; readonly apiRoot: string };

function writeConfig(folder: string, { urls, apiRoot }: Places, over: ConfigOver): string {
  const table = (name: string, keys: Readonly<Record<string, unknown>>) => [
    `[${name}]`,
    ...Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
  ];
  const { type = "real", dryRun = true } = over;
  const lines = [
    ...table("service", {
      name: "ground",
      state_dir: join(folder, "state"),
      allow_root: true,
      ...over.service,
    }),
    ...(over.markets ?? []).flatMap((slug) => ["[[market]]", `slug = "${slug}"`]),
    ...table("relayer", { type, dry_run: dryRun, ...urls, ...over.relayer }),
    ...table("venue_waits", { query_backoff_ms: [50], kill_window_ms: 1_000, ...over.waits }),
    ...table("telemetry", over.telemetry ?? {}),
    ...table("telegram", { whitelist: [1], api_root: apiRoot, ...over.telegram }),
  ];
  const file = join(folder, "desk.toml");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const secrets = `[relayer]\nprivate_key = "${groundKey}"\n[telegram]\nbot_token = "${groundToken}"\n${
    over.totpSecret === undefined ? "" : `totp_secret = "${over.totpSecret}"\n`
  }`;
  writeFileSync(join(folder, "secrets.local.toml"), secrets, { mode: 0o600 });
  return file;
}
