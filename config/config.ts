import type { ConfigFile } from "./schema.ts";
import type { Secrets } from "./secrets.ts";

type CamelKey<K extends string> = K extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelKey<Tail>>}`
  : K;
type Camel<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Camel<Item>[]
    : { readonly [K in keyof T as CamelKey<K & string>]: Camel<T[K]> };

/** The file's own keys in camelCase. */
export type Plain = Camel<ConfigFile>;

/** Quoting of one market: the service's values with the market's own on top. */
export type MarketConfig = {
  readonly slug: string | null;
  readonly conditionId: string | null;
  readonly strategies: readonly ("spread" | "dutch" | "copy")[];
  readonly spread: Plain["service"]["spread"];
};

export type Urls = {
  readonly baseUrl: string;
  readonly relayerUrl: string;
  readonly gammaUrl: string;
  readonly dataUrl: string;
  readonly wsUrl: string;
  /** Where the venue says whether this place may trade; "/api/geoblock" is added. */
  readonly geoblockUrl: string;
};

/**
 * The whole configuration: the file's keys in camelCase. Money is in micro-dollars, sizes in micro-shares, waits in
 * milliseconds and already divided by `venueWaits.timeScale`, paths absolute, URLs filled in by the relayer's type.
 */
export type Config = Omit<Plain, "market" | "relayer" | "telegram" | "storage"> & {
  /** Absolute path of the file that this came from. */
  readonly file: string;
  readonly markets: readonly MarketConfig[];
  readonly relayer: Omit<Plain["relayer"], keyof Urls> &
    Urls &
    Pick<Secrets, "privateKey" | "relayerApiKey">;
  readonly telegram: Plain["telegram"] & Pick<Secrets, "botToken" | "webhookSecret" | "totpSecret">;
  readonly storage: Plain["storage"] & Pick<Secrets, "databasePassword">;
};

/** Real money can leave this desk. */
export function isLive(config: Config): boolean {
  return config.relayer.type === "real" && !config.relayer.dryRun;
}

/** paper: the paper venue. dry-run: signed, never sent. live: money. */
export function deskModeOf(config: Config): "paper" | "dry-run" | "live" {
  if (config.relayer.dryRun) return "dry-run";
  return config.relayer.type === "fake" ? "paper" : "live";
}
