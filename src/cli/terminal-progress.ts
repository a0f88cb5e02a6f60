const everyMs = 1_000;

/** One line a second for whoever waits; nothing into files and pipes. */
export function progressOnTerminal(
  what: "frames" | "rows",
): (count: number, atMs: number | null) => void {
  let toldAtMs = performance.now();
  return (count, atMs) => {
    if (!process.stderr.isTTY || performance.now() - toldAtMs < everyMs) return;
    toldAtMs = performance.now();
    const at = atMs === null ? "" : `, at ${new Date(atMs).toISOString()}`;
    process.stderr.write(`${count} ${what}${at}\n`);
  };
}
