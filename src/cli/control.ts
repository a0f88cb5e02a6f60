// The command line's side of the control socket of a running service.
import { createConnection } from "node:net";
import { join, resolve } from "node:path";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import {
  answerCharsMax,
  type ControlAnswer,
  type ControlRequest,
  controlSocketName,
} from "../adapters/system/control-protocol.ts";
import { exitFailed, exitNotRunning, exitWrongUse } from "./arguments.ts";

const defaultConfig = new URL("../../config/paper.toml", import.meta.url).pathname;
const answerWaitMs = 10_000;

/** Options by which every command finds the service it talks to. */
export const controlOptions = {
  state: { type: "string" },
  config: { type: "string" },
  json: { type: "boolean" },
} as const;

export const controlHelp = `  --state DIR    the service's state folder
  --config FILE  or its configuration (default: config/paper.toml)
  --json         one JSON object instead of text`;

export type ControlReply =
  | { readonly ok: true; readonly answer: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false;
      readonly exitCode: number;
      /** A code for programs: "not_running", "no_answer", "wrong_use" or what the service refused with. */
      readonly error: string;
      /** The same for people. */
      readonly message: string;
    };

/** Where the service is, and whether a program reads the answer. */
export type ControlPlace = {
  readonly state: string | undefined;
  readonly config: string | undefined;
  readonly json: boolean;
};

/** Asks the service once; explains on standard error when it does not run (3), refuses (1) or cannot be named (2). */
export async function askService(
  place: ControlPlace,
  request: ControlRequest,
): Promise<ControlReply> {
  const reply = await askQuietly(place, request);
  if (!reply.ok) explain(place, reply);
  return reply;
}

/** A program gets the same shape as a refusal of the service, on standard output; a person gets the sentence. */
export function explain(
  place: ControlPlace,
  { error, message }: { readonly error: string; readonly message: string },
): void {
  process.stderr.write(`${message}\n`);
  if (place.json) process.stdout.write(`${JSON.stringify({ ok: false, error, message })}\n`);
}

/** The state folder of the service that is meant. @throws ConfigError */
export function stateDirOf(place: ControlPlace): string {
  return place.state === undefined
    ? loadConfig(place.config ?? defaultConfig).service.stateDir
    : resolve(place.state);
}

/** Asks the service once and says nothing. */
export async function askQuietly(
  place: ControlPlace,
  request: ControlRequest,
): Promise<ControlReply> {
  const explained = (exitCode: number, error: string, message: string): ControlReply => {
    return { ok: false, exitCode, error, message };
  };
  let stateDir: string;
  try {
    stateDir = stateDirOf(place);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return explained(exitWrongUse, "wrong_use", error.message);
  }
  const path = join(stateDir, controlSocketName);
  const answer = await ask(path, request);
  if (answer === "not_running") {
    const hint =
      place.state === undefined && place.config === undefined
        ? "; name another desk with --state or --config"
        : "";
    return explained(
      exitNotRunning,
      "not_running",
      `not running: nobody answers on ${path}${hint}`,
    );
  }
  if (answer === "no_answer") {
    return explained(
      exitFailed,
      "no_answer",
      `a service listens on ${path} but did not answer within ${answerWaitMs / 1000} s: look at its log, and end it if it hangs`,
    );
  }
  if (!answer.ok)
    return explained(
      exitFailed,
      answer.error,
      `the service refused: ${answer.message} (${answer.error})`,
    );
  return { ok: true, answer };
}

function ask(
  path: string,
  request: ControlRequest,
): Promise<ControlAnswer | "not_running" | "no_answer"> {
  return new Promise((resolveAnswer) => {
    const socket = createConnection(path);
    let received = "";
    let connected = false;
    const end = (answer: ControlAnswer | "not_running" | "no_answer") => {
      clearTimeout(timer);
      socket.destroy();
      resolveAnswer(answer);
    };
    const timer = setTimeout(() => end("no_answer"), answerWaitMs);
    socket.setEncoding("utf8");
    socket.on("connect", () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    socket.on("data", (chunk: string) => {
      received += chunk;
      const lineEnd = received.indexOf("\n");
      if (lineEnd >= 0) end(parsed(received.slice(0, lineEnd)));
      else if (received.length > answerCharsMax) end("no_answer");
    });
    const hungUp = () => end(connected ? "no_answer" : "not_running");
    socket.on("error", hungUp);
    socket.on("close", hungUp);
  });
}

function parsed(line: string): ControlAnswer | "no_answer" {
  try {
    const value: unknown = JSON.parse(line);
    const isAnswer = typeof value === "object" && value !== null && "ok" in value;
    return isAnswer ? (value as ControlAnswer) : "no_answer";
  } catch {
    return "no_answer";
  }
}
