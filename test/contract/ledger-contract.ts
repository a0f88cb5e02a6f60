// What a ledger promises, wherever its rows are kept.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import type { DurableLog, LogRecord } from "../../src/engine/ports/durable-log.ts";
import { closedLater, codeOf, rows } from "../adapters/sqlite/support.ts";
import { type LedgerPlace, meddle, openPlace } from "./homes.ts";

const appendLoop = new URL("./append-loop.ts", import.meta.url).pathname;
const crashes = 4;

export async function allRows(ledger: DurableLog): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (;;) {
    const page = await ledger.read(found.length + 1, 1000);
    if (page.length === 0) return found;
    found.push(...page);
  }
}

/** A child that appends without end; `lines` holds what it was acknowledged. */
export type Loop = {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
};

export function startLoop(place: LedgerPlace, bodyChars: number): Loop {
  return watched(process.execPath, [appendLoop, JSON.stringify(place), String(bodyChars)]);
}

/** A child process and what it prints. */
export function watched(command: string, args: readonly string[]): Loop {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { child, lines, ended: once(child, "close") };
}

export function durableSeq(lines: readonly string[]): number {
  // The last line may be cut by the kill; a shorter number is still a number that was acknowledged or smaller.
  return Math.max(0, ...lines.map(Number).filter((seq) => Number.isSafeInteger(seq)));
}

/** Every batch of the loop is there whole, up to the last row. */
export function expectWholeBatches(found: readonly LogRecord[]): void {
  const last = JSON.parse(found.at(-1)?.body ?? "{}") as { first: number; count: number };
  expect(found.at(-1)?.seq).toBe(last.first + last.count - 1);
}

/** `fresh` gives an empty place for each test. */
export function describeLedger(home: string, fresh: () => Promise<LedgerPlace>): void {
  const opened = async (place: LedgerPlace) => closedLater(await openPlace(place));

  describe(`the ledger in ${home}`, () => {
    test("keeps rows in order, page by page, over a restart", async () => {
      const place = await fresh();
      const first = await openPlace(place);
      expect(await first.lastSeq()).toBe(0);
      expect(await first.read(0, 10)).toEqual([]);
      await first.append(rows(1, 3, '{"ü":"\\u0000 🂡 \\\\ {\\"a\\":null}"}'));
      await first.append(rows(4, 2));
      await first.close();

      const second = await opened(place);
      expect(await second.lastSeq()).toBe(5);
      expect(await second.read(0, 10)).toEqual([
        ...rows(1, 3, '{"ü":"\\u0000 🂡 \\\\ {\\"a\\":null}"}'),
        ...rows(4, 2),
      ]);
      expect((await second.read(2, 2)).map((row) => row.seq)).toEqual([2, 3]);
      expect(await second.read(6, 10)).toEqual([]);
      await second.append(rows(6, 1));
      expect(await second.lastSeq()).toBe(6);
    });

    test("takes text of any kind as it is", async () => {
      const place = await fresh();
      const first = await openPlace(place);
      const odd = ["NULL", "'; DROP TABLE ledger; --", '{"a","b"}', "\\", '"', "", " ", "é\t\n"];
      const records = odd.map((text, i) => ({
        ...(rows(i + 1, 1)[0] as LogRecord),
        correlationId: text,
        body: JSON.stringify(text),
      }));
      await first.append(records);
      await first.close();
      expect(await allRows(await opened(place))).toEqual(records);
    });

    test("batches that wait resolve in order", async () => {
      const ledger = await opened(await fresh());
      const resolved: number[] = [];
      const appends = Array.from({ length: 200 }, (_, i) =>
        ledger.append(rows(i + 1, 1)).then(() => resolved.push(i + 1)),
      );
      await Promise.all(appends);
      expect(resolved).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    });

    test("refuses gaps and repeats, and keeps nothing of such a batch", async () => {
      const ledger = await opened(await fresh());
      await ledger.append(rows(1, 2));
      expect(await codeOf(ledger.append(rows(4, 1)))).toBe("ledger_sequence");
      expect(await codeOf(ledger.append(rows(2, 1)))).toBe("ledger_sequence");
      expect(await codeOf(ledger.append([...rows(3, 1), ...rows(5, 1)]))).toBe("ledger_sequence");
      await ledger.append(rows(3, 1));
      expect((await allRows(ledger)).map((row) => row.seq)).toEqual([1, 2, 3]);
    });

    test("the queue is bounded: too many rows are refused whole, and the same rows are taken later", async () => {
      const ledger = await opened(await fresh());
      const first = ledger.append(rows(1, 9999));
      expect(await codeOf(ledger.append(rows(10_000, 2)))).toBe("ledger_full");
      await first;
      await ledger.append(rows(10_000, 2));
      expect(await ledger.lastSeq()).toBe(10_001);
    });

    test("close writes out what waits and refuses the rest", async () => {
      const place = await fresh();
      const ledger = await openPlace(place);
      const waiting = [1, 2, 7].map((seq) => ledger.append(rows(seq, seq === 2 ? 5 : 1)));
      const closing = ledger.close();
      expect(await codeOf(ledger.append(rows(8, 1)))).toBe("ledger_closed");
      await Promise.all([...waiting, closing, ledger.close()]);
      expect(await (await opened(place)).lastSeq()).toBe(7);
    });

    test("a row of somebody else fails the commit, and everything after it", async () => {
      const place = await fresh();
      const ledger = await opened(place);
      await ledger.append(rows(1, 1));
      await meddle(place, "INSERT INTO ledger VALUES (2, 0, 0, 'x', 'x', '{}', 0)");
      const appends = [2, 3, 4].map((seq) => ledger.append(rows(seq, 1)));
      for (const append of appends) expect(await codeOf(append)).toBe("ledger_second_writer");
      expect(await codeOf(ledger.append(rows(5, 1)))).toBe("ledger_second_writer");
      expect(await ledger.lastSeq()).toBe(1);
    });

    test.each([
      ["taken out at the start", "DELETE FROM ledger WHERE seq = 1"],
      ["taken out", "DELETE FROM ledger WHERE seq = 200"],
      ["changed", 'UPDATE ledger SET body = \'{"shares":"300"}\' WHERE seq = 200'],
    ])("a row that was %s is noticed when it is read", async (_, sql) => {
      const place = await fresh();
      const first = await openPlace(place);
      await first.append(rows(1, 400, '{"shares":"200"}'));
      await first.close();
      await meddle(place, sql);
      const ledger = await opened(place);
      expect(await codeOf(allRows(ledger))).toBe("ledger_corrupt");
    });

    test("kill -9 of the writer loses nothing that was acknowledged and splits no batch", async () => {
      const place = await fresh();
      let acknowledged = 0;
      for (let crash = 0; crash < crashes; crash++) {
        const loop = startLoop(place, 20_000);
        const wanted = 20 + crash * 7;
        // Killed in the moment an acknowledgement is heard: one that came too early has no time to become true.
        loop.child.stdout?.on("data", () => {
          if (loop.lines.length > wanted) loop.child.kill("SIGKILL");
        });
        await loop.ended;
        expect(loop.child.signalCode).toBe("SIGKILL");
        acknowledged = Math.max(acknowledged, durableSeq(loop.lines));

        // A server needs a moment to notice that its client died.
        let ledger: DurableLog | null = null;
        await expect
          .poll(
            async () => {
              ledger ??= await openPlace(place).catch(() => null);
              return ledger !== null;
            },
            { timeout: 30_000 },
          )
          .toBe(true);
        const reopened = ledger as DurableLog | null;
        if (reopened === null) expect.fail("unreachable");
        const found = await allRows(reopened);
        await reopened.close();
        expect(found.length).toBeGreaterThanOrEqual(acknowledged);
        expectWholeBatches(found);
      }
      expect(acknowledged).toBeGreaterThan(crashes * 20);
    });
  });
}
