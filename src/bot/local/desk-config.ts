// Writes the service's configuration of one run of the offline desk.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeskError } from "./desk-errors.ts";

export interface VenueUrls {
  readonly baseUrl: string;
  readonly gammaUrl: string;
  readonly dataUrl: string;
  readonly wsUrl: string;
}

export interface DeskConfig {
  readonly stateDir: string;
  readonly venue: VenueUrls;
  readonly apiRoot: string;
  readonly whitelist: readonly number[];
  /** Port on which the service takes webhooks, or null for polling. */
  readonly webhookPort: number | null;
  /** Further keys of this run, as `section.key=value`. */
  readonly overrides: readonly string[];
}

type Sections = Map<string, Map<string, string>>;

/** Writes `desk.toml` beside the secrets overlay and returns its path. Throws `DeskError` 2 for a bad override. */
export function writeDeskConfig(config: DeskConfig): string {
  const { venue, webhookPort } = config;
  const sections: Sections = new Map();
  put(sections, "service", { name: "desk", state_dir: config.stateDir, log_level: "info" });
  put(sections, "relayer", {
    type: "fake",
    base_url: venue.baseUrl,
    gamma_url: venue.gammaUrl,
    data_url: venue.dataUrl,
    ws_url: venue.wsUrl,
    chain_id: 137,
    dry_run: false,
    signature_type: 0,
  });
  const listen = `127.0.0.1:${webhookPort}`;
  put(sections, "telegram", {
    transport: webhookPort === null ? "polling" : "webhook",
    api_root: config.apiRoot,
    whitelist: config.whitelist,
    ...(webhookPort !== null && {
      webhook_url: `http://${listen}/telegram`,
      webhook_listen: listen,
    }),
  });
  for (const override of config.overrides) putOverride(sections, override);
  const text = [...sections].map(([name, keys]) => {
    const lines = [...keys].map(([key, value]) => `${key} = ${value}`);
    return [`[${name}]`, ...lines, ""].join("\n");
  });
  const path = join(config.stateDir, "desk.toml");
  const head = "# Written by the offline desk at every start; changes are lost.\n";
  writeFileSync(path, `${head}${text.join("\n")}`);
  return path;
}

type TomlValue = string | number | boolean | readonly number[];

function put(sections: Sections, name: string, keys: Readonly<Record<string, TomlValue>>): void {
  const section = sections.get(name) ?? new Map<string, string>();
  // JSON strings, numbers, booleans and lists of numbers are valid TOML as they are.
  for (const [key, value] of Object.entries(keys)) section.set(key, JSON.stringify(value));
  sections.set(name, section);
}

function putOverride(sections: Sections, override: string): void {
  const match = /^([a-z_]+(?:\.[a-z_]+)?)\.([a-z0-9_]+)=(.+)$/.exec(override);
  if (match === null) throw new DeskError(`--set takes section.key=value, was ${override}`, 2);
  const [, section = "", key = "", value = ""] = match;
  const isLiteral = /^(-?\d+(\.\d+)?|true|false|\[[^\]]*\])$/.test(value);
  put(sections, section, {});
  sections.get(section)?.set(key, isLiteral ? value : JSON.stringify(value));
}
