import { accessSync, constants, mkdirSync } from "node:fs";
import { type Config, deskModeOf, isLive } from "../../../config/config.ts";
import { configHash } from "../../../config/config-hash.ts";
import { LogError } from "../../engine/ports/log-error.ts";
import { foldedState } from "../order-check/check-desk.ts";
import { type Finding, failure, good, warning } from "./finding.ts";

const chatWaitMs = 5_000;
const hashChars = 12;

/** What lies on this machine: the configuration, the state folder, and what the ledger says of the last run. */
export async function deskProbes(config: Config): Promise<Finding[]> {
  const { service, relayer, file } = config;
  const mode = deskModeOf(config);
  const key = relayer.keystore === null ? "the secrets file" : "the keystore";
  return [
    good("config", `${file}, mode ${mode}, hash ${configHash(config).slice(0, hashChars)}`),
    good("key", `opened from ${key}; its files are yours alone`),
    relayer.type === "real" && relayer.keystore === null
      ? warning(
          "key store",
          "the key lies unencrypted in the secrets file",
          "make a keystore with  pitboss key-import",
        )
      : good("key store", relayer.keystore === null ? "a paper key" : "locked with scrypt"),
    stepUpProbe(config),
    stateDirProbe(service.stateDir),
    await ledgerProbe(config),
  ];
}

/** Whether trading that is off needs more than a trader's chat to be turned on. */
function stepUpProbe(config: Config): Finding {
  if (config.telegram.totpSecret !== null) return good("step-up", "/resume needs a one-time code");
  return isLive(config)
    ? warning(
        "step-up",
        "/resume needs no code: whoever has a trader's Telegram account can turn trading on",
        "make a secret with  pitboss totp-setup",
      )
    : good("step-up", "/resume needs no code, and no real money is at stake");
}

function stateDirProbe(stateDir: string): Finding {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    accessSync(stateDir, constants.W_OK);
    return good("state_dir", `${stateDir} can be written`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return failure(
      "state_dir",
      `${stateDir} cannot be written (${code})`,
      "check service.state_dir",
    );
  }
}

/** Reads the ledger as a start would, without starting anything. */
async function ledgerProbe(config: Config): Promise<Finding> {
  try {
    const state = await foldedState(config);
    if (state === null) return good("ledger", "none yet: the first start makes it");
    if (state.killed !== null) {
      return warning(
        "ledger",
        "the desk is KILLED and will start killed",
        "/resume ends that, in two steps",
      );
    }
    if (state.halt !== null && state.halt.reason !== "live_start") {
      return warning(
        "ledger",
        `the desk is halted (${state.halt.reason})`,
        "/status shows why; /resume ends it",
      );
    }
    return good("ledger", `${state.seq} rows, the fold is whole`);
  } catch (error) {
    if (error instanceof LogError && error.code === "ledger_locked") {
      return warning("ledger", "a running service holds it", "nothing to do while that is yours");
    }
    const detail = error instanceof Error ? error.message : "unreadable failure";
    return failure("ledger", detail, "see docs/runbook.md before anything starts");
  }
}

/** Whether the bot's token is good. The URL holds the token, so nothing of a failure is repeated but its kind. */
export async function chatProbe(config: Config): Promise<Finding> {
  const { telegram } = config;
  const token = telegram.botToken?.reveal() ?? "";
  try {
    const answer = await fetch(`${telegram.apiRoot}/bot${token}/getMe`, {
      signal: AbortSignal.timeout(chatWaitMs),
    });
    if (answer.ok)
      return good("telegram", `the token is good, ${telegram.whitelist.length} may trade`);
    return failure("telegram", `the Bot API answers ${answer.status}`, "check telegram.bot_token");
  } catch (error) {
    const kind = error instanceof Error ? error.name : "failure";
    return failure(
      "telegram",
      `${telegram.apiRoot} does not answer (${kind})`,
      "check the network and telegram.api_root",
    );
  }
}
