import { renameSync, writeFileSync } from "node:fs";
import { createMetrics } from "../adapters/telemetry/metrics.ts";
import { MetricsError, serveMetrics } from "../adapters/telemetry/metrics-server.ts";
import { exitDone, exitFailed, exitWrongUse, readArguments } from "./arguments.ts";
import {
  askQuietly,
  askService,
  type ControlPlace,
  controlHelp,
  controlOptions,
} from "./control.ts";

const metricsHelp = `usage: pitboss metrics [--state DIR | --config FILE] [--json]
The figures of a running service in Prometheus' text format.
${controlHelp}
exit code: 0 shown, 3 not running
example: pitboss metrics --state ./var/desk | grep resync`;

const exportHelp = `usage: pitboss metrics-export --out FILE [--state DIR | --config FILE]
Writes the same page to a file, whole or not at all, for collectors that read files.
  --out FILE     the file, such as /var/lib/node_exporter/pitboss.prom
${controlHelp}
exit code: 0 written, 1 the file could not be written, 3 not running
example: pitboss metrics-export --out ./pitboss.prom`;

const serveHelp = `usage: pitboss metrics-serve [--listen ADDRESS] [--state DIR | --config FILE]
Serves the page over HTTP on this machine until it is stopped, beside a service that does not do it itself.
  --listen ADDRESS  127.0.0.1 and a port (default 127.0.0.1:9464); another address is refused
${controlHelp}
exit code: 0 stopped, 1 the port is taken, 2 wrong use
example: pitboss metrics-serve --listen 127.0.0.1:9464`;

const listenDefault = "127.0.0.1:9464";

/** `pitboss metrics`. Resolves to the exit code. */
export async function metricsCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, controlOptions, metricsHelp);
  if (!read.ok) return read.exitCode;
  const reply = await askService(read.values, { v: 1, do: "metrics" });
  if (!reply.ok) return reply.exitCode;
  const page = pageIn(reply.answer);
  process.stdout.write(read.values.json ? `${JSON.stringify({ page })}\n` : page);
  return exitDone;
}

/** `pitboss metrics-export`. Resolves to the exit code. */
export async function metricsExportCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { ...controlOptions, out: { type: "string" } }, exportHelp);
  if (!read.ok) return read.exitCode;
  const { out } = read.values;
  if (out === undefined) {
    process.stderr.write(`metrics-export: name the file with --out FILE\n\n${exportHelp}\n`);
    return exitWrongUse;
  }
  const reply = await askService(read.values, { v: 1, do: "metrics" });
  if (!reply.ok) return reply.exitCode;
  try {
    // A collector that reads at this moment sees the old page or the new one.
    writeFileSync(`${out}.new`, pageIn(reply.answer));
    renameSync(`${out}.new`, out);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown failure";
    process.stderr.write(`metrics-export: ${out} was not written: ${why}\n`);
    return exitFailed;
  }
  return exitDone;
}

/** `pitboss metrics-serve`. Resolves to the exit code once it was stopped. */
export async function metricsServeCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(args, { ...controlOptions, listen: { type: "string" } }, serveHelp);
  if (!read.ok) return read.exitCode;
  const place: ControlPlace = read.values;
  const page = async (): Promise<string> => {
    const reply = await askQuietly(place, { v: 1, do: "metrics" });
    // Without a service there are no figures, and the scraper is told so by the status.
    if (!reply.ok) throw new MetricsError(reply.message);
    return pageIn(reply.answer);
  };
  try {
    const { contentType } = createMetrics();
    const server = await serveMetrics(read.values.listen ?? listenDefault, page, contentType);
    process.stdout.write(`${server.url}\n`);
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await server.close();
    return exitDone;
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    process.stderr.write(`metrics-serve: ${error.message}\n`);
    return error.message.startsWith("cannot") ? exitFailed : exitWrongUse;
  }
}

function pageIn(answer: Readonly<Record<string, unknown>>): string {
  const { page } = answer;
  return typeof page === "string" ? page : "";
}
