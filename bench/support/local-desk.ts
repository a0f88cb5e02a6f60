import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { composeService, type Service } from "../../src/compose.ts";
import type { DurableLog } from "../../src/engine/ports/durable-log.ts";
import { Desk } from "../../src/engine/runtime/desk.ts";
import { Engine } from "../../src/engine/runtime/engine.ts";
import { keepWarm } from "../../src/warm-up.ts";
import { BenchError } from "./bench-error.ts";
import type { LocalVenue } from "./local-venue.ts";

/** An engine as the service runs it, without a chat. */
export type LocalDesk = {
  readonly engine: Engine;
  readonly service: Service;
  readonly stop: () => Promise<void>;
};

const readyLimitMs = 10_000;
const pollMs = 20;

/** Where the desk finds the venue; orders may go through a door in front of it. */
export type VenueAddress = Pick<LocalVenue, "url" | "wsUrl"> & {
  readonly clobUrl: string;
  /** The chat's server; without one the desk has no chat to talk to. */
  readonly apiRoot?: string;
};

/** Starts an engine against the venue; `ledger` says whether facts wait for the disk or for nothing. */
export async function openLocalDesk(
  venue: VenueAddress,
  folder: string,
  privateKey: string,
  ledger: "disk" | "memory",
): Promise<LocalDesk> {
  const service = await composeService(
    loadConfig(writeConfig(venue, folder, privateKey), "service"),
    {
      faultPoints: false,
    },
  );
  let { engine } = service;
  let coolDown = (): void => undefined;
  if (ledger === "memory") {
    const deps = { ...engine.deps, log: memoryLog() };
    engine = new Engine(deps, await Desk.prepare(deps));
    // The service's own rehearsal looks at the cards of the service's own engine.
    coolDown = keepWarm(engine, service.polymarket);
  }
  engine.start();
  const deadline = performance.now() + readyLimitMs;
  while (!engine.state.ready || !engine.isConnected) {
    if (performance.now() > deadline) throw new BenchError("the desk did not become ready");
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return {
    engine,
    service,
    stop: async () => {
      coolDown();
      if (engine !== service.engine) await engine.stop();
      await service.stop();
    },
  };
}

/** A ledger that forgets: what the same path costs when no disk is in it. */
function memoryLog(): DurableLog {
  return {
    append: () => Promise.resolve(),
    read: () => Promise.resolve([]),
    lastSeq: () => Promise.resolve(0),
    close: () => Promise.resolve(),
  };
}

/** Limits wide enough that no order or cancel of the benchmark meets one. */
function writeConfig(venue: VenueAddress, folder: string, privateKey: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "bench.toml");
  const text = `
[service]
name = "bench"
state_dir = "state"
[relayer]
type = "fake"
base_url = "${venue.clobUrl}"
gamma_url = "${venue.url}/gamma"
data_url = "${venue.url}/data"
ws_url = "${venue.wsUrl}"
chain_id = 137
dry_run = false
signature_type = 0
[risk]
max_notional_per_order_usd = 100
max_exposure_per_outcome_usd = 900
max_exposure_per_market_usd = 900
max_exposure_per_event_usd = 900
max_exposure_per_strategy_usd = 900
max_exposure_total_usd = 900
max_daily_volume_usd = 100000
duplicate_window_ms = 0
max_open_orders = 2000
breaker_orders_per_minute = 100000
repeat_max_executions = 10000
message_rate_max = 100000
[venue_limits]
orders_per_second = 100000
orders_burst = 100000
cancels_per_second = 100000
cancels_burst = 100000
[venue_waits]
ledger_commit_max_ms = 20000
[telegram]
whitelist = [1]
api_root = "${venue.apiRoot ?? "http://127.0.0.1:9"}"
resume_wait_ms = 0
[telemetry]
log_file = "bench.log"
`;
  writeFileSync(file, text);
  const secrets = `[relayer]\nprivate_key = "${privateKey}"\n[telegram]\nbot_token = "123456789:AAF3kLm9_bench-bench-bench-bench-42x"\n`;
  writeFileSync(join(folder, "secrets.local.toml"), secrets, { mode: 0o600 });
  return file;
}
