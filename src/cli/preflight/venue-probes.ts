import type { Config } from "../../../config/config.ts";
import type { VenueProbe } from "../../adapters/polymarket/probe.ts";
import type { Result } from "../../engine/lib/result.ts";
import { type Finding, failure, good, warning } from "./finding.ts";

/** Above the first the venue may refuse signatures now and then, above the second nothing may be signed (reliability 2.13). */
const clockWarnMs = 1_000;
const clockMaxMs = 2_000;
/** The CLOB's protocol that this version signs for (polymarket-trading 1). */
const knownVersion = "2";

/** Whether everything that the configuration names is there and is what it should be. */
export async function venueProbes(
  config: Config,
  probe: VenueProbe,
  funder: string,
): Promise<Finding[]> {
  const { relayer } = config;
  const answers = async (key: string, url: string, read: Promise<Result<null, string>>) => {
    const result = await read;
    return result.ok
      ? good(key, `${url} answers`)
      : failure(key, `${url}: ${result.error}`, `check relayer.${key} and the network`);
  };
  return Promise.all([
    answers("base_url", relayer.baseUrl, probe.clobAnswers()),
    answers("gamma_url", relayer.gammaUrl, probe.gammaAnswers()),
    answers("data_url", relayer.dataUrl, probe.dataAnswers(funder)),
    answers("ws_url", relayer.wsUrl, probe.socketOpens()),
    clockProbe(probe),
    versionProbe(probe),
    freshProbe(probe),
    chainProbe(config, probe),
  ]);
}

async function clockProbe(probe: VenueProbe): Promise<Finding> {
  const offset = await probe.clock();
  if (!offset.ok)
    return failure("clock", `the venue's time is unreadable: ${offset.error}`, "try again");
  const seconds = (Math.abs(offset.value) / 1_000).toFixed(1);
  const what = `${seconds} s ${offset.value < 0 ? "ahead of" : "behind"} the venue`;
  const todo = "set the clock with NTP (timedatectl set-ntp true)";
  if (Math.abs(offset.value) > clockMaxMs) return failure("clock", what, todo);
  return Math.abs(offset.value) > clockWarnMs ? warning("clock", what, todo) : good("clock", what);
}

async function versionProbe(probe: VenueProbe): Promise<Finding> {
  const version = await probe.version();
  if (!version.ok) return failure("version", `unreadable: ${version.error}`, "try again");
  if (version.value === knownVersion)
    return good("version", `the CLOB speaks version ${knownVersion}`);
  return failure(
    "version",
    `the CLOB speaks version ${version.value}, this program signs for ${knownVersion}`,
    "do not trade with this version: look for a newer one",
  );
}

/** Which protocol new markets are made for: it decides which approvals are needed (polymarket-trading 1.3). */
async function freshProbe(probe: VenueProbe): Promise<Finding> {
  const name = "new markets";
  const versions = await probe.freshVersions();
  if (!versions.ok) return failure(name, `unreadable: ${versions.error}`, "try again");
  const text = [...versions.value].map(([version, count]) => `${count} are ${version}`).join(", ");
  const foreign = [...versions.value.keys()].filter((one) => one !== "v1" && one !== "v2");
  if (foreign.length > 0) {
    return warning(
      name,
      text,
      "markets of an unknown version are left out: look for a newer program",
    );
  }
  if ((versions.value.get("v2") ?? 0) > 0) {
    return warning(name, text, "v2 markets need their own approvals (allowance v2 markets below)");
  }
  return good(name, text === "" ? "none are open" : text);
}

async function chainProbe({ relayer }: Config, probe: VenueProbe): Promise<Finding> {
  if (probe.chainId === null) {
    return warning(
      "chain",
      `chain_id ${relayer.chainId} is not checked: no rpc_url`,
      "set relayer.rpc_url to a Polygon node",
    );
  }
  const chainId = await probe.chainId();
  if (!chainId.ok) return failure("chain", chainId.error, "check relayer.rpc_url");
  if (chainId.value === relayer.chainId)
    return good("chain", `the node is on chain ${relayer.chainId}`);
  return failure(
    "chain",
    `the node is on chain ${chainId.value}, the config says ${relayer.chainId}`,
    "set relayer.rpc_url and chain_id to the same chain",
  );
}
