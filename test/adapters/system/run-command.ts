// Child process of the command tests: runs one command as main.ts does and ends with its exit code.
import { healthCommand } from "../../../src/cli/health.ts";
import { killCommand } from "../../../src/cli/kill.ts";
import { statusCommand } from "../../../src/cli/status.ts";

const commands = { status: statusCommand, health: healthCommand, kill: killCommand };
const command = commands[process.argv[2] as keyof typeof commands];
process.exitCode = await command(process.argv.slice(3));
