// Child process of the command tests: runs one command as main.ts does and ends with its exit code.
import { commandNamed } from "../../../src/cli/commands.ts";

const load = commandNamed(process.argv[2] ?? "")?.load;
if (load === undefined) throw new TypeError("there is no such command");
const command = await load();
process.exitCode = await command(process.argv.slice(3));
