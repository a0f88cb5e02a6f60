import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { loadConfig } from "../../config/load.ts";
import { writeExport } from "../adapters/storage/export-file.ts";
import { exportTables, openExport } from "../adapters/storage/export-rows.ts";
import { openConfiguredStore } from "../open-store.ts";
import { exitDone, exitWrongUse, readArguments } from "./arguments.ts";
import { explainStoreFailure } from "./store-command.ts";

const help = `usage: pitboss export TABLE --config FILE --out FILE [--since TIME] [--market NAME]
Writes a table of the store to a file that is not there yet; \`pitboss load\` fills the store first.
  TABLE         ${exportTables.slice(0, 7).join(", ")},
                ${exportTables.slice(7).join(", ")}
  --config FILE names the home: files in its state folder, or its database
  --out FILE    its ending says the format: .csv or .parquet
  --since TIME  only rows from then on, such as 2026-11-20 or 2026-11-20T12:00:00Z
  --market NAME only rows of one market, by slug or condition id
Prices, sizes and money are exact decimal text, never floats; times are milliseconds since 1970.
exit code: 0 done, 1 it could not be done, 2 wrong use or configuration
example: pitboss export fills --config config/service.local.toml --out fills.parquet --since 2026-11-01`;

/** `pitboss export`. Resolves to the exit code. */
export async function exportCommand(args: readonly string[]): Promise<number> {
  const read = readArguments(
    args,
    {
      config: { type: "string" },
      out: { type: "string" },
      since: { type: "string" },
      market: { type: "string" },
    },
    help,
    1,
  );
  if (!read.ok) return read.exitCode;
  const { config, out, since, market } = read.values;
  const wrong = (what: string) => {
    process.stderr.write(`export: ${what}\n\n${help}\n`);
    return exitWrongUse;
  };
  const table = exportTables.find((one) => one === read.rest[0]);
  if (table === undefined) return wrong("name one of the tables");
  if (config === undefined || out === undefined) return wrong("--config and --out are required");
  const format = /\.(csv|parquet)$/u.exec(out)?.[1];
  if (format !== "csv" && format !== "parquet") return wrong("--out ends in .csv or .parquet");
  const sinceMs = since === undefined ? null : Date.parse(since);
  if (Number.isNaN(sinceMs)) return wrong(`--since ${since} is no time`);
  if (existsSync(out)) return wrong(`${out} is there already: name another file, or remove it`);
  try {
    const store = await openConfiguredStore(loadConfig(resolve(config)));
    try {
      const rows = await openExport(store, { table, sinceMs, market: market ?? null });
      const count = await writeExport(rows, format, out);
      process.stdout.write(`${count} rows of ${table} in ${out}\n`);
    } finally {
      await store.close();
    }
    return exitDone;
  } catch (error) {
    return explainStoreFailure("export", error);
  }
}
