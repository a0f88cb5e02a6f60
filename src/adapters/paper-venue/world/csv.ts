import { WorldError } from "./errors.ts";

/** Rows of a CSV text (RFC 4180: quoted fields, doubled quotes, line breaks inside quotes) by their header names. */
export function parseCsv(text: string): Readonly<Record<string, string>>[] {
  const rows = parseRows(text);
  const [header, ...data] = rows;
  if (header === undefined) throw new WorldError("CSV without a header line");
  return data.map((fields, i) => {
    if (fields.length !== header.length)
      throw new WorldError(
        `CSV row ${i + 2} has ${fields.length} fields, the header ${header.length}`,
      );
    return Object.fromEntries(header.map((name, column) => [name, fields[column] ?? ""]));
  });
}

function parseRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (char === '"' && field === "") quoted = true;
    else if (char === ",") {
      row.push(field);
      field = "";
    } else if (char === "\n") {
      row.push(field.endsWith("\r") ? field.slice(0, -1) : field);
      rows.push(row);
      row = [];
      field = "";
    } else field += char;
  }
  if (quoted) throw new WorldError("CSV ends inside a quoted field");
  if (field !== "" || row.length > 0) rows.push([...row, field]);
  return rows;
}
