import { AdapterError } from "../../engine/lib/errors.ts";

/** Why the control socket could not be opened. */
export class ControlError extends AdapterError {
  override readonly name = "ControlError";

  constructor(
    code: "control_in_use" | "control_path_too_long" | "control_failed",
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { outcome: "not_sent", retryable: false, cause });
  }
}
