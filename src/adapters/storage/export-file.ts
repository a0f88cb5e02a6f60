import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import type { Export, ExportColumn, ExportValue } from "./export-rows.ts";

const ownerOnly = 0o600;

/** Writes an export whole or not at all; returns how many rows it has. */
export async function writeExport(
  rows: Export,
  format: "csv" | "parquet",
  file: string,
): Promise<number> {
  const part = `${file}.part`;
  try {
    const count = await (format === "csv" ? writeCsv(rows, part) : writeParquet(rows, part));
    renameSync(part, file);
    return count;
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

async function writeCsv({ columns, pages }: Export, file: string): Promise<number> {
  const handle = openSync(file, "w", ownerOnly);
  try {
    writeSync(handle, csvLine(columns.map(({ name }) => name)));
    let count = 0;
    for await (const page of pages) {
      writeSync(handle, page.map(csvLine).join(""));
      count += page.length;
    }
    return count;
  } finally {
    closeSync(handle);
  }
}

/** RFC 4180. Nothing stands for no value, two quotes for an empty text. */
function csvLine(values: readonly ExportValue[]): string {
  return `${values.map(csvField).join(",")}\r\n`;
}

function csvField(value: ExportValue): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  return value === "" || /[",\r\n]/u.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** One row group a page: text as UTF-8, whole numbers as INT64. Snappy, which every reader knows. */
async function writeParquet({ columns, pages }: Export, file: string): Promise<number> {
  const writer = new ParquetWriter({
    writer: fileWriter(file),
    schema: [
      { name: "root", num_children: columns.length },
      ...columns.map((column) => ({
        ...parquetType(column),
        repetition_type: "OPTIONAL" as const,
      })),
    ],
  });
  let count = 0;
  for await (const page of pages) {
    await writer.write({
      columnData: columns.map(({ name, kind }, i) => ({
        name,
        data: page.map((row) => parquetValue(row[i] ?? null, kind)),
      })),
    });
    count += page.length;
  }
  await writer.finish();
  return count;
}

function parquetType({ name, kind }: ExportColumn) {
  return kind === "whole"
    ? { name, type: "INT64" as const }
    : { name, type: "BYTE_ARRAY" as const, converted_type: "UTF8" as const };
}

function parquetValue(value: ExportValue, kind: ExportColumn["kind"]): string | bigint | undefined {
  if (value === null) return undefined;
  return kind === "whole" ? BigInt(value) : String(value);
}
