// What about this process would let somebody else read the key out of it (reliability 4).
import { readFileSync } from "node:fs";
import { url as inspectorUrl } from "node:inspector";

export type HostFacts = {
  /** Null where the system has no user ids. */
  readonly uid: number | null;
  readonly allowRoot: boolean;
  readonly execArgv: readonly string[];
  readonly nodeOptions: string;
  readonly debug: string;
  readonly inspectorOpen: boolean;
  /** Bytes of a core file, as the system words it; null where it does not say. */
  readonly coreLimit: string | null;
};

/** The facts of this very process. No setting is taken from an environment variable: these two are looked at to be refused. */
export function hostFacts(allowRoot: boolean): HostFacts {
  return {
    uid: process.getuid?.() ?? null,
    allowRoot,
    execArgv: process.execArgv,
    nodeOptions: process.env["NODE_OPTIONS"] ?? "",
    debug: process.env["DEBUG"] ?? "",
    inspectorOpen: inspectorUrl() !== undefined,
    coreLimit: coreLimit(),
  };
}

/** One sentence for each reason not to load a key that guards real money here. */
export function hostFaults(facts: HostFacts): string[] {
  const faults: string[] = [];
  if (facts.uid === 0 && !facts.allowRoot) {
    faults.push(
      "this runs as root: start it as a user of its own, or write [service] allow_root = true",
    );
  }
  if (facts.inspectorOpen || facts.execArgv.some((one) => one.startsWith("--inspect"))) {
    faults.push(
      "a debugger can attach to this process and read the key: start it without --inspect",
    );
  }
  if (facts.nodeOptions !== "") {
    faults.push("NODE_OPTIONS can load foreign code into this process: type  unset NODE_OPTIONS");
  }
  if (facts.debug !== "") {
    faults.push("DEBUG makes libraries print their requests, tokens included: type  unset DEBUG");
  }
  return faults;
}

/** A dump of the memory holds the key. Null when none is written. */
export function coreDumpFault(facts: HostFacts): string | null {
  if (facts.coreLimit === null || facts.coreLimit === "0") return null;
  return "a crash would write the memory, key included, to disk: type  ulimit -c 0  before the start (systemd: LimitCORE=0)";
}

function coreLimit(): string | null {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    return /^Max core file size\s+(\S+)/m.exec(limits)?.[1] ?? null;
  } catch {
    return null;
  }
}
