// The command in a process of its own, with the stand-in program for its children.
import { fileURLToPath } from "node:url";
import { tgbotRunLocalCommand } from "../../../src/cli/tgbot-run-local.ts";

const mainFile = fileURLToPath(new URL("stand-in-program.ts", import.meta.url));
process.exitCode = await tgbotRunLocalCommand(process.argv.slice(2), mainFile);
