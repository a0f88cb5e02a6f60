import type { Config } from "../config/config.ts";
import {
  type Destination,
  destinationOfUrl,
  guardOutbound,
} from "./adapters/system/outbound-guard.ts";
import type { Logger } from "./adapters/telemetry/logger.ts";

/** Every host that the configuration names, and no other. */
export function configuredHosts({ relayer, telegram, storage }: Config): string[] {
  const { baseUrl, relayerUrl, gammaUrl, dataUrl, wsUrl, geoblockUrl, rpcUrl } = relayer;
  const urls = [
    baseUrl,
    relayerUrl,
    gammaUrl,
    dataUrl,
    wsUrl,
    geoblockUrl,
    rpcUrl,
    telegram.apiRoot,
    storage.url,
  ];
  return urls.flatMap((url) => (url === null ? [] : [destinationOfUrl(url)]));
}

export type ClosedDoors = {
  /** Tells of every refused attempt from now on, and of those before. */
  readonly onRefused: (listener: (destination: Destination) => void) => void;
  /** Ends the guard. */
  readonly open: () => void;
};

/** Attempts that are remembered until somebody asks for them. */
const earlyMax = 16;

/**
 * Closes the process for connections to anything else. An attempt is an alert: either a configuration that misses an
 * address, or code that has no business here.
 */
export function keepToConfiguredHosts(config: Config, logger: Logger): ClosedDoors {
  const early: Destination[] = [];
  let tell = (destination: Destination) => {
    if (early.length < earlyMax) early.push(destination);
  };
  const open = guardOutbound(configuredHosts(config), (destination) => {
    logger.error("outbound.refused", { destination });
    // Not from inside whatever tried: that may be in the middle of a step.
    setImmediate(() => tell(destination));
  });
  const onRefused = (listener: (destination: Destination) => void) => {
    tell = listener;
    for (const destination of early.splice(0)) listener(destination);
  };
  return { onRefused, open };
}
