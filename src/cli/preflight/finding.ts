/** One line of a check: what was found and, unless all is well, what to do. */
export type Finding = {
  readonly name: string;
  readonly level: "ok" | "warn" | "FAIL";
  readonly what: string;
  readonly todo: string;
};

export function good(name: string, what: string): Finding {
  return { name, level: "ok", what, todo: "" };
}

/** Worth knowing; does not stop anybody. */
export function warning(name: string, what: string, todo: string): Finding {
  return { name, level: "warn", what, todo };
}

/** Nothing starts until this is repaired. */
export function failure(name: string, what: string, todo: string): Finding {
  return { name, level: "FAIL", what, todo };
}

/** "FAIL clock: 3.1 s behind the venue; set the clock with NTP". Foreign text keeps to its line. */
export function lineOf({ name, level, what, todo }: Finding): string {
  const text = `${level.padEnd(4)} ${name}: ${what}${todo === "" ? "" : `; ${todo}`}`;
  return text.replace(/[\p{Cc}\p{Cf}]/gu, " ");
}
