import type { Config } from "../config/config.ts";
import { destinationOfUrl, guardOutbound } from "./adapters/system/outbound-guard.ts";
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

/**
 * Closes the process for connections to anything else. An attempt is an alert: either a configuration that misses an
 * address, or code that has no business here.
 */
export function keepToConfiguredHosts(config: Config, logger: Logger): () => void {
  return guardOutbound(configuredHosts(config), (destination) => {
    logger.error("outbound.refused", { destination });
  });
}
