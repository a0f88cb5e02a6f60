import type { DenyReason } from "../../engine/domain/reasons.ts";

type SetRefusal =
  | "set_incomplete"
  | "set_augmented"
  | "set_other"
  | "set_fee"
  | "set_not_profitable"
  | "needs_convert";

const setRefusals: ReadonlySet<DenyReason> = new Set<SetRefusal>([
  "set_incomplete",
  "set_augmented",
  "set_other",
  "set_fee",
  "set_not_profitable",
  "needs_convert",
]);

export function isSetRefusal(code: DenyReason): code is SetRefusal {
  return setRefusals.has(code);
}

/** Why a set is refused, in words. `subject` names the outcome or market concerned, or is empty. */
export function setRefusal(code: SetRefusal, subject: string): string {
  const named = subject === "" ? "" : ` (${subject})`;
  switch (code) {
    case "set_incomplete":
      return `incomplete: an outcome cannot be bought${named}, so the set would not pay for sure`;
    case "set_augmented":
      return "augmented: outcomes can still be added, so every YES is not a complete set";
    case "set_other":
      return 'it has an "Other" outcome whose meaning can change';
    case "set_fee":
      return "the fees eat the profit";
    case "set_not_profitable":
      return "the prices add up to more than it pays";
    case "needs_convert":
      return "it ends with a contract call, which a set does not make by itself (see /convert)";
  }
}
