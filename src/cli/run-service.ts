import { resolve } from "node:path";
import { ConfigError } from "../../config/config-error.ts";
import { loadConfig } from "../../config/load.ts";
import { controlSocketName } from "../adapters/system/control-protocol.ts";
import { startControlServer } from "../adapters/system/control-server.ts";
import { killFileIn } from "../adapters/system/kill-file.ts";
import { openRunMarks, type RunMarks } from "../adapters/system/run-marks.ts";
import { type MetricsServer, serveMetrics } from "../adapters/telemetry/metrics-server.ts";
import { BotConfigError } from "../bot/bot-deps.ts";
import { composeService, type Service } from "../compose.ts";
import { LogError } from "../engine/ports/log-error.ts";
import { metricFigures } from "../metric-figures.ts";
import { ServiceError } from "../service-error.ts";
import { reportOf } from "../service-report.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import { isOpen } from "./kill.ts";
import { type ServiceBot, startServiceBot } from "./service-bot.ts";
import { healthOf } from "./service-health.ts";

const help = `usage: pitboss run-service --config FILE [--ready-json]
Runs the bot and its engine until it is stopped (Ctrl-C or SIGTERM). Logs are JSON lines on stderr.
  --config FILE   the configuration; secrets.local.toml beside it holds keys and tokens
  --ready-json    print one JSON line on stdout when trading is reconciled
  --fault-points  crash tests only: named points obey the parent process
exit code: 0 stopped, 1 broke, 2 wrong use or configuration
example: pitboss run-service --config config/service.local.toml`;

const pollReadyMs = 20;
/** Orders named in one answer of the control socket. */
const ordersToldMax = 2_000;
/** Time for the last log lines of a broken service. */
const brokenFlushMs = 200;
/** A stop that takes longer than this is ended the hard way; everything durable is on the disk already. */
const stopMs = 10_000;

/** `pitboss run-service`. Resolves to the exit code once the service has ended. */
export async function runServiceCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(
    args,
    {
      config: { type: "string" },
      "ready-json": { type: "boolean" },
      "fault-points": { type: "boolean" },
    },
    help,
  );
  if (!read.ok) return read.exitCode;
  const { values } = read;
  if (values.config === undefined) {
    process.stderr.write(`run-service: name the configuration with --config FILE\n\n${help}\n`);
    return exitWrongUse;
  }
  try {
    const config = loadConfig(resolve(values.config), "service");
    const service = await composeService(config, { faultPoints: values["fault-points"] });
    return await serve(service, values["ready-json"]);
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`configuration:\n${error.faults.map((one) => `  ${one}\n`).join("")}`);
      return exitWrongUse;
    }
    if (error instanceof ServiceError || error instanceof BotConfigError) {
      process.stderr.write(`run-service: ${error.message}\n`);
      return exitWrongUse;
    }
    if (error instanceof LogError) {
      process.stderr.write(`run-service: the ledger cannot be used: ${error.message}\n`);
      return exitFailed;
    }
    throw error;
  }
}

async function serve(service: Service, readyJson: boolean): Promise<number> {
  const { engine, config, logger } = service;
  const stopping = stopSignal();
  endWhenBroken(service);
  const marks = openRunMarks(config.service.stateDir, Date.now());
  const unwatchKillFile = startUnderKillFile(service);
  haltCrashLoop(service, marks);
  const unwatchAccess = service.watchAccess();
  // The second channel comes first: a kill must work while Telegram is out of reach.
  let bot: ServiceBot | null = null;
  const control = await startControlServer(resolve(config.service.stateDir, controlSocketName), {
    status: async () => ({ view: engine.view(), orders: engine.orders().slice(0, ordersToldMax) }),
    report: async () => reportOf(service),
    metrics: async () => ({ page: await metricsPage(service) }),
    health: async () => healthOf(service, bot),
    kill: async (request) => {
      const killing = engine.kill(null, null, request.note ?? "by the command line");
      // The gate is closed by now. An order may be canceled before anybody can ask again, so they are named at once.
      const orders = engine.orders().filter(isOpen).slice(0, ordersToldMax);
      return { ...(await killing), orders };
    },
  });
  const page = await startMetrics(service);
  const readyWatch = announceReady(service, readyJson);
  const starting = startServiceBot(service).then((started) => {
    bot = started;
    return started;
  });
  const why = await Promise.race([stopping, failureOf(starting)]);
  readyWatch.cancel();
  unwatchKillFile();
  unwatchAccess();
  logger.info("service.stopping", { why });
  engine.refuseNew();
  const hard = setTimeout(() => {
    logger.error("service.stop-timeout");
    process.kill(process.pid, "SIGKILL");
  }, stopMs);
  await control.close();
  await page?.close();
  if (bot !== null) await stopBot(bot);
  await service.stop();
  marks.ended();
  clearTimeout(hard);
  // What kept the bot from starting is for the caller to tell.
  if (why === botFailed) await starting;
  return exitDone;
}

/**
 * Something nobody handled: the state is not trusted any more, and nothing half-alive stays. The gate closes at once; the
 * supervisor starts a fresh process, which folds the ledger and asks the venue before it trades.
 */
function endWhenBroken({ engine, logger }: Service): void {
  const end = (event: string) => (error: unknown) => {
    engine.closeGate();
    logger.failure(event, error);
    setTimeout(() => process.kill(process.pid, "SIGKILL"), brokenFlushMs);
  };
  process.on("unhandledRejection", end("unhandled.rejection"));
  process.on("uncaughtException", end("service.broken"));
}

function metricsPage(service: Service): Promise<string> {
  return service.metrics.page(metricFigures(reportOf(service)));
}

/** The metrics page, when the configuration asks for it. One that cannot be served is a warning: trading goes on. */
async function startMetrics(service: Service): Promise<MetricsServer | null> {
  const { metricsEnabled, metricsListen } = service.config.telemetry;
  if (!metricsEnabled) return null;
  try {
    const { contentType } = service.metrics;
    const server = await serveMetrics(metricsListen, () => metricsPage(service), contentType);
    service.logger.info("metrics.served", { url: server.url });
    return server;
  } catch (error) {
    service.logger.failure("metrics.unserved", error);
    return null;
  }
}

function haltCrashLoop({ config, engine }: Service, marks: RunMarks): void {
  const { crashLoopCrashes, crashLoopWindowMs } = config.service;
  const crashes = marks.crashesWithin(crashLoopWindowMs);
  if (crashLoopCrashes === 0 || crashes < crashLoopCrashes) return;
  const minutes = Math.ceil(crashLoopWindowMs / 60_000);
  engine.haltCrashLoop(`${crashes} starts within ${minutes} min did not end in order`);
}

/**
 * Starts the engine, killed from its first moment when a kill file lies there, and obeys one that appears later. The
 * file is renamed once its kill is in the ledger; until then it makes the next start killed, too.
 */
function startUnderKillFile(service: Service): () => void {
  const { engine, logger } = service;
  const killFile = killFileIn(service.config.service.stateDir);
  if (killFile.note() !== null) engine.closeGate();
  engine.start();
  const obey = async (note: string): Promise<void> => {
    const killing = engine.kill(null, null, note === "" ? "by the kill file" : note);
    logger.warn("kill.file", { note });
    if ((await killing).unkept === undefined) killFile.honoured();
  };
  return killFile.watch((note) => void obey(note));
}

const botFailed = "the bot could not start";

/** Resolves only when the bot cannot start at all. */
async function failureOf(starting: Promise<ServiceBot>): Promise<string> {
  try {
    await starting;
  } catch {
    return botFailed;
  }
  return new Promise(() => undefined);
}

async function stopBot(bot: ServiceBot): Promise<void> {
  await bot.transport.stop();
  await bot.desk.stop();
}

/** Resolves with the reason when the service shall end: a signal, or the parent that started it is gone. */
async function stopSignal(): Promise<string> {
  return new Promise((done) => {
    // A second signal must not cut the ending short: it is bounded anyway.
    process.on("SIGINT", () => done("SIGINT"));
    process.on("SIGTERM", () => done("SIGTERM"));
    if (process.channel !== undefined && process.channel !== null) {
      process.once("disconnect", () => done("parent gone"));
      // Listening keeps the channel counted; a service that is otherwise done must be able to end.
      process.channel.unref();
    } else if ("connected" in process && !process.connected) {
      // Started with a channel, and the parent died meanwhile: nobody is left who could stop this one.
      done("parent gone");
    }
  });
}

/** Says once that the first comparison with the venue succeeded. */
function announceReady(service: Service, readyJson: boolean): { cancel(): void } {
  const { engine, logger } = service;
  const killed = engine.state.killed;
  const timer = setInterval(() => {
    if (!engine.state.ready) return;
    clearInterval(timer);
    const view = engine.view();
    logger.info("service.ready", { signer: service.signer, mode: view.mode });
    if (!readyJson) return;
    const carriedOver = {
      killedSinceMs: killed?.atMs ?? null,
      openOrders: view.openOrders,
      positions: view.positions,
    };
    const { signer, funder } = service;
    const line = { ready: true, pid: process.pid, signer, funder, carriedOver };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }, pollReadyMs);
  return { cancel: () => clearInterval(timer) };
}
