import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { DurableLog, LogRecord } from "../../../src/engine/ports/durable-log.ts";

const folders: string[] = [];
const open: DurableLog[] = [];

afterEach(async () => {
  for (const ledger of open.splice(0)) await ledger.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pitboss-sqlite-"));
  folders.push(folder);
  return folder;
}

/** Closed after the test, whatever happens in it. */
export function closedLater(ledger: DurableLog): DurableLog {
  open.push(ledger);
  return ledger;
}

export function rows(fromSeq: number, count: number, body = "{}"): LogRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    seq: fromSeq + i,
    atMs: 1_700_000_000_000 + fromSeq + i,
    kind: i % 2 === 0 ? "order.approved" : "command.received",
    stepId: fromSeq,
    correlationId: `c${fromSeq}`,
    body,
  }));
}

/** The typed error's code, or what came instead. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
