export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a string or number member, "" for anything else. */
export function text(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}

/** A list of strings that Gamma writes either as a real array or as JSON inside a string. */
export function stringList(value: unknown): string[] {
  let list = value;
  if (typeof value === "string") {
    try {
      list = JSON.parse(value);
    } catch {
      return [];
    }
  }
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
}
