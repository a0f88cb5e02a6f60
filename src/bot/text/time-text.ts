const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "14:03:20 UTC": absolute, for clients that do not render moments themselves. */
export function utcTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} UTC`;
}

/** "16 Dec 2026". */
export function utcDate(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ""} ${date.getUTCFullYear()}`;
}

/** "16 Dec 2026 14:03 UTC". */
export function utcDateTime(atMs: number): string {
  return `${utcDate(atMs)} ${new Date(atMs).toISOString().slice(11, 16)} UTC`;
}

/** "0.4 s", "12 s", "3 min", "4 h", "2 d": one unit, for ages and uptimes. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
