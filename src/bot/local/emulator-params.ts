// Reads the parameters of one call, whichever way they came: query, JSON, urlencoded or multipart.
// Numbers, booleans and nested objects may arrive as text; the real server accepts both forms.
import type { IncomingMessage } from "node:http";
import { ApiRefusal, badRequest } from "./emulator-refusal.ts";
import { isRecord } from "./emulator-types.ts";

/** Largest request body; photos may have 10 MB and documents 50 MB. */
const bodyBytesMax = 52 * 1024 * 1024;

export interface UploadedFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array;
}

export class Params {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, UploadedFile>;

  constructor(
    fields: Readonly<Record<string, unknown>>,
    files: ReadonlyMap<string, UploadedFile> = new Map(),
  ) {
    this.fields = fields;
    this.files = files;
  }

  text(name: string): string {
    const value = this.fields[name];
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
  }

  /** The integer, or undefined when it is absent or not a number. */
  integer(name: string): number | undefined {
    const text = this.text(name).trim();
    return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  flag(name: string): boolean {
    return /^(true|yes|1)$/i.test(this.text(name));
  }

  /** A nested value, parsed if it came as text; `what` names it in the refusal. */
  json(name: string, what: string): unknown {
    const value = this.fields[name];
    if (typeof value !== "string") return value;
    if (value === "") return undefined;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw badRequest(`can't parse ${what} JSON object`);
    }
  }

  /** A list of strings such as `allowed_updates`, or undefined when absent. */
  strings(name: string): string[] | undefined {
    const value = this.json(name, name);
    return Array.isArray(value)
      ? value.filter((item): item is string => typeof item === "string")
      : undefined;
  }

  /** The uploaded file that a field holds or refers to by `attach://<id>`. */
  file(name: string): UploadedFile | undefined {
    return this.attached(this.text(name)) ?? this.files.get(name);
  }

  /** The uploaded file behind an `attach://<id>` reference. */
  attached(reference: string): UploadedFile | undefined {
    return reference.startsWith("attach://") ? this.files.get(reference.slice(9)) : undefined;
  }
}

/** Reads and parses a whole request. Throws `ApiRefusal` 400 or 413. */
export async function readParams(
  request: IncomingMessage,
  query: URLSearchParams,
): Promise<Params> {
  const body = await readBody(request);
  const fields: Record<string, unknown> = Object.fromEntries(query);
  const type = request.headers["content-type"] ?? "";
  if (body.byteLength === 0) return new Params(fields);
  if (type.startsWith("application/json")) {
    return new Params({ ...fields, ...parseJsonBody(body) });
  }
  if (type.startsWith("application/x-www-form-urlencoded")) {
    const form = new URLSearchParams(new TextDecoder().decode(body));
    return new Params({ ...fields, ...Object.fromEntries(form) });
  }
  if (type.startsWith("multipart/form-data")) return readMultipart(body, type, fields);
  return new Params(fields);
}

async function readBody(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > bodyBytesMax) throw new ApiRefusal(413, "Request Entity Too Large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function parseJsonBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder().decode(body)) as unknown;
    if (isRecord(value)) return value;
  } catch {
    // Falls through to the one refusal for every malformed body.
  }
  throw badRequest("can't parse JSON object");
}

async function readMultipart(
  body: Uint8Array<ArrayBuffer>,
  type: string,
  query: Readonly<Record<string, unknown>>,
): Promise<Params> {
  const fields: Record<string, unknown> = { ...query };
  const files = new Map<string, UploadedFile>();
  const form = await new Response(body, { headers: { "content-type": type } })
    .formData()
    .catch((error: unknown) => {
      throw new ApiRefusal(400, `Bad Request: can't parse multipart body (${String(error)})`);
    });
  for (const [name, value] of form) {
    if (typeof value === "string") fields[name] = value;
    else {
      const bytes = new Uint8Array(await value.arrayBuffer());
      files.set(name, { name: value.name, mimeType: value.type, bytes });
    }
  }
  return new Params(fields, files);
}
