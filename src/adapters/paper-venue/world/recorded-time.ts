import type { JsonObject } from "./json.ts";

const DAY_MS = 86_400_000;
/** How far from now an end date is put that would be past even after the shift. */
export const DEAD_END_DAYS = 30;

/** Gamma's members that hold a moment. */
const ISO_KEYS = [
  "endDate",
  "startDate",
  "createdAt",
  "updatedAt",
  "creationDate",
  "deployingTimestamp",
  "acceptingOrdersTimestamp",
  "eventStartTime",
  "startTime",
  "umaEndDate",
];
/** Members written as "2026-07-24 00:25:21+00". */
const SPACED_KEYS = ["gameStartTime", "closedTime"];
/** Members that hold the day of another member. */
const DAY_KEYS: Readonly<Record<string, string>> = {
  endDateIso: "endDate",
  startDateIso: "startDate",
};

/** An ISO time moved by `shiftMs`; text that is no time stays as it is. */
export function shiftIso(value: string, shiftMs: number): string {
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? value : `${new Date(ms + shiftMs).toISOString().slice(0, 19)}Z`;
}

/** Gamma's other way of writing a time: "2026-07-24 00:25:21+00". */
export function spacedTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}+00`;
}

/** Where an end date is put that would be past: 30 days ahead. */
export function deadEnd(nowMs: number): string {
  return `${new Date(nowMs + DEAD_END_DAYS * DAY_MS).toISOString().slice(0, 19)}Z`;
}

/** A shifted end date, moved to 30 days ahead when it is past nevertheless. */
export function liveEnd(endDate: string, shiftMs: number, nowMs: number): string {
  const shifted = shiftIso(endDate, shiftMs);
  const ms = Date.parse(shifted);
  return Number.isNaN(ms) || ms <= nowMs ? deadEnd(nowMs) : shifted;
}

/** A recorded Gamma object with every moment in it moved by `shiftMs`. */
export function shiftTimes(recorded: JsonObject, shiftMs: number): Record<string, unknown> {
  const out: Record<string, unknown> = { ...recorded };
  for (const key of ISO_KEYS) {
    const value = out[key];
    if (typeof value === "string") out[key] = shiftIso(value, shiftMs);
  }
  for (const key of SPACED_KEYS) {
    const value = out[key];
    if (typeof value !== "string") continue;
    const ms = Date.parse(value.replace(" ", "T").replace(/\+00$/, "Z"));
    if (!Number.isNaN(ms)) out[key] = spacedTime(ms + shiftMs);
  }
  for (const [key, source] of Object.entries(DAY_KEYS)) {
    const value = out[source];
    if (typeof out[key] === "string" && typeof value === "string") out[key] = value.slice(0, 10);
  }
  return out;
}
