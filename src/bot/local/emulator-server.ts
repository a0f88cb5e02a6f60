// The HTTP side of the emulator: routes, faults and the answer envelope.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { botMethods } from "./emulator-bot-methods.ts";
import type { BotContext, Method } from "./emulator-context.ts";
import { editMethods } from "./emulator-edit-methods.ts";
import type { Fault, FaultList } from "./emulator-faults.ts";
import { refusalOf } from "./emulator-faults.ts";
import { Params, readParams } from "./emulator-params.ts";
import { ApiRefusal, conflict } from "./emulator-refusal.ts";
import { sendMethods } from "./emulator-send-methods.ts";
import type { ApiCall } from "./emulator-types.ts";

/** Longest time that a scripted fault may hold a call. */
const hangMsMax = 120_000;
const methods: Readonly<Record<string, Method>> = { ...botMethods, ...sendMethods, ...editMethods };
/** Calls that an answer to a webhook push may not make (Bot API, "Making requests when getting updates"). */
const notByReply = /^(get|setwebhook|deletewebhook|close|logout)/;

interface ServerOptions {
  readonly token: string;
  readonly context: BotContext;
  readonly faults: FaultList;
  readonly onCall: (call: ApiCall) => void;
}

/** What a request asks for: a method, a file, or nothing that exists. */
type Route =
  | { readonly kind: "method"; readonly token: string; readonly method: string }
  | { readonly kind: "file"; readonly token: string; readonly path: string }
  | { readonly kind: "unknown" };

export function createEmulatorServer(options: ServerOptions): Server {
  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // A client that goes away while we answer must not end the process.
    response.on("error", () => {});
    void serve(options, request, response).catch((error: unknown) => {
      answerError(response, new ApiRefusal(500, `Internal Server Error: ${String(error)}`));
    });
  });
}

function routeOf(url: URL): Route {
  const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(url.pathname);
  if (file !== null) return { kind: "file", token: file[1] ?? "", path: file[2] ?? "" };
  const call = /^\/bot([^/]+)\/(?:test\/)?([A-Za-z]+)\/?$/.exec(url.pathname);
  if (call === null) return { kind: "unknown" };
  return { kind: "method", token: call[1] ?? "", method: (call[2] ?? "").toLowerCase() };
}

async function serve(
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://loopback");
  const route = routeOf(url);
  if (route.kind === "unknown") return answerError(response, new ApiRefusal(404, "Not Found"));
  if (decodeURIComponent(route.token) !== options.token) {
    return answerError(response, new ApiRefusal(401, "Unauthorized"));
  }
  if (route.kind === "file") return answerFile(options.context, route.path, response);
  const params = await readParams(request, url.searchParams).catch((error: unknown) => error);
  if (!(params instanceof Params)) return answerError(response, asRefusal(params));
  const fault = options.faults.take(route.method, params.integer("chat_id"));
  if (fault === null) return answer(options, route.method, params, response);
  return answerWithFault(options, { method: route.method, params, fault }, response);
}

interface FaultyCall {
  readonly method: string;
  readonly params: Params;
  readonly fault: Fault;
}

async function answerWithFault(
  options: ServerOptions,
  { method, params, fault }: FaultyCall,
  response: ServerResponse,
): Promise<void> {
  const called = (code: number): void => options.onCall({ method, fields: params.fields, code });
  const refusal = refusalOf(fault);
  if (refusal !== null) {
    called(refusal.code);
    return answerError(response, refusal);
  }
  if (fault.name === "drop-before") {
    called(0);
    response.destroy();
    return;
  }
  if (fault.name === "hang") await waitMs(fault.hangMs, response);
  if (fault.name === "hang") return answer(options, method, params, response);
  const outcome = await callMethod(options, method, params, response);
  if (fault.name === "delay-answer") await waitMs(fault.hangMs, response);
  if (fault.name === "drop-after") response.destroy();
  else if (fault.name === "garbage") response.writeHead(200).end("<html>Bad gateway</html>");
  else send(response, outcome);
}

function waitMs(ms: number | undefined, response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(ms ?? 1_000, hangMsMax));
  response.once("close", () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

async function answer(
  options: ServerOptions,
  method: string,
  params: Params,
  response: ServerResponse,
): Promise<void> {
  send(response, await callMethod(options, method, params, response));
}

type Outcome = { readonly result: unknown } | ApiRefusal;

async function callMethod(
  options: ServerOptions,
  method: string,
  params: Params,
  response: ServerResponse,
): Promise<Outcome> {
  let outcome: Outcome;
  try {
    const isPoll = method === "getupdates";
    const result = isPoll
      ? await pollUpdates(options.context, params, response)
      : runMethod(options.context, method, params);
    outcome = { result };
  } catch (error) {
    outcome = asRefusal(error);
  }
  const code = outcome instanceof ApiRefusal ? outcome.code : 200;
  options.onCall({ method, fields: params.fields, code });
  return outcome;
}

function runMethod(context: BotContext, method: string, params: Params): unknown {
  const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (run === undefined) throw new ApiRefusal(404, "Not Found: method not found");
  return run(context, params);
}

/** Runs the call that a webhook answered with; refusals are thrown away, as by the real server. */
export function runWebhookReply(
  context: BotContext,
  fields: Readonly<Record<string, unknown>>,
): void {
  const method = String(fields["method"]).toLowerCase();
  if (notByReply.test(method)) return;
  try {
    runMethod(context, method, new Params(fields));
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
  }
}

function pollUpdates(
  context: BotContext,
  params: Params,
  response: ServerResponse,
): Promise<readonly unknown[]> {
  if (context.webhook.settings !== null) {
    throw conflict(
      "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  context.updates.allow(params.strings("allowed_updates"));
  const request = {
    offset: params.integer("offset") ?? 0,
    limit: params.integer("limit") ?? 100,
    timeoutS: params.integer("timeout") ?? 0,
  };
  return context.updates.poll(request, gone.signal);
}

function asRefusal(error: unknown): ApiRefusal {
  if (error instanceof ApiRefusal) return error;
  return new ApiRefusal(500, `Internal Server Error: ${String(error)}`);
}

function send(response: ServerResponse, outcome: Outcome): void {
  if (outcome instanceof ApiRefusal) return answerError(response, outcome);
  answerJson(response, 200, { ok: true, result: outcome.result });
}

function answerError(response: ServerResponse, refusal: ApiRefusal): void {
  const retryAfterS = refusal.parameters?.["retry_after"];
  if (retryAfterS !== undefined && !response.headersSent) {
    response.setHeader("retry-after", String(retryAfterS));
  }
  answerJson(response, refusal.code, {
    ok: false,
    error_code: refusal.code,
    description: refusal.message,
    ...(refusal.parameters !== null && { parameters: refusal.parameters }),
  });
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function answerFile(context: BotContext, path: string, response: ServerResponse): void {
  const file = context.files.byPath(decodeURIComponent(path));
  if (file === undefined) return answerError(response, new ApiRefusal(404, "Not Found"));
  response.writeHead(200, { "content-type": "application/octet-stream" });
  response.end(file.upload.bytes);
}
