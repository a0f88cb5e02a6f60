import { ConfigError } from "../../config/config-error.ts";
import { StoreError } from "../adapters/storage/store-error.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { ServiceError } from "../service-error.ts";
import { exitFailed, exitWrongUse } from "./arguments.ts";
import { FrameFileError } from "./frame-files.ts";

/** Says what kept a command of the store from its work and how the process ends; throws what nobody expected. */
export function explainStoreFailure(command: string, error: unknown): number {
  if (error instanceof ConfigError) {
    process.stderr.write(`configuration:\n${error.faults.map((one) => `  ${one}\n`).join("")}`);
    return exitWrongUse;
  }
  const isUse = error instanceof ServiceError || error instanceof FrameFileError;
  if (!isUse && !(error instanceof LogError || error instanceof StoreError)) throw error;
  process.stderr.write(`${command}: ${error.message}\n`);
  return isUse ? exitWrongUse : exitFailed;
}
