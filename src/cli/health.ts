import { exitDone, exitFailed, readArguments } from "./arguments.ts";
import { askService, controlHelp, controlOptions } from "./control.ts";
import { plainText } from "./plain-text.ts";

const help = `usage: pitboss health [--state DIR | --config FILE] [--json]
Whether a running service is ready to trade, and each of its modules.
${controlHelp}
exit code: 0 ready, 1 degraded, 3 not running
example: pitboss health --config config/service.local.toml && echo ready`;

type HealthAnswer = {
  readonly ready: boolean;
  readonly degraded: readonly string[];
  readonly modules: readonly {
    readonly name: string;
    readonly state: string;
    readonly detail: string;
  }[];
};

/** `pitboss health`: for people and for supervisors. Resolves to 0 ready, 1 degraded, 3 not running. */
export async function healthCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, controlOptions, help);
  if (!read.ok) return read.exitCode;
  const reply = await askService(read.values, { v: 1, do: "health" });
  if (!reply.ok) return reply.exitCode;
  const health = reply.answer as unknown as HealthAnswer;
  const text = read.values.json ? JSON.stringify(reply.answer) : renderHealth(health);
  process.stdout.write(`${text}\n`);
  return isReady(health) ? exitDone : exitFailed;
}

/** A service that calls itself ready and names something degraded is not ready. */
function isReady(health: HealthAnswer): boolean {
  return health.ready && health.degraded.length === 0;
}

function renderHealth(health: HealthAnswer): string {
  const width = Math.max(0, ...health.modules.map((module) => module.name.length));
  const verdict = isReady(health)
    ? "ready"
    : `degraded: ${health.degraded.length > 0 ? health.degraded.join(", ") : "not ready yet"}`;
  const modules = health.modules.map((module) =>
    `${module.name.padEnd(width)}  ${module.state}  ${plainText(module.detail)}`.trimEnd(),
  );
  return [verdict, ...modules].join("\n");
}
