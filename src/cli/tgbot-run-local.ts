// `pitboss tgbot-run-local`: the offline desk at a prompt, from a pipe or by a script.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CarriedOver } from "../bot/local/desk.ts";
import { Desk, traders } from "../bot/local/desk.ts";
import { DeskError } from "../bot/local/desk-errors.ts";
import { runPipe, runTerminal } from "../bot/local/desk-prompt.ts";
import { Screen } from "../bot/local/desk-screen.ts";
import { openDeskState } from "../bot/local/desk-state.ts";
import { parseScript } from "../bot/local/script-parse.ts";
import { ScriptRunner } from "../bot/local/script-run.ts";
import { describeEvent, eventToJson } from "../bot/local/script-transcript.ts";
import type { ScriptLine } from "../bot/local/script-types.ts";
import { ScriptSyntaxError } from "../bot/local/script-types.ts";

const transcriptTailMax = 30;
const logTailMax = 10;

const help = `usage: pitboss tgbot-run-local [options]

Opens the offline desk: a chat, a paper venue and the real service in one command, without any network.

  --script FILE            run a script instead of a prompt; exit 0 when every expectation held, 1 if not, 2 if it is bad
  --transport poll|webhook how the service gets its updates (default poll)
  --data DIR               recorded books for the paper venue instead of the built-in universe
  --tape FILE              recorded market frames for the paper venue
  --state DIR              where the desk keeps its state (default ./var/desk; scripts: a temporary one)
  --fresh                  start over
  --codes                  /resume needs a one-time code, whose secret is in the state's secrets.local.toml; !code now says it
  --seed N                 seed of the built-in universe
  --set SECTION.KEY=VALUE  a key of the service's configuration, e.g. telegram.confirm_ttl_seconds=5; may be repeated
  A script's own comment lines "# option: --cash 10" are options too; those of the command line win.
  --json                   one JSON line per message in or out on stdout
  --pace X --settle-ms N --cash USD --speed X --still   handed to the paper venue

example: pitboss tgbot-run-local --script test/scripts/buy-and-sell.txt --transport webhook
In a prompt, typed lines are messages, !1 presses the first button, !help lists the rest.
`;

/** Options that go to the paper venue as they are. */
const venueOptions = ["data", "tape", "seed", "pace", "settle-ms", "cash", "speed"] as const;

interface Arguments {
  readonly script: string | undefined;
  readonly transport: "poll" | "webhook";
  readonly state: string | undefined;
  readonly isFresh: boolean;
  readonly isJson: boolean;
  readonly withCodes: boolean;
  readonly venueArgs: readonly string[];
  readonly overrides: readonly string[];
}

interface Wish extends Arguments {
  readonly mainFile: string;
}

/**
 * Runs the command; the exit code is 0 done, 1 something did not hold or broke, 2 wrong use. `mainFile` is the
 * program whose `paper-venue` and `run-service` become its children.
 */
export async function tgbotRunLocalCommand(
  args: readonly string[],
  mainFile = fileURLToPath(new URL("../main.ts", import.meta.url)),
): Promise<number> {
  try {
    const wish = readArguments(args);
    if (wish === null) {
      process.stdout.write(help);
      return 0;
    }
    if (wish.script === undefined) return await runDesk({ ...wish, mainFile }, null);
    const script = readScript(wish.script);
    // A script names the desk that it needs; what is typed on the command line comes later and wins.
    const whole = readArguments([...optionsOf(script), ...args]) ?? wish;
    return await runDesk({ ...whole, mainFile }, parseScript(script));
  } catch (error) {
    if (error instanceof ScriptSyntaxError) {
      process.stderr.write(`bad script: ${error.message}\n`);
      return 2;
    }
    if (!(error instanceof DeskError)) throw error;
    process.stderr.write(`tgbot-run-local: ${error.message}\n`);
    return error.exitCode;
  }
}

function readArguments(args: readonly string[]): Arguments | null {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const passed = Object.fromEntries(venueOptions.map((name) => [name, text] as const));
  const own = {
    script: text,
    transport: text,
    state: text,
    set: { ...text, multiple: true },
  } as const;
  const flags = {
    fresh: flag,
    json: flag,
    codes: flag,
    help: { ...flag, short: "h" },
    still: flag,
  };
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...passed, ...own, ...flags },
      strict: true,
    });
    if (values.help === true) return null;
    const transport = values.transport ?? "poll";
    if (transport !== "poll" && transport !== "webhook") {
      throw new DeskError(`--transport is poll or webhook, was ${transport}`, 2);
    }
    const given = new Map<string, unknown>(Object.entries(values));
    const venueArgs = venueOptions.flatMap((name) => {
      const value = given.get(name);
      return typeof value === "string" ? [`--${name}`, value] : [];
    });
    return {
      script: values.script,
      transport,
      state: values.state,
      isFresh: values.fresh === true,
      isJson: values.json === true,
      withCodes: values.codes === true,
      overrides: values.set ?? [],
      venueArgs: values.still === true ? [...venueArgs, "--still"] : venueArgs,
    };
  } catch (error) {
    if (error instanceof DeskError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DeskError(`${reason} (see --help)`, 2);
  }
}

/** Options that a script asks for in comments such as `# option: --set telegram.confirm_ttl_seconds=5`. */
export function optionsOf(script: string): readonly string[] {
  return [...script.matchAll(/^# option:(.*)$/gmu)].flatMap(([, words = ""]) =>
    words.split(/\s+/u).filter((word) => word !== ""),
  );
}

function readScript(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new DeskError(`cannot read the script ${path} (${code}): name an existing file`, 2);
  }
}

async function runDesk(wish: Wish, lines: readonly ScriptLine[] | null): Promise<number> {
  const isTemporary = lines !== null && wish.state === undefined;
  const dir = isTemporary
    ? mkdtempSync(join(tmpdir(), "pitboss-desk-"))
    : (wish.state ?? "./var/desk");
  using stack = new DisposableStack();
  if (isTemporary) stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const state = stack.use(openDeskState(dir, wish.isFresh, wish.withCodes));
  const ended = new AbortController();
  const onSignal = (): void => ended.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, onSignal);
    stack.defer(() => process.off(name, onSignal));
  }
  // A reader that closes the pipe, such as `head`, ends nothing: a script still has its exit code to give.
  const ignore = (): void => {};
  process.stdout.on("error", ignore);
  stack.defer(() => process.stdout.off("error", ignore));
  const { transport, mainFile, venueArgs, overrides } = wish;
  const desk = new Desk({ state, transport, mainFile, venueArgs, overrides });
  const open: OpenDesk = { wish, desk, signal: AbortSignal.any([ended.signal, desk.broken]) };
  stack.defer(showChat(open, state.dir));
  try {
    await startOrEnd(desk, ended.signal);
    if (ended.signal.aborted) return lines === null ? 0 : 1;
    if (!wish.isJson) process.stdout.write(`${welcome(desk, state.isReturning, state.dir)}\n`);
    const code = lines === null ? await talk(open) : await runScript(open, lines);
    if (!desk.broken.aborted) return code;
    throw desk.broken.reason;
  } finally {
    // Ends what still waits for the chat, so that nothing holds the process.
    ended.abort();
    await desk.stop();
  }
}

interface OpenDesk {
  readonly wish: Wish;
  readonly desk: Desk;
  readonly signal: AbortSignal;
}

/** Starting ends early when the person ends it; a child that dies makes `start` throw by itself. */
async function startOrEnd(desk: Desk, ended: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  ended.addEventListener("abort", () => resolve(), { once: true });
  const started = desk.start();
  // After an early end the children are stopped, which makes the start fail with nobody left to care.
  started.catch(() => {});
  await Promise.race([started, promise]);
}

function isTerminal(wish: Wish): boolean {
  return wish.script === undefined && !wish.isJson && process.stdin.isTTY && process.stdout.isTTY;
}

function writeLine(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}\n`);
  else process.stdout.write(`${line}\n`);
}

function showChat({ wish, desk }: OpenDesk, stateDir: string): () => void {
  const { emulator } = desk;
  if (wish.isJson)
    return emulator.onEvent((event) => writeLine(JSON.stringify(eventToJson(event))));
  const photosDir = join(stateDir, "photos");
  const screen = new Screen({
    emulator,
    photosDir,
    isColoured: process.stdout.isTTY,
    writeLine,
    homeChatId: traders[0].id,
  });
  return emulator.onEvent((event) => {
    // At a prompt the typed line stands there already.
    const isTyped = event.dir === "in" && event.kind === "message";
    if (!(isTyped && isTerminal(wish))) screen.show(event);
  });
}

function welcome(desk: Desk, isReturning: boolean, stateDir: string): string {
  const first = [
    desk.venueSummary,
    `Paper desk ready · state ${stateDir} · log ${join(stateDir, "service.log")}`,
  ];
  if (isReturning) return [...first, describeCarriedOver(desk.carriedOver)].join("\n");
  return [
    ...first,
    "Type a message to the bot and press Enter: /start, /markets or /buy.",
    "Buttons are shown with numbers: !1 presses the first one, !2 the second.",
    "/kill stops all trading at once; !help lists what else works here, Ctrl-D ends.",
  ].join("\n");
}

function describeCarriedOver({ killedSinceMs, openOrders, positions }: CarriedOver): string {
  const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  const holdings = [
    ...(openOrders > 0 ? [counted(openOrders, "open order")] : []),
    ...(positions > 0 ? [counted(positions, "position")] : []),
  ];
  if (killedSinceMs !== null) {
    const since = new Date(killedSinceMs).toTimeString().slice(0, 5);
    return [`continuing, KILLED since ${since}: type /resume`, ...holdings].join(" · ");
  }
  return `continuing${holdings.length > 0 ? ` with ${holdings.join(" and ")}` : ""}: type /status`;
}

async function talk({ wish, desk, signal }: OpenDesk): Promise<number> {
  const { emulator } = desk;
  const runner = new ScriptRunner({ emulator, desk, userId: traders[0].id, signal });
  const input = process.stdin;
  // With --json stdout carries nothing but events.
  const write = wish.isJson ? (line: string) => process.stderr.write(`${line}\n`) : writeLine;
  const options = { emulator, runner, input, writeLine: write, signal };
  if (isTerminal(wish)) {
    await runTerminal(options, process.stdout);
    return 0;
  }
  const held = await runPipe(options);
  input.destroy();
  return held ? 0 : 1;
}

async function runScript(
  { wish, desk, signal }: OpenDesk,
  lines: readonly ScriptLine[],
): Promise<number> {
  const { emulator } = desk;
  const runner = new ScriptRunner({ emulator, desk, userId: traders[0].id, signal });
  const { failed, seen } = await runner.runAll(lines);
  if (failed === null) {
    if (!wish.isJson) process.stdout.write(`script held: ${lines.length} lines\n`);
    return 0;
  }
  const { line, reason } = failed;
  const tail = emulator.events.slice(-transcriptTailMax);
  const report = [
    `script failed at line ${line.line}: ${line.source}`,
    `  ${reason}`,
    "seen since the last line that sent something:",
    ...(seen.length === 0 ? ["  (nothing)"] : seen.map((event) => `  ${describeEvent(event)}`)),
    "transcript tail:",
    ...tail.map((event) => `  ${describeEvent(event)}`),
    // A temporary state is gone after this, its log included.
    "service log tail:",
    ...desk.serviceLogTail(logTailMax).map((entry) => `  ${entry}`),
  ];
  process.stderr.write(`${report.join("\n")}\n`);
  return 1;
}
