import { commandList, commandNamed } from "./cli/commands.ts";

const exitDone = 0;
const exitFailed = 1;
const exitWrongUse = 2;

/** Parses the command's name, runs it and turns what happens into an exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(commandList());
    return name === undefined ? exitWrongUse : exitDone;
  }
  if (name === "--version" || name === "-V" || name === "version") {
    const { codeVersion } = await import("./code-version.ts");
    process.stdout.write(`pitboss ${codeVersion()}\n`);
    return exitDone;
  }
  const command = commandNamed(name);
  if (command === null) {
    process.stderr.write(`pitboss: there is no command "${name}"\n\n${commandList()}`);
    return exitWrongUse;
  }
  const run = await command.load();
  return run(rest);
}

// A reader that went away (`| head`) is no failure, and no reason for a service to end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : "unknown failure";
  // Nobody knows what a failure that nobody handled carries: keys and tokens go by their form.
  const { createRedactor } = await import("./adapters/telemetry/redaction.ts");
  process.stderr.write(`pitboss: ${String(createRedactor([]).field("", text))}\n`);
  process.exitCode = exitFailed;
}
